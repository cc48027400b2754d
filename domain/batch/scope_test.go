package batch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/list"
)

func codes(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return all
}

func TestAScopeIsCutIntoCalendarMonthsBothEndsInclusive(t *testing.T) {
	t.Parallel()
	types := []string{"T1", "T2"}
	slices, err := batch.Scope{DocumentTypes: types, From: "2023-12-15", To: "2024-03-01"}.Slices(nil)
	require.NoError(t, err)
	require.Equal(t, []batch.Slice{
		{ID: "2023-12", DocumentTypes: types, From: "2023-12-15", To: "2023-12-31"},
		{ID: "2024-01", DocumentTypes: types, From: "2024-01-01", To: "2024-01-31"},
		{ID: "2024-02", DocumentTypes: types, From: "2024-02-01", To: "2024-02-29"},
		{ID: "2024-03", DocumentTypes: types, From: "2024-03-01", To: "2024-03-01"},
	}, slices)

	day, err := batch.Scope{From: "2025-02-28", To: "2025-02-28"}.Slices(nil)
	require.NoError(t, err)
	require.Equal(t, []batch.Slice{{ID: "2025-02", From: "2025-02-28", To: "2025-02-28"}}, day)
}

func TestEachNamedOrganizationHasItsOwnSlices(t *testing.T) {
	t.Parallel()
	slices, err := batch.Scope{Organizations: []string{"O1", "O/2 北京"}, From: "2025-01-31", To: "2025-02-01"}.Slices(nil)
	require.NoError(t, err)
	require.Equal(t, []batch.Slice{
		{ID: "2025-01@O1", Organization: "O1", From: "2025-01-31", To: "2025-01-31"},
		{ID: "2025-01@O/2 北京", Organization: "O/2 北京", From: "2025-01-31", To: "2025-01-31"},
		{ID: "2025-02@O1", Organization: "O1", From: "2025-02-01", To: "2025-02-01"},
		{ID: "2025-02@O/2 北京", Organization: "O/2 北京", From: "2025-02-01", To: "2025-02-01"},
	}, slices)
}

func TestScopesThatAreRefused(t *testing.T) {
	t.Parallel()
	long := make([]string, 14)
	for i := range long {
		long[i] = strings.Repeat("组", 32) + fmt.Sprintf("%04d", i)
	}
	for _, c := range []struct {
		scope       batch.Scope
		code, field string
	}{
		{batch.Scope{To: "2025-01-01"}, "date-invalid", "scope.from"},
		{batch.Scope{From: "2025-01-01"}, "date-invalid", "scope.to"},
		{batch.Scope{From: "2025-02-30", To: "2025-03-01"}, "date-invalid", "scope.from"},
		{batch.Scope{From: "2025/01/01", To: "2025-03-01"}, "date-invalid", "scope.from"},
		{batch.Scope{From: "2025-01-01", To: "2025-01-01T00:00:00Z"}, "date-invalid", "scope.to"},
		{batch.Scope{From: "2025-01-02", To: "2025-01-01"}, "period-reversed", "scope.to"},
		{batch.Scope{From: "1995-01-01", To: "2025-01-01"}, "period-too-long", "scope.to"},
		{batch.Scope{Organizations: []string{"A", ""}, From: "2025-01-01", To: "2025-01-01"}, "code-invalid", "scope.organizations"},
		{batch.Scope{Organizations: []string{"A", "B", "A"}, From: "2025-01-01", To: "2025-01-01"}, "code-repeated", "scope.organizations"},
		{batch.Scope{DocumentTypes: []string{"T", "T"}, From: "2025-01-01", To: "2025-01-01"}, "code-repeated", "scope.documentTypes"},
		{batch.Scope{DocumentTypes: []string{strings.Repeat("T", 101)}, From: "2025-01-01", To: "2025-01-01"}, "code-invalid", "scope.documentTypes"},
		{batch.Scope{Organizations: codes("O", 1001), From: "2025-01-01", To: "2025-01-01"}, "too-many", "scope.organizations"},
		{batch.Scope{Organizations: codes("O", 14), From: "1995-01-01", To: "2024-12-31"}, "scope-too-large", "scope"},
		{batch.Scope{Organizations: long, From: "1995-01-01", To: "2024-08-31"}, "scope-too-large", "scope"},
		{batch.Scope{DocumentTypes: codes("T", 1000), From: "1995-01-01", To: "2024-12-31"}, "scope-too-large", "scope"},
	} {
		_, err := c.scope.Slices(nil)
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal, "%+v", c.scope)
		require.Equal(t, c.code, refusal.Code)
		require.Equal(t, c.field, refusal.Field)
		require.Equal(t, domain.Invalid, refusal.Kind)
	}
}

