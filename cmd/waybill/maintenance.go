package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Make or update the database schema, and nothing else", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := readSettings(nil, nil)
			if err != nil {
				return err
			}
			pool, err := postgres.Open(c.Context(), s.DatabaseURL, "waybill-migrate", s.DatabaseConnections)
			if err != nil {
				return err
			}
			defer pool.Close()
			return migrateSchema(c.Context(), pool)
		},
	}
}

func recoverCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "recover", Short: "Refill a journal that lost records from Kafka, and open it", Args: cobra.NoArgs,
		Long: "Compares the journal with Kafka. Records that Kafka holds and the journal lost are put back, the same bytes at the same coordinates; then the journal is opened. Stop the other processes first.",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := readSettings(nil, []role{relay})
			if err != nil {
				return err
			}
			p, err := open(c.Context(), s, s.logger(os.Stderr))
			if err != nil {
				return err
			}
			defer p.close()
			return p.recover(c.Context(), c.OutOrStdout())
		},
	}
	c.AddCommand(recoverArchiveCommand())
	return c
}

// refillSize is how many records are put back in one transaction.
const refillSize = 1000

func (p *process) recover(ctx context.Context, out io.Writer) error {
	held, err := kafka.Holdings(ctx, p.settings.kafka(), p.marks)
	if err != nil {
		return err
	}
	err = p.gate.Verify(ctx, held)
	var behind *postgres.Behind
	if err != nil && (!errors.As(err, &behind) || behind.Differs) {
		return err
	}
	heads, err := p.journal.Heads(ctx)
	if err != nil {
		return err
	}
	for _, last := range held {
		if err := p.refill(ctx, last.Partition, heads[last.Partition], last.Offset, out); err != nil {
			return err
		}
	}
	if err := p.gate.Verify(ctx, held); err != nil {
		return err
	}
	fmt.Fprintln(out, "the journal has all that Kafka holds, and is open")
	return nil
}

func (p *process) refill(ctx context.Context, partition int, head, upTo int64, out io.Writer) error {
	if head >= upTo {
		return nil
	}
	var chunk [][]byte
	flush := func() error {
		err := p.gate.Refill(ctx, partition, chunk)
		chunk = nil
		return err
	}
	err := kafka.Replay(ctx, p.settings.kafka(), partition, head, func(record []byte) error {
		if chunk = append(chunk, record); len(chunk) < refillSize {
			return nil
		}
		return flush()
	})
	if err == nil && len(chunk) > 0 {
		err = flush()
	}
	if err == nil {
		fmt.Fprintf(out, "partition %d: %d records put back\n", partition, upTo-head)
	}
	return err
}
