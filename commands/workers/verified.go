package workers

import (
	"cmp"
	"context"
	"slices"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
)

// record appends what a page found. A document that changed since it was loaded
// is a conflict, as is another process that does the same verification.
func (v *verifying) record(ctx context.Context, documents []verifiable, last bool) error {
	command := fixity.Advance{Round: v.state.Round, After: v.state.Cursor, Until: v.state.Cursor, Last: last}
	w := v.handler.Write(caused("worker-verify", v.round))
	for _, d := range documents {
		command.Until = d.Document
		if !d.migratedIn(v.state.Batch) {
			if v.state.Round == 1 { // else it stays as it was found
				command.Documents = append(command.Documents, fixity.Examined{Item: fixity.Item{Document: d.Document, Outcome: fixity.Overtaken}})
			}
			continue
		}
		found := v.found(d)
		command.Documents = append(command.Documents, found)
		events, err := v.tell(d, found)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			continue
		}
		if err := commands.AddTo(w, d.Document, d.version, events); err != nil {
			return err
		}
	}
	events, err := commands.Fixities.Decide(v.state, command)
	if err != nil {
		return err
	}
	if err := commands.AddTo(w, v.stream, v.state.Version, events); err != nil {
		return err
	}
	if _, err := w.Append(ctx); err != nil {
		return err
	}
	for _, e := range events {
		v.state = commands.Fixities.Evolve(v.state, e)
	}
	return nil
}

// found is what a verification says of a document.
func (v *verifying) found(d verifiable) fixity.Examined {
	seen := v.seen[d.Document]
	m := d.state.Batches[v.state.Batch]
	files := make(map[string]string, len(m.Files))
	e := fixity.Examined{Item: d.Item, Objects: len(d.expected), Bytes: seen.bytes}
	for _, f := range m.Files {
		if f.Status != document.FileStatusMigrated {
			continue
		}
		files[f.Stored.Key] = f.ID
		if e.Files++; f.Hash == "" {
			e.Unhashed++
		}
	}
	e.Outcome, e.Flaws = fixity.Worst(seen.flaws), slices.Clone(seen.flaws)
	for i, f := range e.Flaws {
		e.Flaws[i].FileID = files[f.Key]
	}
	slices.SortFunc(e.Flaws, func(a, b fixity.Flaw) int {
		return cmp.Or(cmp.Compare(slices.Index(fixity.Flaws, a.Fault), slices.Index(fixity.Flaws, b.Fault)), cmp.Compare(a.Key, b.Key))
	})
	e.Flawed = len(e.Flaws) + max(seen.extra-fixity.MaxFlaws, 0)
	return e
}

// tell the document what was found of it: what the archive has lost fails it in
// each batch that needs it, so that it can be retried there. What could not be
// read says nothing of it.
func (v *verifying) tell(d verifiable, found fixity.Examined) ([]document.Event, error) {
	var command document.Command
	switch found.Outcome {
	case fixity.Missing, fixity.Changed:
		lost := document.ReportLoss{Reason: "verification " + v.state.ID, Verification: v.state.ID}
		for _, f := range found.Flaws {
			switch f.Fault {
			case fixity.Missing:
				lost.Objects = append(lost.Objects, document.Lost{Key: f.Key, Fault: document.Missing})
			case fixity.Changed:
				lost.Objects = append(lost.Objects, document.Lost{Key: f.Key, Fault: document.Changed})
			}
		}
		command = lost
	case fixity.Intact, fixity.Extra:
		command = document.ReportIntact{
			Batch: v.state.Batch, Verification: v.state.ID, Objects: found.Objects, Bytes: found.Bytes, Unhashed: found.Unhashed, Extra: v.seen[d.Document].extra,
		}
	default:
		return nil, nil
	}
	return commands.Documents.Decide(d.state, command)
}