func TestThirtyYearsAreThreeHundredAndSixtySlices(t *testing.T) {
	t.Parallel()
	slices, err := batch.Scope{From: "1995-01-01", To: "2024-12-31"}.Slices(nil)
	require.NoError(t, err)
	require.Len(t, slices, 360)
}

// Every day of the period lies in one slice of each organisation, and no other day does.
func TestSlicesCoverThePeriodOnce(t *testing.T) {
	t.Parallel()
	first := time.Date(1995, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		from := first.AddDate(0, 0, rapid.IntRange(0, 12_000).Draw(t, "from"))
		to := from.AddDate(0, 0, rapid.IntRange(0, 1500).Draw(t, "days"))
		organizations := codes("O", rapid.IntRange(0, 3).Draw(t, "organizations"))
		slices, err := batch.Scope{Organizations: organizations, From: from.Format(time.DateOnly), To: to.Format(time.DateOnly)}.Slices(nil)
		require.NoError(t, err)
		next := map[string]time.Time{}
		ids := map[string]bool{}
		for _, s := range slices {
			expected, seen := next[s.Organization]
			if !seen {
				expected = from
			}
			require.Equal(t, expected.Format(time.DateOnly), s.From)
			require.Equal(t, s.From[:7], s.To[:7], "within a calendar month")
			end, err := time.Parse(time.DateOnly, s.To)
			require.NoError(t, err)
			next[s.Organization] = end.AddDate(0, 0, 1)
			require.False(t, ids[s.ID])
			ids[s.ID] = true
		}
		require.Len(t, next, max(len(organizations), 1))
		for organization, after := range next {
			require.Equal(t, to.AddDate(0, 0, 1), after, organization)
		}
	})
}

func TestAListIsAPartOfTheScope(t *testing.T) {
	t.Parallel()
	images := &list.Head{ID: "L1", Kind: list.ImageNumbers, Count: 2}
	bills := &list.Head{ID: "L2", Kind: list.BillNumbers, Count: 2}
	whole := batch.Slice{ID: domain.ListSlice, DocumentTypes: []string{"T1"}}
	alone, err := batch.Scope{List: "L1", DocumentTypes: []string{"T1"}}.Slices(images)
	require.NoError(t, err)
	require.Equal(t, []batch.Slice{whole}, alone, "image numbers need no period")
	for _, of := range []*list.Head{images, bills} {
		both, err := batch.Scope{List: of.ID, DocumentTypes: []string{"T1"}, From: "2025-01-31", To: "2025-02-01"}.Slices(of)
		require.NoError(t, err)
		require.Equal(t, []string{"2025-01", "2025-02", domain.ListSlice}, []string{both[0].ID, both[1].ID, both[2].ID}, "the list comes last")
		require.Equal(t, whole, both[2])
	}
	for name, c := range map[string]struct {
		scope batch.Scope
		of    *list.Head
		field string
	}{
		"bills without a period":    {batch.Scope{List: "L2"}, bills, "scope.from"},
		"half a period":             {batch.Scope{List: "L1", From: "2025-01-01"}, images, "scope.to"},
		"the other half":            {batch.Scope{List: "L1", To: "2025-01-01"}, images, "scope.from"},
		"neither list nor period":   {batch.Scope{}, nil, "scope.from"},
		"organisations named twice": {batch.Scope{List: "L1", Organizations: []string{"O1", "O1"}}, images, "scope.organizations"},
	} {
		_, err := c.scope.Slices(c.of)
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal, name)
		require.Equal(t, c.field, refusal.Field, name)
	}
}
