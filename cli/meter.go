package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

const (
	// plainEvery is between two lines where there is no terminal to redraw.
	plainEvery = 5 * time.Second
	barWidth   = 24
)

// meter shows how far a batch is: one line that is drawn again on a terminal,
// lines under each other elsewhere.
type meter struct {
	out      io.Writer
	terminal *os.File // nil: out is none
	pace     pace
	shown    string
	at       time.Time
}

func newMeter(out io.Writer) *meter {
	m := &meter{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		m.terminal = file
	}
	return m
}

func (m *meter) show(b batch, now time.Time) {
	m.pace.add(now, b.Documents.Total-b.Documents.Pending)
	m.line(progress(b, &m.pace), now)
}

// line shows a text in place of the one before.
func (m *meter) line(text string, now time.Time) {
	text = printable(text)
	if m.terminal != nil {
		if width, _, err := term.GetSize(int(m.terminal.Fd())); err == nil && width > 1 {
			text = runewidth.Truncate(text, width-1, "") // a line that wraps cannot be drawn again
		}
		fmt.Fprintf(m.out, "\r\x1b[K%s", text)
		m.shown = text
		return
	}
	if text != m.shown && now.Sub(m.at) >= plainEvery {
		fmt.Fprintln(m.out, text)
		m.shown, m.at = text, now
	}
}

// end leaves the last line where it is.
func (m *meter) end() {
	if m.terminal != nil && m.shown != "" {
		fmt.Fprintln(m.out)
		m.shown = ""
	}
}

// progress of a batch in one line.
func progress(b batch, p *pace) string {
	d, l := b.Documents, b.Listings
	settled, total := d.Total-d.Pending, max(l.SourceTotal-l.Shortfall, d.Total)
	text := &strings.Builder{}
	filled, percent := int64(0), int64(0)
	if total > 0 {
		filled, percent = settled*barWidth/total, settled*100/total
	}
	fmt.Fprintf(text, "[%s%s] %3d%% %d/%d: %d migrated, %d failed, %d pending",
		strings.Repeat("#", int(filled)), strings.Repeat(".", int(barWidth-filled)), percent, settled, total, d.Migrated, d.Failed, d.Pending)
	for _, more := range []struct {
		n    int64
		name string
	}{{d.Excepted, "excepted"}, {d.Cancelled, "cancelled"}} {
		if more.n > 0 {
			fmt.Fprintf(text, ", %d %s", more.n, more.name)
		}
	}
	listed := l.Completed+l.Failed >= l.Slices
	if !listed {
		fmt.Fprintf(text, "; listing %d/%d", l.Completed+l.Failed, l.Slices)
	}
	if b.Phase != "active" {
		text.WriteString("; " + b.Phase)
	}
	if rate := p.rate(); rate > 0 {
		fmt.Fprintf(text, "; %.0f/s", rate)
		if left := total - settled; listed && left > 0 {
			fmt.Fprintf(text, ", about %s left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
		}
	}
	for i, category := range slices.Sorted(maps.Keys(b.Failures)) {
		fmt.Fprintf(text, "%s%s %d", map[bool]string{true: "; failed for ", false: ", "}[i == 0], category, b.Failures[category])
	}
	return text.String()
}

// paceOver is the time over which a rate is measured.
const paceOver = 30 * time.Second

// pace of what was settled, from the looks of the last while.
type pace struct{ looks []look }

type look struct {
	at      time.Time
	settled int64
}

func (p *pace) add(at time.Time, settled int64) {
	p.looks = append(p.looks, look{at, settled})
	for len(p.looks) > 2 && at.Sub(p.looks[1].at) >= paceOver {
		p.looks = p.looks[1:]
	}
}

// rate a second; 0 when there is none to tell. A retry takes settled documents
// back: what lies before it says nothing of the pace.
func (p *pace) rate() float64 {
	first, last := look{}, look{}
	for i, l := range p.looks {
		if i == 0 || l.settled < last.settled {
			first = l
		}
		last = l
	}
	took := last.at.Sub(first.at).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(last.settled-first.settled) / took
}
