package source_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
)

var workdays = []string{"mon", "tue", "wed", "thu", "fri"}

func TestLimitsInForce(t *testing.T) {
	t.Parallel()
	s := with(func(s *source.Settings) {
		s.Concurrency, s.RequestsPerSecond, s.BytesPerSecond = 64, 0, 10_000_000
		s.Windows = []source.Window{
			{Days: workdays, From: "12:00", To: "12:30", Closed: true}, // first, so it holds within the next
			{Days: workdays, From: "08:30", To: "18:00", Concurrency: 4, RequestsPerSecond: 2.5},
			{Days: []string{"sat"}, From: "22:00", To: "03:00", Closed: true},
			{Days: []string{"sun"}, From: "00:00", To: "24:00", BytesPerSecond: 5000},
		}
	})
	zone := time.FixedZone("Asia/Shanghai", 8*60*60)
	at := func(day, hour, minute int) time.Time { // 2025-12-01 is a Monday
		return time.Date(2025, 12, day, hour, minute, 0, 0, zone)
	}
	free := source.Limits{Concurrency: 64, BytesPerSecond: 10_000_000}
	work := source.Limits{Concurrency: 4, RequestsPerSecond: 2.5, BytesPerSecond: 10_000_000}
	for _, c := range []struct {
		moment time.Time
		limits source.Limits
		closed time.Time
	}{
		{at(1, 8, 29), free, time.Time{}},
		{at(1, 8, 30), work, time.Time{}},
		{at(1, 11, 59), work, time.Time{}},
		{at(1, 12, 0), free, at(1, 12, 30)},
		{at(1, 12, 30), work, time.Time{}},
		{at(1, 17, 59).Add(59 * time.Second), work, time.Time{}},
		{at(1, 18, 0), free, time.Time{}},
		{at(6, 9, 0), free, time.Time{}},  // a Saturday
		{at(6, 22, 0), free, at(7, 3, 0)}, // over midnight
		{at(7, 2, 59), free, at(7, 3, 0)}, // which comes before Sunday's own
		{at(7, 3, 0), source.Limits{Concurrency: 64, BytesPerSecond: 5000}, time.Time{}},
		{at(8, 0, 0), free, time.Time{}},
		{time.Date(2025, 12, 1, 1, 0, 0, 0, time.UTC).In(zone), work, time.Time{}},
	} {
		limits, closed := s.LimitsAt(c.moment)
		require.Equal(t, c.limits, limits, c.moment)
		require.True(t, c.closed.Equal(closed), "%s: %s", c.moment, closed)
	}
}

// A night of a change of clocks is shorter or longer, and a window in it begins
// and ends by the clock on the wall.
func TestWindowOverAChangeOfClocks(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	s := with(func(s *source.Settings) {
		s.Windows = []source.Window{{Days: []string{"sat"}, From: "22:00", To: "06:00", Closed: true}}
	})
	begins := time.Date(2025, 3, 29, 22, 0, 0, 0, zone) // clocks go forward at 2
	_, closed := s.LimitsAt(begins)
	require.Equal(t, 7*time.Hour, closed.Sub(begins))
	_, closed = s.LimitsAt(begins.Add(7 * time.Hour))
	require.True(t, closed.IsZero())
}

func TestLimitsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	window := func(change func(*source.Window)) func(*source.Settings) {
		return func(s *source.Settings) {
			w := source.Window{Days: []string{"mon"}, From: "08:00", To: "18:00", Concurrency: 2}
			change(&w)
			s.Windows = []source.Window{w}
		}
	}
	for _, c := range []struct {
		code   string
		change func(*source.Settings)
	}{
		{"out-of-range", func(s *source.Settings) { s.BytesPerSecond = -1 }},
		{"out-of-range", func(s *source.Settings) { s.BytesPerSecond = 1023 }},
		{"out-of-range", func(s *source.Settings) { s.Concurrency = -1 }},
		{"out-of-range", func(s *source.Settings) { s.Windows = make([]source.Window, 51) }},
		{"out-of-range", window(func(w *source.Window) { w.Concurrency = 1001 })},
		{"out-of-range", window(func(w *source.Window) { w.RequestsPerSecond = -1 })},
		{"out-of-range", window(func(w *source.Window) { w.BytesPerSecond = 1 })},
		{"window-invalid", window(func(w *source.Window) { w.Days = nil })},
		{"window-invalid", window(func(w *source.Window) { w.Days = []string{"Monday"} })},
		{"window-invalid", window(func(w *source.Window) { w.From = "8:00" })},
		{"window-invalid", window(func(w *source.Window) { w.From = "24:00" })},
		{"window-invalid", window(func(w *source.Window) { w.To = "25:00" })},
		{"window-invalid", window(func(w *source.Window) { w.To = w.From })},
		{"window-invalid", window(func(w *source.Window) { w.Concurrency = 0 })},
		{"window-invalid", window(func(w *source.Window) { w.Closed = true })},
	} {
		sources.Given(t).When(source.Register{ID: "erp", Settings: with(c.change)}).ThenRefused(domain.Invalid, c.code)
	}
}

func TestReconfigureLimits(t *testing.T) {
	t.Parallel()
	registered := sources.After(t, source.Register{ID: "erp", Settings: given})
	changed := complete
	changed.BytesPerSecond = 1 << 20
	changed.Windows = []source.Window{{Days: workdays, From: "08:30", To: "18:00", Concurrency: 2}}
	registered.When(source.Reconfigure{Settings: with(func(s *source.Settings) { s.BytesPerSecond, s.Windows = changed.BytesPerSecond, changed.Windows })}).
		Then(source.Reconfigured{Settings: changed})
	registered.When(source.Reconfigure{Settings: with(func(s *source.Settings) { s.Windows = []source.Window{} })}).ThenNothing()
}
