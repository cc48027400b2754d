package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/deploy/servers"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
)

// Kafka is lost whole in the middle of a batch: the broker is killed and its
// data deleted, and an empty one of another cluster comes up at its address.
// Nothing is restarted: the batch finishes, Kafka holds the journal's bytes
// again, and nothing is fired or applied twice.
func TestKafkaIsLostWhole(t *testing.T) {
	t.Parallel()
	broker, err := servers.NewKafka(t.Context(), filepath.Join(t.TempDir(), "kafka"))
	require.NoError(t, err)
	require.NoError(t, broker.Start(t.Context()))
	t.Cleanup(func() { _ = broker.Kill() })
	config := sound(200)
	i := newInstallation(t, config, broker.Address())
	i.start("all")
	i.ready()
	open := i.gate.close(20)
	number := i.create(config)
	i.eventually("documents are migrated", func() error {
		b, err := i.overview(number)
		if err == nil && b.Documents.Migrated == 0 {
			err = errNone
		}
		return err
	})
	i.disturb(number)

	require.NoError(t, broker.Lose(t.Context()))
	other := i.create(config) // accepted while there is no Kafka
	open()
	require.NoError(t, broker.Start(t.Context()))

	for _, n := range []string{number, other} {
		b := i.finished(n)
		require.Equal(t, "succeeded", b.Status)
		i.holds(b)
	}
	i.ready()
	fired := map[string]int{}
	for _, r := range i.history() {
		switch r.Event.(type) {
		case batch.Held, batch.Released:
			fired[fmt.Sprintf("%T", r.Event)]++
		}
	}
	require.Equal(t, map[string]int{"batch.Held": 1, "batch.Released": 1}, fired, "the refilled topic fires nothing again")
	i.writtenOnce()
	open = i.gate.close(0)
	last := i.create(config)
	i.disturb(last) // policies go on with what is new
	open()
	require.Equal(t, "succeeded", i.finished(last).Status)
	i.verifies()
}

// disturb disables the source and enables it: a policy holds the batch, which
// the gate keeps from finishing before, and releases it.
func (i *installation) disturb(number string) {
	i.t.Helper()
	for _, step := range []struct{ command, phase string }{{"disable", "held"}, {"enable", "active"}} {
		require.NoError(i.t, i.api.Post(i.t.Context(), "/v1/sources/"+presetID+"/"+step.command, map[string]any{"reason": "test"}, nil))
		i.eventually("the batch is "+step.phase, func() error {
			var b struct{ Phase string }
			err := i.api.Get(i.t.Context(), "/v1/batches/"+number, &b)
			if err == nil && b.Phase != step.phase {
				err = fmt.Errorf("it is %s", b.Phase)
			}
			return err
		})
	}
}

// writtenOnce: each file was written to the archive by one event, and each
// document migrated once in a batch.
func (i *installation) writtenOnce() {
	i.t.Helper()
	seen := map[string]bool{}
	once := func(what string) {
		require.False(i.t, seen[what], "%s twice", what)
		seen[what] = true
	}
	for _, r := range i.history() {
		if e, ok := r.Event.(document.Migrated); ok {
			once(r.Stream + " in " + e.Batch)
			for _, f := range e.Files {
				if f.Result == document.Written {
					once(f.Stored.Key)
				}
			}
		}
	}
	require.NotEmpty(i.t, seen)
}

// verifies waits until the relay has sent all, and verifies everything.
func (i *installation) verifies() {
	i.t.Helper()
	i.eventually("Kafka holds all of the journal", func() error {
		relayed, err := carried{pool: i.pool}.Relayed(i.t.Context())
		if err != nil {
			return err
		}
		heads, err := i.journal.Heads(i.t.Context())
		if err == nil && !relayed.Reached(heads) {
			err = errNone
		}
		return err
	})
	out, err := i.run("verify", "--archive", "all")
	require.NoError(i.t, err, out)
	require.Contains(i.t, out, "\nOK\n")
}
