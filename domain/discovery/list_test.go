package discovery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/wire"
)

// beside the list: items that it does not have.
func beside(all []discovery.PageItem) []discovery.PageItem {
	for i := range all {
		all[i].Unlisted = &discovery.Unlisted{ImageNumber: all[i].ImageNumber, BillNumber: "B"}
	}
	return all
}

func TestWhatTheListDoesNotHaveIsNoShortfall(t *testing.T) {
	t.Parallel()
	p := page(1, 1, 3, true, "a")
	p.Items = append(p.Items, beside(items("b", "c"))...)
	c := completion(t, listings.After(t, start).When(p))
	require.Equal(t, discovery.Figures{Found: 1, Unlisted: 2, Total: 3}, c.Figures)
	require.Zero(t, c.Missing)
	require.Equal(t, digest("a", "b", "c"), c.Digest, "the listing is the same, whatever the list has")
}

// TestABillNumberThatWasPutRight: what the list has by now comes to the batch,
// and what came to the batch stays there.
func TestABillNumberThatWasPutRight(t *testing.T) {
	t.Parallel()
	p := page(1, 1, 3, true, "a")
	p.Items = append(p.Items, beside(items("b", "c"))...)
	mended := page(1, 1, 3, true, "b")
	mended.Items = append(mended.Items, beside(items("a", "c"))...)
	o := listings.After(t, start, p, discovery.RetryDiscovery{Reason: "mended"}).When(mended)
	c := completion(t, o)
	require.Equal(t, discovery.Figures{Found: 2, Unlisted: 1, Total: 3}, c.Figures)
	listed := o.Events[0].(discovery.PageListed)
	require.Equal(t, 2, listed.Found)
	require.Nil(t, listed.Items[1].Unlisted, "it was in the batch")
}

var startList = discovery.Start{Batch: "B1", Source: "erp", Slice: domain.ListSlice}

// looked is a page of a list of which some entries were found.
func looked(n, upTo int, last bool, absent []string, names ...string) discovery.ListPage {
	return discovery.ListPage{Pass: 1, Page: n, Items: items(names...), Total: 6, Last: last, Looked: upTo, Absent: absent}
}

func TestAListIsGoneThroughOnce(t *testing.T) {
	t.Parallel()
	o := listings.After(t, startList, looked(1, 2, false, []string{"x", "y"}), looked(2, 4, false, nil, "a", "b")).
		When(looked(3, 6, true, []string{"z"}, "c", "d")) // c and d are of one number
	c := completion(t, o)
	require.Equal(t, discovery.Figures{Found: 4, Total: 7}, c.Figures)
	require.Equal(t, 3, c.Missing, "what is absent is not made up for by what came of the others")
	require.Equal(t, 1, c.Passes)
	require.Equal(t, 6, o.Events[0].(discovery.PageListed).Looked)

	found := o.Past().When(discovery.RetryDiscovery{Reason: "the ERP's people found them"}).
		When(looked(1, 2, false, nil, "e", "f")).When(looked(2, 4, false, nil, "a", "b"))
	c = completion(t, found.When(looked(3, 6, true, []string{"z"}, "c", "d")))
	require.Equal(t, discovery.Figures{Found: 6, Total: 7}, c.Figures)
	require.Equal(t, 1, c.Missing)
}

func TestPagesWithoutAnyEntryOfAListAreNotEndless(t *testing.T) {
	t.Parallel()
	past := listings.After(t, startList)
	for n := 1; n <= 10; n++ {
		past = past.When(looked(n, n, false, []string{"x"})).Past()
	}
	require.Equal(t, listing, past.State().Status)
	require.Equal(t, 10, past.State().Present.Absent)
}

func TestAPageThatNoListHasFitsARecord(t *testing.T) {
	t.Parallel()
	p := discovery.ListPage{Pass: 1, Page: 1, Total: 1000}
	for i := range 1000 {
		name := fmt.Sprintf("%04d", i) + strings.Repeat("影", 400)
		p.Items = append(p.Items, discovery.PageItem{
			Item: discovery.Item{
				Key: discovery.Short(name), Content: discovery.Short("content" + name), Unlisted: &discovery.Unlisted{ImageNumber: name, BillNumber: name},
			},
		})
	}
	o := listings.After(t, start).When(p)
	draft, err := wire.Encode(wire.Metadata{}, domain.DiscoveryStream("B1", "2025-03"), 0, o.Events[0])
	require.NoError(t, err)
	require.NotEmpty(t, draft)
}
