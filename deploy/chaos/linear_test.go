package main

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// at is one operation on a source from one time to another.
func at(call, end int64, in intent, out answer) porcupine.Operation {
	in.source = "s"
	return porcupine.Operation{Input: in, Call: call, Output: out, Return: end}
}

func renamed(key string, match int) intent { return intent{verb: renaming, key: key, match: match} }

func won(version int) answer { return answer{version: version, changed: true} }

func ended(stream ...entry) porcupine.Operation {
	return at(100, 101, intent{verb: looking}, answer{stream: append([]entry{{registering, ""}}, stream...)})
}

// What the checker is for: it finds the order when there is one, and tells a
// history in which it went wrong.
func TestCheckerTells(t *testing.T) {
	t.Parallel()
	a, b := entry{renaming, "a"}, entry{renaming, "b"}
	off := entry{disabling, "off"}
	cases := []struct {
		name    string
		history []porcupine.Operation
		holds   bool
	}{
		{"one wins, the other is told", []porcupine.Operation{
			at(0, 9, renamed("a", 1), won(2)), at(0, 9, renamed("b", 1), answer{refusal: stale}), ended(a),
		}, true},
		{"two writers with the same expected version both won", []porcupine.Operation{
			at(0, 9, renamed("a", 1), won(2)), at(0, 9, renamed("b", 1), won(3)), ended(a, b),
		}, false},
		{"two writers got the same version", []porcupine.Operation{
			at(0, 9, renamed("a", 1), won(2)), at(0, 9, renamed("b", 1), won(2)), ended(a),
		}, false},
		{"an acknowledged command was lost", []porcupine.Operation{
			at(0, 1, renamed("a", 0), won(2)), ended(),
		}, false},
		{"a lost command's version was given again", []porcupine.Operation{
			at(0, 1, renamed("a", 0), won(2)), at(2, 3, renamed("b", 0), won(2)), ended(b),
		}, false},
		{"it was done twice", []porcupine.Operation{
			at(0, 1, renamed("a", 0), won(2)), ended(a, a),
		}, false},
		{"refused as stale at the very version", []porcupine.Operation{
			at(0, 1, renamed("a", 1), answer{refusal: stale}), ended(),
		}, false},
		{"the later one came before", []porcupine.Operation{
			at(0, 1, renamed("a", 0), won(3)), at(2, 3, renamed("b", 0), won(2)), ended(b, a),
		}, false},
		{"it was so already", []porcupine.Operation{
			at(0, 1, intent{verb: enabling, key: "on"}, answer{version: 1}), at(2, 3, intent{verb: disabling, key: "off"}, won(2)), ended(off),
		}, true},
		{"it was not so", []porcupine.Operation{
			at(0, 1, intent{verb: disabling, key: "off"}, won(2)), at(2, 3, intent{verb: enabling, key: "on"}, answer{version: 2}), ended(off),
		}, false},
		{"what was refused was done", []porcupine.Operation{
			at(0, 1, renamed("a", 1), answer{refusal: stale}), ended(a),
		}, false},
	}
	for _, c := range cases {
		err := linearizable(c.history, filepath.Join(t.TempDir(), "history.html"))
		require.Equal(t, c.holds, err == nil, "%s: %v", c.name, err)
	}
}

// What was not answered may have been done or not; the journal tells. What was
// answered must be there.
func TestUnansweredRequests(t *testing.T) {
	t.Parallel()
	check := func(g *registrars, names ...string) error {
		journal := map[string][]wire.Record{}
		for _, id := range registrarSources {
			journal[domain.SourceStream(id)] = []wire.Record{{Event: source.Registered{ID: id, Enabled: true}}}
		}
		stream := domain.SourceStream(registrarSources[0])
		for _, name := range names {
			journal[stream] = append(journal[stream], wire.Record{Event: source.Reconfigured{Settings: source.Settings{Name: name}}})
		}
		return g.check(journal, filepath.Join(t.TempDir(), "history.html"))
	}
	asked := func(key string, out any) porcupine.Operation {
		in := renamed(key, 0)
		in.source = registrarSources[0]
		return porcupine.Operation{Input: in, Call: 0, Output: out, Return: 1}
	}
	g := &registrars{began: time.Now(), unanswered: []porcupine.Operation{asked("a", nil)}}
	require.NoError(t, check(g))
	require.NoError(t, check(g, "a"))
	require.Error(t, check(g, "b"), "nobody asked for it")
	require.Error(t, check(g, "a", "a"), "twice")
	g.history = []porcupine.Operation{asked("b", won(3))}
	require.NoError(t, check(g, "a", "b"))
	require.Error(t, check(g, "a"))
	g.history = append(g.history, asked("b", won(3)))
	require.NoError(t, check(g, "a", "b"), "asked again")
	g.history = append(g.history, asked("b", won(4)))
	require.ErrorContains(t, check(g, "a", "b"), "was answered")

	g = &registrars{began: time.Now(), sightings: []sighting{{source: registrarSources[0], after: 1, Version: 1, Name: registrarSources[0], Status: "enabled"}}}
	require.NoError(t, check(g))
	g.sightings[0].Name = "a"
	require.ErrorContains(t, check(g), "its view showed a and enabled")
	g.sightings[0].after = 2
	require.ErrorContains(t, check(g), "after version 2")
}

// A history as long as a run's is checked at once.
func TestCheckerIsQuick(t *testing.T) {
	t.Parallel()
	var history []porcupine.Operation
	var stream []entry
	for i := range 600 {
		key := strconv.Itoa(i)
		begin := int64(i) * 10
		for client := range int64(3) {
			history = append(history, at(begin+client, begin+9, renamed(key+"-"+strconv.Itoa(int(client)), i+1), answer{refusal: stale}))
		}
		history = append(history, at(begin+3, begin+8, renamed(key, i+1), won(i+2)))
		stream = append(stream, entry{renaming, key})
	}
	last := ended(stream...)
	last.Call, last.Return = 10_000, 10_001
	require.NoError(t, linearizable(append(history, last), filepath.Join(t.TempDir(), "history.html")))
}
