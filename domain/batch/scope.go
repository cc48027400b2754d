package batch

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/list"
)

// Limits of a scope (domain.md, decision 8).
const (
	maxYears = 30
	// The Created record names every slice with its codes, within the limit of a
	// record (900 KB).
	maxSlices  = 5000
	maxCreated = 850_000 // bytes
)

const day = "2006-01-02"

// Scope is what a batch migrates. Dates are bill dates, both inclusive, in the
// source's time zone.
type Scope struct {
	Organizations []string `json:"organizations"` // codes; empty: all that the source tells
	DocumentTypes []string `json:"documentTypes"` // codes; empty: all that the source tells
	From          string   `json:"from"`          // YYYY-MM-DD
	To            string   `json:"to"`            // YYYY-MM-DD
	// List is the id of an uploaded list. With one of image numbers the period
	// may be empty: then nothing is known of what the source has beside the list.
	List string `json:"list,omitempty"`
}

// Slice is a part of a scope that one listing covers: a calendar month at most,
// since the source answers no more, of one organisation when the scope names
// organisations, so that one that the source refuses fails alone.
type Slice struct {
	ID            string   `json:"id"`                     // "2025-03" or "2025-03@ORG1", or domain.ListSlice
	Organization  string   `json:"organization,omitempty"` // empty: all
	DocumentTypes []string `json:"documentTypes"`
	From          string   `json:"from"`
	To            string   `json:"to"`
}

// Slices cuts the scope, or refuses it, naming the field at fault. What goes
// through the list comes last: months bring first what they have.
func (s Scope) Slices(of *list.Head) ([]Slice, error) {
	if err := domain.CheckCodes("scope.organizations", s.Organizations); err != nil {
		return nil, err
	}
	if err := domain.CheckCodes("scope.documentTypes", s.DocumentTypes); err != nil {
		return nil, err
	}
	var all []Slice
	if of == nil || of.Kind != list.ImageNumbers || s.From != "" || s.To != "" {
		var err error
		if all, err = s.months(of); err != nil {
			return nil, err
		}
	}
	if of != nil {
		all = append(all, Slice{ID: domain.ListSlice, DocumentTypes: s.DocumentTypes})
	}
	if len(all) > maxSlices {
		return nil, domain.RefuseInvalid("scope", "scope-too-large",
			"the scope has %d parts (months x organisations), %d at most: make several batches", len(all), maxSlices)
	}
	if encoded, err := json.Marshal(Created{Scope: s, Slices: all}); err != nil || len(encoded) > maxCreated {
		return nil, domain.RefuseInvalid("scope", "scope-too-large",
			"the scope's %d parts with their codes take %d bytes, %d at most: make several batches", len(all), len(encoded), maxCreated)
	}
	return all, nil
}

func (s Scope) months(of *list.Head) (all []Slice, err error) {
	if of != nil && of.Kind == list.BillNumbers && s.From == "" {
		return nil, domain.RefuseInvalid("scope.from", "period-missing", "a list of bill numbers needs a period: the source is not asked by bill number, so it lists the period")
	}
	from, to, err := s.period()
	if err != nil {
		return nil, err
	}
	organizations := s.Organizations
	if len(organizations) == 0 {
		organizations = []string{""}
	}
	for month := from; !month.After(to); month = firstOfNext(month) {
		end := firstOfNext(month).AddDate(0, 0, -1)
		if end.After(to) {
			end = to
		}
		for _, organization := range organizations {
			all = append(all, Slice{
				ID: sliceID(month, organization), Organization: organization, DocumentTypes: s.DocumentTypes,
				From: month.Format(day), To: end.Format(day),
			})
		}
	}
	return all, nil
}

func (s Scope) period() (from, to time.Time, err error) {
	if from, err = time.Parse(day, s.From); err != nil {
		return from, to, domain.RefuseInvalid("scope.from", "date-invalid", "from must be a date YYYY-MM-DD, got %q", s.From)
	}
	if to, err = time.Parse(day, s.To); err != nil {
		return from, to, domain.RefuseInvalid("scope.to", "date-invalid", "to must be a date YYYY-MM-DD, got %q", s.To)
	}
	if to.Before(from) {
		return from, to, domain.RefuseInvalid("scope.to", "period-reversed", "the period ends (%s) before it starts (%s)", s.To, s.From)
	}
	if !to.Before(from.AddDate(maxYears, 0, 0)) {
		return from, to, domain.RefuseInvalid("scope.to", "period-too-long", "a period is %d years at most", maxYears)
	}
	return from, to, nil
}

func sliceID(month time.Time, organization string) string {
	if organization == "" {
		return month.Format("2006-01")
	}
	return fmt.Sprintf("%s@%s", month.Format("2006-01"), organization)
}

// OrganizationOf gives the organisation of a slice by its id; empty: all.
func OrganizationOf(slice string) string {
	_, organization, _ := strings.Cut(slice, "@")
	return organization
}

func firstOfNext(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}
