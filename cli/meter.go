package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

const (
	// plainEvery is between two lines where there is no terminal to redraw.
	plainEvery = 5 * time.Second
	// redraw goes back to the start of a terminal's line and empties it.
	redraw = "\r\x1b[K"
)

// meter shows how far something is: one line that is drawn again on a
// terminal, lines under each other elsewhere.
type meter struct {
	out      io.Writer
	terminal *os.File // nil: out is none
	shown    string
	at       time.Time
}

func newMeter(out io.Writer) *meter { return &meter{out: out, terminal: terminalOf(out)} }

// terminalOf a stream; nil when it is none.
func terminalOf(out io.Writer) *os.File {
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

// line shows a text in place of the one before.
func (m *meter) line(text string, now time.Time) {
	text = printable(text)
	if m.terminal != nil {
		if width, _, err := term.GetSize(int(m.terminal.Fd())); err == nil && width > 1 {
			text = runewidth.Truncate(text, width-1, "") // a line that wraps cannot be drawn again
		}
		fmt.Fprint(m.out, redraw+text)
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
