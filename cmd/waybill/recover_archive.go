package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/verification"
)

// lossOptions are the flags of recover archive.
type lossOptions struct {
	dryRun, quick, mark bool
	confirm             int64
	subject, reason     string
}

func recoverArchiveCommand() *cobra.Command {
	var o lossOptions
	c := &cobra.Command{
		Use: "archive", Short: "Record what the archive has lost, so that it can be fetched from the source again", Args: cobra.NoArgs,
		Long: "Holds the archive against the history. A document that names objects which are missing or changed is failed, in each batch that needs them, and its batch opens again; a retry then fetches what is lost from the source and nothing else. It can be run while the installation works, and again after it was stopped half-way. --dry-run only says what it would do.",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			s, err := readSettings(nil, []role{relay})
			if err != nil {
				return err
			}
			at, err := s.place(c.Context())
			if err != nil {
				return err
			}
			defer func() { _ = at.Close() }()
			p, err := open(c.Context(), s, s.logger(c.ErrOrStderr()))
			if err != nil {
				return err
			}
			defer p.close()
			return p.recoverArchive(c.Context(), at, o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what was lost and record nothing")
	c.Flags().BoolVar(&o.quick, "quick", false, "compare sizes only: finds what is missing or cut, not bytes that changed")
	c.Flags().BoolVar(&o.mark, "mark", false, "the folder or bucket is new, or was restored without its marker: make it this installation's archive")
	c.Flags().Int64Var(&o.confirm, "confirm", 0, "how many documents have lost something, when it is more than one in twenty")
	c.Flags().StringVar(&o.subject, "subject", "", "who asks for it, as the audit log will say")
	c.Flags().StringVar(&o.reason, "reason", "", "why, as the audit log will say")
	return c
}

func (o lossOptions) validate() error {
	if o.dryRun {
		if o.mark {
			return errors.New("--dry-run changes nothing: give --mark without it")
		}
		return nil
	}
	if !subjects.MatchString(o.subject) {
		return fmt.Errorf("--subject must be 1 to 100 letters, digits and . _ @ : / -, is %q", o.subject)
	}
	if strings.TrimSpace(o.reason) == "" {
		return errors.New("--reason is missing: say what happened to the archive")
	}
	return nil
}

func (p *process) recoverArchive(ctx context.Context, at place, o lossOptions, out, progress io.Writer) error {
	installation, err := p.journal.Installation(ctx)
	if err != nil {
		return err
	}
	if o.mark {
		err = at.Mark(ctx, installation.String())
	} else {
		err = at.Check(ctx, installation.String())
	}
	if err != nil {
		return fmt.Errorf("%w; nothing was recorded", err)
	}
	if !o.dryRun {
		p.compare(ctx) // with Kafka, as before any first append
		if err := p.journalOpen(ctx); err != nil {
			return fmt.Errorf("the journal is %w: run waybill recover first", err)
		}
	}
	lost, err := p.findLosses(ctx, at, o, progress)
	if err != nil {
		return err
	}
	defer lost.discard()
	if err := lost.print(out); err != nil || lost.documents == 0 {
		return err
	}
	if err := lost.confirmed(o); err != nil || o.dryRun {
		return err
	}
	return p.recordLosses(ctx, o, lost, out)
}

// findLosses looks at everything before anything is recorded, so that people
// see the whole and can stop.
func (p *process) findLosses(ctx context.Context, at place, o lossOptions, progress io.Writer) (*losses, error) {
	reading := postgres.NewVerification(p.pool)
	v := verification.Verifier{Journal: reading, Overview: reading, Archive: at.Objects(ctx), Target: at.Name(), Progress: walked(progress)}
	lost, err := newLosses()
	if err != nil {
		return nil, err
	}
	if lost.inspected, err = v.Losses(ctx, !o.quick, lost.add); err != nil {
		lost.discard()
		return nil, fmt.Errorf("the archive was not looked at to its end, and nothing was recorded: %w", err)
	}
	return lost, nil
}

// recorders record losses at once: the journal writes them in groups.
const recorders = 32

func (p *process) recordLosses(ctx context.Context, o lossOptions, lost *losses, out io.Writer) error {
	var recorded, before, changed atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(recorders)
	err := lost.each(func(l verification.Loss) error {
		group.Go(func() error {
			result, err := p.handler.ReportLoss(ctx, o.metadata(), l.Document, l.Version, document.ReportLoss{Objects: l.Objects, Reason: o.reason})
			var stale *commands.StaleVersion
			switch {
			case errors.As(err, &stale):
				changed.Add(1)
			case err != nil:
				return fmt.Errorf("%s: %w", l.Document.Stream(), err)
			case result.Written:
				recorded.Add(1)
			default:
				before.Add(1)
			}
			return nil
		})
		return ctx.Err()
	})
	err = errors.Join(group.Wait(), err)
	fmt.Fprintf(out, "%d documents recorded as having lost objects\n", recorded.Load())
	if n := changed.Load(); n > 0 {
		fmt.Fprintf(out, "%d changed meanwhile: run it again to look at them anew\n", n)
	}
	if err != nil {
		return fmt.Errorf("not all were recorded; run it again: %w", err)
	}
	fmt.Fprintln(out, "What to do: retry the failed documents of each batch (POST /v1/batches/BATCH/retry, filter code archive-object-lost);\nwhen they are migrated: waybill verify --archive all")
	return nil
}

// metadata: the command acts in the name of whoever runs it, on their word.
func (o lossOptions) metadata() wire.Metadata {
	return wire.Metadata{
		Command: wire.UUID(uuid.New()), Actor: domain.SystemActor("recover-archive"),
		Initiator: domain.Actor{Kind: domain.Person, Issuer: "cli", Subject: o.subject},
	}
}
