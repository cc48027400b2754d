package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// kind of a fault.
type kind string

const (
	kill     kind = "kill -9"
	freeze   kind = "SIGSTOP"          // until every lease is over, then SIGCONT
	rolling  kind = "rolling restart"  // SIGTERM to each in turn
	broker   kind = "broker killed"    // the leader of a partition, and restarted
	database kind = "database crashed" // and restarted
	cut      kind = "connections cut"
	delay    kind = "delay"
	full     kind = "disk full" // the archive's, for a time
	pause    kind = "pause, kill, resume"
	disable  kind = "disable, kill, enable"
	retry    kind = "bulk retry"
	skip     kind = "skip"
	recall   kind = "recall"
)

// weights of the kinds: those that cost time or everything are rarer.
var weights = []struct {
	kind   kind
	weight int
}{{kill, 8}, {freeze, 3}, {rolling, 1}, {broker, 1}, {database, 2}, {cut, 4}, {delay, 3}, {full, 2}, {pause, 2}, {disable, 2}, {retry, 2}, {skip, 3}, {recall, 2}}

// step of a schedule: after the journal has grown, a fault. Who or what it
// meets, and how much of it, are numbers below 1000 that the fault makes its
// own sense of.
type step struct {
	growth       int64
	kind         kind
	target, much int
}

// size of a run.
type size struct {
	documents, steps int
	growth           int64 // between two faults, at most
}

var (
	long  = size{documents: 120, steps: 14, growth: 40}
	short = size{documents: 80, steps: 5, growth: 40}
)

// schedule of a seed.
func schedule(seed uint64, s size) []step {
	random := rand.New(rand.NewPCG(seed, 0x7761796269))
	var kinds []kind
	for _, w := range weights {
		kinds = append(kinds, slices.Repeat([]kind{w.kind}, w.weight)...)
	}
	steps := make([]step, s.steps)
	for i := range steps {
		steps[i] = step{
			growth: 1 + random.Int64N(s.growth), kind: kinds[random.IntN(len(kinds))],
			target: random.IntN(1000), much: random.IntN(1000),
		}
	}
	return steps
}

// tally of faults, and of what they met.
type tally struct {
	faults          map[kind]int
	killed, stopped map[string]int // processes, by role
}

func newTally() tally {
	return tally{map[kind]int{}, map[string]int{}, map[string]int{}}
}

func (t tally) add(other tally) {
	for k, n := range other.faults {
		t.faults[k] += n
	}
	for role, n := range other.killed {
		t.killed[role] += n
	}
	for role, n := range other.stopped {
		t.stopped[role] += n
	}
}

func (t tally) String() string {
	return fmt.Sprintf("%s; killed: %s; stopped: %s", list(t.faults), list(t.killed), list(t.stopped))
}

func list[K cmp.Ordered](counts map[K]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %v", counts[k], k))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
