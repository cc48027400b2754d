package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const barWidth = 24

// progress of a batch in one line, what matters most first: a narrow terminal
// cuts its end.
func progress(b batch, p *pace) string {
	d, l := b.Documents, b.Listings
	settled, total := d.Total-d.Pending, max(l.SourceTotal-l.Shortfall-l.Unlisted, d.Total)
	line := []string{fmt.Sprintf("%s %d/%d", bar(settled, total), settled, total)}
	listed := l.Completed+l.Failed >= l.Slices
	if rate := p.rate(); rate > 0 {
		line = append(line, fmt.Sprintf("%.0f/s", rate))
		if left := total - settled; listed && left > 0 {
			line = append(line, "about "+time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second).String()+" left")
		}
	}
	if b.Phase != "active" {
		line = append(line, b.Phase)
	}
	if !listed {
		line = append(line, fmt.Sprintf("listing %d/%d", l.Completed+l.Failed, l.Slices))
	}
	return strings.Join(line, ", ") + ": " + b.counts()
}

func bar(settled, total int64) string {
	filled, percent := int64(0), int64(0)
	if total > 0 {
		filled, percent = settled*barWidth/total, settled*100/total
	}
	return fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("#", int(filled)), strings.Repeat(".", int(barWidth-filled)), percent)
}

// counts by status and failure category.
func (b batch) counts() string {
	d := b.Documents
	counts := []string{fmt.Sprintf("%s, %d failed, %d pending", b.came(d.Migrated, d.Passed), d.Failed, d.Pending)}
	if d.Excepted > 0 {
		counts = append(counts, fmt.Sprintf("%d excepted", d.Excepted))
	}
	if d.Cancelled > 0 {
		counts = append(counts, fmt.Sprintf("%d cancelled", d.Cancelled))
	}
	var failures []string
	for _, category := range slices.Sorted(maps.Keys(b.Failures)) {
		failures = append(failures, fmt.Sprintf("%s %d", category, b.Failures[category]))
	}
	text := strings.Join(counts, ", ")
	if len(failures) > 0 {
		text += "; failed for " + strings.Join(failures, ", ")
	}
	return text
}

// paceOver is the time over which a rate is measured.
const paceOver = 30 * time.Second

// pace of what is settled, from the looks of the last while.
type pace struct{ looks []settledAt }

type settledAt struct {
	at      time.Time
	settled int64
}

// add a look. A retry takes settled documents back: what lies before it says
// nothing of the pace.
func (p *pace) add(at time.Time, settled int64) {
	if n := len(p.looks); n > 0 && settled < p.looks[n-1].settled {
		p.looks = nil
	}
	p.looks = append(p.looks, settledAt{at, settled})
	for len(p.looks) > 2 && at.Sub(p.looks[1].at) >= paceOver {
		p.looks = p.looks[1:]
	}
}

// rate a second; 0 when there is none to tell.
func (p *pace) rate() float64 {
	if len(p.looks) < 2 {
		return 0
	}
	first, last := p.looks[0], p.looks[len(p.looks)-1]
	return float64(last.settled-first.settled) / last.at.Sub(first.at).Seconds()
}
