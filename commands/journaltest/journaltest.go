// Package journaltest is the conformance suite of the Journal port: every
// implementation passes it.
package journaltest

import (
	"crypto/rand"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Reader reads a journal as its followers do.
type Reader interface {
	commands.Journal
	Read(t testing.TB, partition int, after int64, limit int) [][]byte
}

// Run runs the suite on journals that open makes, each empty.
func Run(t *testing.T, open func(t *testing.T) Reader) {
	for name, test := range map[string]func(*testing.T, Reader){
		"appends with coordinates inside the bytes": appends,
		"refuses another version than expected":     refusesVersion,
		"checks asserted streams":                   checksAssertions,
		"recognises what it has by event id":        recognisesDuplicates,
		"refuses a command id used twice":           refusesMixedAppend,
		"appends to several streams or none":        appendsAtomically,
		"lets one of two writers win":               oneWriterWins,
		"finds an event by id":                      finds,
		"loads a stream in stretches":               loadsInStretches,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// Command draws a command id.
func Command() wire.UUID {
	var id wire.UUID
	_, _ = rand.Read(id[:])
	return id
}

// Events makes an append of n events to a stream at a version.
func Events(t testing.TB, command wire.UUID, stream string, expected, n int) commands.StreamAppend {
	t.Helper()
	events := make([]source.Event, n)
	for i := range events {
		events[i] = source.Enabled{Reason: fmt.Sprint(i)}
	}
	meta := wire.Metadata{Command: command, Actor: domain.SystemActor("test")}
	drafts, err := commands.Drafts(meta, stream, 0, events)
	require.NoError(t, err)
	return commands.StreamAppend{Stream: stream, Expected: expected, Drafts: drafts}
}

func one(s commands.StreamAppend) commands.Append {
	return commands.Append{Streams: []commands.StreamAppend{s}}
}

func appends(t *testing.T, j Reader) {
	stream := domain.SourceStream("a/b 源")
	position, err := j.Append(t.Context(), one(Events(t, Command(), stream, 0, 3)))
	require.NoError(t, err)
	require.Equal(t, wire.Position{0: 3}, position)
	position, err = j.Append(t.Context(), one(Events(t, Command(), stream, 3, 1)))
	require.NoError(t, err)
	require.Equal(t, wire.Position{0: 4}, position)

	loaded, err := j.Load(t.Context(), stream, "source-none")
	require.NoError(t, err)
	require.Len(t, loaded[stream], 4)
	require.Empty(t, loaded["source-none"])
	raw := j.Read(t, 0, 0, 10)
	require.Len(t, raw, 4)
	for i, r := range loaded[stream] {
		require.Equal(t, int64(i+1), r.Offset)
		require.Equal(t, i+1, r.Version)
		require.Equal(t, raw[i], r.Bytes)
		if i > 0 {
			require.False(t, r.Time.Before(loaded[stream][i-1].Time))
		}
	}
	require.True(t, loaded[stream][3].Time.After(loaded[stream][2].Time), "a later append has a later time")
	require.Equal(t, raw[2:3], j.Read(t, 0, 2, 1))
}

func refusesVersion(t *testing.T, j Reader) {
	stream := domain.SourceStream("s")
	var conflict *commands.VersionConflict
	_, err := j.Append(t.Context(), one(Events(t, Command(), stream, 2, 1)))
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, commands.VersionConflict{Stream: stream, Expected: 2, Actual: 0}, *conflict)
	_, err = j.Append(t.Context(), one(Events(t, Command(), stream, 0, 1)))
	require.NoError(t, err)
	_, err = j.Append(t.Context(), one(Events(t, Command(), stream, 0, 1)))
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, 1, conflict.Actual)
	require.Len(t, j.Read(t, 0, 0, 10), 1)
}

func checksAssertions(t *testing.T, j Reader) {
	_, err := j.Append(t.Context(), one(Events(t, Command(), "source-asserted", 0, 2)))
	require.NoError(t, err)
	a := one(Events(t, Command(), "source-x", 0, 1))
	a.Asserted = []commands.Assertion{{Stream: "source-asserted", Version: 1}}
	var conflict *commands.VersionConflict
	_, err = j.Append(t.Context(), a)
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, "source-asserted", conflict.Stream)
	a.Asserted[0].Version = 2
	_, err = j.Append(t.Context(), a)
	require.NoError(t, err)
}

