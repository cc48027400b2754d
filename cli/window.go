package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// window is a part of the week with limits of its own, as the API has it.
type window struct {
	Days              []string `json:"days"`
	From              string   `json:"from"`
	To                string   `json:"to"`
	Closed            bool     `json:"closed,omitempty"`
	Concurrency       int64    `json:"concurrency,omitempty"`
	RequestsPerSecond float64  `json:"requestsPerSecond,omitempty"`
	BytesPerSecond    int64    `json:"bytesPerSecond,omitempty"`
}

const windowFlag = "window"

// String is the window as the flag takes it, for people: what it reads is shown
// the same way.
func (w window) String() string {
	parts := []string{"days=" + strings.Join(w.Days, "+"), "from=" + w.From, "to=" + w.To}
	if w.Closed {
		parts = append(parts, "closed")
	}
	if w.Concurrency > 0 {
		parts = append(parts, "concurrency="+strconv.FormatInt(w.Concurrency, 10))
	}
	if w.RequestsPerSecond > 0 {
		parts = append(parts, "requests-per-second="+strconv.FormatFloat(w.RequestsPerSecond, 'g', -1, 64))
	}
	if w.BytesPerSecond > 0 {
		parts = append(parts, "bytes-per-second="+strconv.FormatInt(w.BytesPerSecond, 10))
	}
	return strings.Join(parts, ",")
}

func readWindows(texts []string) ([]window, error) {
	windows := []window{}
	for _, text := range texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		w, err := readWindow(text)
		if err != nil {
			return nil, usage("--%s %s: %w", windowFlag, text, err)
		}
		windows = append(windows, w)
	}
	return windows, nil
}

func readWindow(text string) (w window, err error) {
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "days":
			w.Days, err = readDays(value)
		case "from":
			w.From = value
		case "to":
			w.To = value
		case "closed":
			w.Closed = true
		case "concurrency":
			w.Concurrency, err = strconv.ParseInt(value, 10, 64)
		case "requests-per-second":
			w.RequestsPerSecond, err = strconv.ParseFloat(value, 64)
		case "bytes-per-second":
			w.BytesPerSecond, err = strconv.ParseInt(value, 10, 64)
		default:
			err = fmt.Errorf("%q is not one of days, from, to, closed, concurrency, requests-per-second, bytes-per-second", name)
		}
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// readDays reads mon+wed, and mon..fri for all from one to the other.
func readDays(text string) ([]string, error) {
	var all []string
	for part := range strings.SplitSeq(text, "+") {
		first, last, isRange := strings.Cut(part, "..")
		if !isRange {
			last = first
		}
		from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if from < 0 || to < from {
			return nil, fmt.Errorf("%q is neither a day, such as mon, nor days in their order, such as mon..fri", part)
		}
		all = append(all, weekdays[from:to+1]...)
	}
	return all, nil
}
