package projections

import (
	"slices"

	"github.com/waybill-migration/waybill/domain/batch"
)

// CoverageState of a cell of the map.
type CoverageState string

// The states, of which a cell has the first that is true of it, from running on.
const (
	CoverageNever      CoverageState = "never"      // no batch that migrates covers it
	CoverageRunning    CoverageState = "running"    // something is being listed, or pending
	CoverageFailed     CoverageState = "failed"     // documents or listings are failed, or were cancelled
	CoverageChanged    CoverageState = "changed"    // a later preflight found what is not migrated
	CoverageExceptions CoverageState = "exceptions" // the rest is excepted, skipped, or an accepted shortfall
	CoverageComplete   CoverageState = "complete"
)

// CoverageFigures of a cell.
type CoverageFigures struct {
	Pending, Migrated, Passed, Failed, Excepted, Cancelled int64
	Skipped                                                int64 // files
}

// Documents in all.
func (n CoverageFigures) Documents() int64 {
	return n.Pending + n.Migrated + n.Passed + n.Failed + n.Excepted + n.Cancelled
}

func (n CoverageFigures) plus(o CoverageFigures) CoverageFigures {
	return CoverageFigures{
		n.Pending + o.Pending, n.Migrated + o.Migrated, n.Passed + o.Passed, n.Failed + o.Failed, n.Excepted + o.Excepted, n.Cancelled + o.Cancelled, n.Skipped + o.Skipped,
	}
}

// clamped has nothing below none. Events of before relistings said where a
// document had been counted take it away where it is now.
func (n CoverageFigures) clamped() CoverageFigures {
	return CoverageFigures{
		max(n.Pending, 0), max(n.Migrated, 0), max(n.Passed, 0), max(n.Failed, 0), max(n.Excepted, 0), max(n.Cancelled, 0), max(n.Skipped, 0),
	}
}

// CoverageCell is a month of an organisation or of a document type.
type CoverageCell struct {
	Key, Name, Month string
	State            CoverageState
	// CoverageFigures are of the rounds that the state is of: those that no later
	// round covers. A document in two of them counts twice.
	CoverageFigures
	Found   int64    // documents that are new, or listed otherwise, by a later preflight
	Batches []string // that cover it, preflights too, newest first
}

// cellOf parts of rounds in their order.
func cellOf(parts []*part, by CoverageBy) CoverageCell {
	cell := CoverageCell{State: CoverageNever}
	var counted, preflights []*part
	for i, p := range parts {
		cell.Batches = append(cell.Batches, p.number)
		switch {
		case p.coveredBy(parts[i+1:], by):
		case p.mode == batch.Preflight:
			preflights = append(preflights, p)
		default:
			counted = append(counted, p)
		}
	}
	slices.Reverse(cell.Batches)
	if len(counted) == 0 {
		return cell
	}
	for _, p := range counted {
		cell.CoverageFigures = cell.plus(p.CoverageFigures)
	}
	if n := len(preflights); n > 0 && preflights[n-1].number > counted[0].number {
		cell.Found = preflights[n-1].newer
	}
	is := func(state func(*part) bool) bool { return slices.ContainsFunc(counted, state) }
	switch {
	case is((*part).runs):
		cell.State = CoverageRunning
	case is((*part).failed):
		cell.State = CoverageFailed
	case cell.Found > 0:
		cell.State = CoverageChanged
	case cell.Excepted+cell.Skipped > 0, is(func(p *part) bool { return p.lacking > 0 }):
		cell.State = CoverageExceptions
	default:
		cell.State = CoverageComplete
	}
	return cell
}

func (p *part) cancelled() bool { return p.phase == batch.PhaseCancelled }

// coveredBy a later round, so that it is not counted any more.
func (p *part) coveredBy(later []*part, by CoverageBy) bool {
	return slices.ContainsFunc(later, func(q *part) bool { return q.migrates() && q.covers(p, by) })
}

// migrates tells that the round brings what it covers.
func (p *part) migrates() bool { return p.mode != batch.Preflight && !p.cancelled() }

func (p *part) runs() bool { return !p.cancelled() && (p.listing || p.Pending > 0) }

// failed: of a round that was cancelled also what it left.
func (p *part) failed() bool {
	return p.Failed > 0 || p.unlisted || p.unaccepted > 0 || p.cancelled() && (p.listing || p.Pending+p.Cancelled > 0)
}
