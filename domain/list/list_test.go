package list_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/spec"
)

var lists = spec.Aggregate[list.State, list.Command, list.Event]{
	Decide: list.Decide, Evolve: list.Evolve, Version: func(s list.State) int { return s.Version },
}

// upload of a column without a title.
func upload(texts ...string) list.Upload {
	c := list.Upload{ID: "L1", Name: " vouchers.csv ", Kind: list.BillNumbers, Column: "A"}
	for i, text := range texts {
		c.Cells = append(c.Cells, list.Cell{Row: i + 1, Text: text})
	}
	return c
}

func TestEntriesAreASet(t *testing.T) {
	t.Parallel()
	o := lists.Given(t).When(upload(" B1", "凭证 2", "", "\u3000", "B1 ", "b1"))
	require.Len(t, o.Events, 2)
	uploaded := o.Events[0].(list.Uploaded)
	require.Equal(t, list.Uploaded{
		Head: list.Head{ID: "L1", Kind: list.BillNumbers, Count: 3, Digest: uploaded.Digest}, Name: "vouchers.csv", Column: "A", Blank: 2, Duplicates: 1,
	}, uploaded)
	require.Equal(t, list.EntriesAdded{Entries: []string{"B1", "凭证 2", "b1"}}, o.Events[1])
	o.When(upload("B1")).ThenRefused(domain.Conflict, "list-exists")

	other := lists.Given(t).When(upload("b1", "B1", "凭证 2"))
	require.Equal(t, uploaded.Digest, other.State.Digest, "whatever the order")
}

func TestWhatIsNoList(t *testing.T) {
	t.Parallel()
	unknown := upload("B1")
	unknown.Kind = "invoice"
	lists.Given(t).When(unknown).ThenRefused(domain.Invalid, "list-kind-unknown")
	lists.Given(t).When(upload()).ThenRefused(domain.Invalid, "list-empty")
	lists.Given(t).When(upload("", " ")).ThenRefused(domain.Invalid, "list-empty")
	for _, text := range []string{strings.Repeat("x", list.MaxEntry+1), "a\nb", "a\x00", "a\xff"} {
		_, err := list.Decide(list.State{}, upload("B1", text))
		require.ErrorContains(t, err, "row 2", "%q", text)
	}
	require.Equal(t, 1, lists.Given(t).When(upload(strings.Repeat("x", list.MaxEntry))).State.Count)
}

// TestTheLargestLists: the limits are what they are said to be, and no record is
// larger than one may be.
func TestTheLargestLists(t *testing.T) {
	t.Parallel()
	texts := make([]string, list.MaxEntries+1)
	for i := range texts {
		texts[i] = fmt.Sprintf("ERP/2024/%020d", i)
	}
	_, err := list.Decide(list.State{}, upload(texts...))
	require.ErrorContains(t, err, "which row 500001 exceeds")
	requirePages(t, upload(texts[:list.MaxEntries]...))

	for i := range texts {
		texts[i] = fmt.Sprintf("%06d", i) + strings.Repeat(`<"`, 147) // each is encoded in six and in two bytes
	}
	fits := list.MaxBytes / list.MaxEntry
	requirePages(t, upload(texts[:fits]...))
	_, err = list.Decide(list.State{}, upload(texts[:fits+1]...))
	require.ErrorContains(t, err, "16 MiB together at most")
}

func requirePages(t require.TestingT, c list.Upload) {
	events, err := list.Decide(list.State{}, c)
	require.NoError(t, err)
	s := list.State{}
	for _, e := range events {
		if page, ok := e.(list.EntriesAdded); ok {
			require.Equal(t, len(s.Entries), page.First)
			require.NotEmpty(t, page.Entries)
		}
		encoded, err := json.Marshal(e)
		require.NoError(t, err)
		require.Less(t, len(encoded), 890_000)
		s = list.Evolve(s, e)
	}
	require.Len(t, s.Entries, s.Count)
}

func TestAnyListIsPagedWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringN(1, 40, 100), 1, 200).Draw(t, "texts")
		valid := upload()
		for i, text := range texts {
			text = strings.Map(func(r rune) rune {
				if r < ' ' || r >= 0x7f && r < 0xa0 {
					return 'x'
				}
				return r
			}, text)
			valid.Cells = append(valid.Cells, list.Cell{Row: i + 1, Text: "n" + text})
		}
		requirePages(t, valid)
	})
}
