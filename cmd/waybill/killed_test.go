package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/domain/document"
)

// A process of all roles is killed at random moments of a batch, twenty times,
// and started again: the batch ends with the figures of an undisturbed one.
func TestKilledTwentyTimes(t *testing.T) {
	t.Parallel()
	const kills = 20
	config := simulator.Config{
		Seed: 7, Documents: 900, From: "2024-01-01", To: "2024-03-31", FileSize: 6000, MaxFiles: 3,
		Faults: map[simulator.Fault]int{simulator.WrongType: 9, simulator.MissingField: 5, simulator.NoImageNumber: 3, simulator.Unavailable: 6, simulator.ListedTwice: 2, simulator.NeverListed: 1},
	}
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	waybill := i.start("all")
	i.ready()
	number := i.create(config)
	random := rand.New(rand.NewPCG(1, 2))
	var at []int64 // events in the journal at each kill
	next := i.events()
	for range kills {
		next += random.Int64N(maxGrowth) // wherever the journal was at the last one: what a slow machine is late by does not add up
		i.grows(number, max(next, i.events()+1), waybill)
		waybill.kill()
		at = append(at, i.events())
		waybill = i.start("all")
	}
	i.ready()
	i.holds(i.finished(number))
	t.Logf("killed at %d events; %d in the end", at, i.events())
	require.Less(t, at[kills/2], i.events(), "half of the kills disturbed the batch")
	require.Less(t, at[0], at[kills/2], "they were spread over it")
	require.NoError(t, waybill.stop(), "an orderly end")
	i.migratedOnce()
	i.archiveIsWhole()
}

// maxGrowth is by how many events the journal grows between two kills, at
// most: twenty of them and a finished batch do not come together.
const maxGrowth = 120

// grows waits until the journal has so many events, or the batch has nothing
// left to do; the process dies in whatever it does then.
func (i *installation) grows(number string, to int64, waybill *child) {
	i.t.Helper()
	i.eventually("the journal grows", func() error {
		select {
		case err := <-waybill.ended:
			waybill.ended <- err
			i.t.Fatalf("waybill ended by itself: %v\n%s", err, waybill.tail())
		default:
		}
		var finished bool
		if err := i.pool.QueryRow(i.t.Context(), `SELECT EXISTS (SELECT FROM batches WHERE number = $1 AND finished_at IS NOT NULL)`, number).Scan(&finished); err != nil {
			return err
		}
		if now := i.events(); !finished && now < to {
			return fmt.Errorf("%d of %d events", now, to)
		}
		return nil
	})
}

func (i *installation) events() (n int64) {
	i.t.Helper()
	heads, err := i.journal.Heads(i.t.Context())
	require.NoError(i.t, err)
	for _, head := range heads {
		n += head
	}
	return n
}

// holds compares a finished batch with what the simulator served.
func (i *installation) holds(b batchAnswer) {
	i.t.Helper()
	d := demo{servers: &demoServers{simulator: i.simulator}}
	for _, v := range d.check(b, simulator.Disturbed) {
		require.NoError(i.t, v.err, v.what)
	}
}

// migratedOnce: each document that is migrated was so by one event.
func (i *installation) migratedOnce() {
	i.t.Helper()
	migrated := map[string]int{}
	for _, r := range i.history() {
		if _, ok := r.Event.(document.Migrated); ok {
			migrated[r.Stream]++
		}
	}
	for stream, n := range migrated {
		require.Equal(i.t, 1, n, stream)
	}
	expected := 0
	for _, d := range i.simulator.Truth().Documents {
		if d.Expected[simulator.Disturbed].Status == document.StatusMigrated {
			expected++
		}
	}
	require.Len(i.t, migrated, expected)
}

// archiveIsWhole: every object has the digest that its name says, and nothing
// half-written is left.
func (i *installation) archiveIsWhole() {
	i.t.Helper()
	objects := 0
	require.NoError(i.t, filepath.WalkDir(i.archive, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == ".waybill-archive" {
			return err
		}
		if strings.Contains(path, ".damaged") {
			return nil
		}
		require.NotContains(i.t, path, ".uploads", "left by a killed worker")
		name := filepath.Base(path)
		digest := strings.TrimPrefix(strings.TrimPrefix(name, "item-"), "manifest-")
		found, err := fileDigest(path)
		require.NoError(i.t, err)
		require.True(i.t, strings.HasPrefix(digest, found), "%s holds bytes of %s", name, found)
		objects++
		return nil
	}))
	require.NotZero(i.t, objects)
}
