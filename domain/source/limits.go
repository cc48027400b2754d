package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
)

// Limits of how fast a source is read.
type Limits struct {
	Concurrency       int     // requests at once
	RequestsPerSecond float64 // 0: no limit
	BytesPerSecond    int64   // of files; 0: no limit
}

// Window is a part of the week that has limits of its own, such as working
// hours. What it leaves at 0 is as outside of it. Where two overlap, the one
// that stands first holds.
type Window struct {
	Days []string `json:"days"` // on which it begins: mon, tue, wed, thu, fri, sat, sun
	From string   `json:"from"` // HH:MM, in the source's time zone
	To   string   `json:"to"`   // HH:MM, 24:00 too; not after From: on the next day
	// Closed: no request is begun; what is under way is finished.
	Closed            bool    `json:"closed,omitempty"`
	Concurrency       int     `json:"concurrency,omitempty"`
	RequestsPerSecond float64 `json:"requestsPerSecond,omitempty"`
	BytesPerSecond    int64   `json:"bytesPerSecond,omitempty"`
}

// MaxConcurrency of any source.
const MaxConcurrency = 1000

// Bounds of limits. A rate of bytes below the least would keep a connection
// without a byte for longer than servers wait.
const (
	maxWindows        = 50
	maxRequests       = 100_000
	minBytesPerSecond = 1 << 10
	maxBytesPerSecond = 100_000_000_000
	minutesOfADay     = 24 * 60
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday

// LimitsAt are the limits in force at a moment, which is given in the source's
// time zone. Closed is when the window ends in which no request is begun, zero
// outside of one.
func (s Settings) LimitsAt(moment time.Time) (limits Limits, closed time.Time) {
	limits = Limits{Concurrency: s.Concurrency, RequestsPerSecond: s.RequestsPerSecond, BytesPerSecond: s.BytesPerSecond}
	for _, w := range s.Windows {
		ends, within := w.holds(moment)
		switch {
		case !within:
			continue
		case w.Closed:
			return limits, ends
		}
		return w.narrow(limits), time.Time{}
	}
	return limits, time.Time{}
}

// narrow takes the window's own limits.
func (w Window) narrow(l Limits) Limits {
	if w.Concurrency > 0 {
		l.Concurrency = w.Concurrency
	}
	if w.RequestsPerSecond > 0 {
		l.RequestsPerSecond = w.RequestsPerSecond
	}
	if w.BytesPerSecond > 0 {
		l.BytesPerSecond = w.BytesPerSecond
	}
	return l
}

// holds tells whether a moment is within the window, begun today or yesterday,
// and when it ends.
func (w Window) holds(moment time.Time) (ends time.Time, within bool) {
	from, to := minutes(w.From), minutes(w.To)
	if to <= from {
		to += minutesOfADay
	}
	for _, day := range []int{moment.Day(), moment.Day() - 1} {
		at := func(minute int) time.Time {
			return time.Date(moment.Year(), moment.Month(), day, 0, minute, 0, 0, moment.Location())
		}
		begins := at(from)
		if slices.Contains(w.Days, weekdays[begins.Weekday()]) && !moment.Before(begins) && moment.Before(at(to)) {
			return at(to), true
		}
	}
	return time.Time{}, false
}

var clockTime = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// minutes since midnight of a time that was validated.
func minutes(clock string) int {
	var hour, minute int
	_, _ = fmt.Sscanf(clock, "%d:%d", &hour, &minute)
	return 60*hour + minute
}

func (s Settings) validateLimits() error {
	if s.Concurrency < 1 {
		return domain.RefuseInvalid("concurrency", "out-of-range", "concurrency is 1 to %d requests at once, got %d", MaxConcurrency, s.Concurrency)
	}
	if err := validateLimits("", Limits{s.Concurrency, s.RequestsPerSecond, s.BytesPerSecond}); err != nil {
		return err
	}
	if len(s.Windows) > maxWindows {
		return domain.RefuseInvalid("windows", "out-of-range", "windows are %d at most, got %d", maxWindows, len(s.Windows))
	}
	for i, w := range s.Windows {
		if err := w.validate(fmt.Sprintf("windows[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func validateLimits(prefix string, l Limits) error {
	if l.Concurrency < 0 || l.Concurrency > MaxConcurrency {
		return domain.RefuseInvalid(prefix+"concurrency", "out-of-range", "concurrency is 1 to %d requests at once, got %d", MaxConcurrency, l.Concurrency)
	}
	if !(l.RequestsPerSecond >= 0 && l.RequestsPerSecond <= maxRequests) { // no number is neither
		return domain.RefuseInvalid(prefix+"requestsPerSecond", "out-of-range", "requestsPerSecond is 0 (no limit) to %d, got %g", maxRequests, l.RequestsPerSecond)
	}
	if b := l.BytesPerSecond; b != 0 && (b < minBytesPerSecond || b > maxBytesPerSecond) {
		return domain.RefuseInvalid(prefix+"bytesPerSecond", "out-of-range", "bytesPerSecond is 0 (no limit), or %d to %d, got %d", minBytesPerSecond, int64(maxBytesPerSecond), b)
	}
	return nil
}

func (w Window) validate(field string) error {
	invalid := func(member, format string, args ...any) error {
		return domain.RefuseInvalid(field+"."+member, "window-invalid", field+": "+format, args...)
	}
	if len(w.Days) == 0 || len(w.Days) > len(weekdays) {
		return invalid("days", "give 1 to %d days on which it begins", len(weekdays))
	}
	for _, day := range w.Days {
		if !slices.Contains(weekdays, day) {
			return invalid("days", "%q is not one of %s", domain.TruncateTo(day, 100), strings.Join(weekdays, ", "))
		}
	}
	if !clockTime.MatchString(w.From) {
		return invalid("from", "%q is not a time such as 08:30", domain.TruncateTo(w.From, 100))
	}
	if !clockTime.MatchString(w.To) && w.To != "24:00" {
		return invalid("to", "%q is not a time such as 18:00, or 24:00", domain.TruncateTo(w.To, 100))
	}
	if w.From == w.To {
		return invalid("to", "it ends when it begins; for a whole day give 00:00 to 24:00")
	}
	limits := Limits{w.Concurrency, w.RequestsPerSecond, w.BytesPerSecond}
	if w.Closed != (limits == Limits{}) {
		return invalid("closed", "give at least one limit that holds in it, or closed and no limit")
	}
	return validateLimits(field+".", limits)
}