func recognisesDuplicates(t *testing.T, j Reader) {
	command := Command()
	first, err := j.Append(t.Context(), one(Events(t, command, "source-d", 0, 2)))
	require.NoError(t, err)
	_, err = j.Append(t.Context(), one(Events(t, Command(), "source-d", 2, 1)))
	require.NoError(t, err)
	again, err := j.Append(t.Context(), one(Events(t, command, "source-d", 0, 2)))
	require.NoError(t, err)
	require.Equal(t, first, again)
	again, err = j.Append(t.Context(), one(Events(t, command, "source-d", 3, 2)))
	require.NoError(t, err, "the event ids count, whatever version is expected now")
	require.Equal(t, first, again)
	require.Len(t, j.Read(t, 0, 0, 10), 3)
}

func refusesMixedAppend(t *testing.T, j Reader) {
	command := Command()
	_, err := j.Append(t.Context(), one(Events(t, command, "source-m", 0, 1)))
	require.NoError(t, err)
	_, err = j.Append(t.Context(), one(Events(t, command, "source-m", 0, 2)))
	require.ErrorContains(t, err, "command id was used for something else")
	require.Len(t, j.Read(t, 0, 0, 10), 1)
}

func appendsAtomically(t *testing.T, j Reader) {
	command := Command()
	a := commands.Append{Streams: []commands.StreamAppend{Events(t, command, "document-s/r/1", 0, 1)}}
	other := Events(t, Command(), "document-s/r/2", 1, 1) // not at 1
	a.Streams = append(a.Streams, other)
	_, err := j.Append(t.Context(), a)
	require.Error(t, err)
	for partition := range domain.Partitions {
		require.Empty(t, j.Read(t, partition, 0, 10))
	}
	a.Streams[1].Expected = 0
	position, err := j.Append(t.Context(), a)
	require.NoError(t, err)
	for _, s := range a.Streams {
		require.Equal(t, int64(len(j.Read(t, domain.PartitionOf(s.Stream), 0, 10))), position[domain.PartitionOf(s.Stream)])
	}
}

func oneWriterWins(t *testing.T, j Reader) {
	const writers = 8
	var wg sync.WaitGroup
	errs := make(chan error, writers)
	for range writers {
		a := one(Events(t, Command(), "source-race", 0, 1))
		wg.Go(func() {
			_, err := j.Append(t.Context(), a)
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	won := 0
	for err := range errs {
		if err == nil {
			won++
			continue
		}
		var conflict *commands.VersionConflict
		require.ErrorAs(t, err, &conflict)
	}
	require.Equal(t, 1, won)
}

func finds(t *testing.T, j Reader) {
	command := Command()
	_, err := j.Append(t.Context(), one(Events(t, command, "source-f", 0, 2)))
	require.NoError(t, err)
	r, found, err := j.Find(t.Context(), wire.EventID(command, 1))
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, 2, r.Version)
	require.Equal(t, command, r.Metadata.Command)
	_, found, err = j.Find(t.Context(), wire.EventID(command, 2))
	require.NoError(t, err)
	require.False(t, found)
}

func loadsInStretches(t *testing.T, j Reader) {
	stream := domain.SourceStream("long")
	_, err := j.Append(t.Context(), one(Events(t, Command(), stream, 0, 5)))
	require.NoError(t, err)
	_, err = j.Append(t.Context(), one(Events(t, Command(), domain.SourceStream("other"), 0, 5)))
	require.NoError(t, err)
	versions := func(after, limit int) (versions []int) {
		records, err := j.LoadAfter(t.Context(), stream, after, limit)
		require.NoError(t, err)
		for _, r := range records {
			require.Equal(t, stream, r.Stream)
			versions = append(versions, r.Version)
		}
		return versions
	}
	require.Equal(t, []int{1, 2}, versions(0, 2))
	require.Equal(t, []int{3, 4, 5}, versions(2, 10))
	require.Empty(t, versions(5, 10))
}
