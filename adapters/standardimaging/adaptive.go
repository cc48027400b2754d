package standardimaging

import "time"

// How many requests at once a source takes is found by additive increase and
// multiplicative decrease, as TCP finds a network's capacity: it shares a source
// fairly with whoever else uses it, and settles just below what it takes.
const (
	// firstConcurrency is where a source begins. From there each good answer
	// adds one, until the first sign of overload: it doubles in each round trip.
	firstConcurrency = 16
	// A round is judged as a whole: as many answers as requests may be under way,
	// so that all of them saw the present concurrency; ten at least, so that one
	// refusal is no trend.
	minRound = 10
	// refusedShare of a round's answers, and three of them, is an overload. Some
	// files of an old system never come, a percent of them say, and each is tried
	// several times: that must not slow down all others.
	refusedShare = 0.1
	minRefused   = 3
	onRefusal    = 0.5 // what remains of the concurrency
	// A latency is rising when the recent one is several times the least of the
	// last minutes, and long enough for people to notice: on a quick network it
	// doubles for no reason. Whoever waits in a queue is served no sooner by more
	// requests, so less is given up than on a refusal.
	slowFactor  = 3
	slowAtLeast = 500 * time.Millisecond
	onSlowness  = 0.8
	recentShare = 0.1             // of an answer in the recent latency
	leastAge    = 5 * time.Minute // twice that long the least is remembered: what is slow for good is usual
)

// adaptive is the concurrency that a source takes, as far as its answers tell.
// It is not safe for concurrent use.
type adaptive struct {
	allowed   float64
	congested bool      // there was a sign of overload
	changed   time.Time // to less: what was sent before saw another concurrency
	answers   int       // of the present round
	refused   int
	latency   latency
}

// seen is what came of a request, or that nothing did.
type seen struct {
	sent, came time.Time
	refused    bool
	// file: only files' first bytes tell of a latency. How long a data call takes
	// depends on what it asks for.
	file bool
}

// saw takes in an answer.
func (a *adaptive) saw(s seen, limit int) {
	if s.sent.Before(a.changed) {
		return
	}
	a.answers++
	switch {
	case s.refused:
		a.refused++
	case s.file:
		a.latency.add(s.came.Sub(s.sent), s.came)
	}
	if !s.refused && !a.congested {
		a.allowed = min(a.allowed+1, float64(limit))
	}
	if a.answers >= max(int(a.allowed), minRound) {
		a.judge(s.came, limit)
	}
}

func (a *adaptive) judge(now time.Time, limit int) {
	switch {
	case a.refused >= minRefused && float64(a.refused) > refusedShare*float64(a.answers):
		a.decrease(onRefusal, now)
	case a.latency.rising():
		a.decrease(onSlowness, now)
	default:
		a.allowed = min(a.allowed+1, float64(limit))
	}
	a.answers, a.refused = 0, 0
}

func (a *adaptive) decrease(to float64, now time.Time) {
	a.allowed, a.congested, a.changed = max(a.allowed*to, 1), true, now
	a.latency.recent = 0 // that was the other concurrency's
}

// latency is how long answers take, by their first byte.
type latency struct {
	recent        time.Duration // a moving average
	least, before time.Duration // of the recent one, in this period and the one before
	began         time.Time     // of this period
}

func (l *latency) add(took time.Duration, now time.Time) {
	if l.recent == 0 {
		l.recent = took
	}
	l.recent += time.Duration(recentShare * float64(took-l.recent))
	if now.Sub(l.began) > leastAge {
		l.before, l.least, l.began = l.least, l.recent, now
	}
	l.least = min(l.least, l.recent)
}

func (l *latency) rising() bool {
	least := l.least
	if l.before > 0 {
		least = min(least, l.before)
	}
	return l.recent > slowFactor*least && l.recent > slowAtLeast
}
