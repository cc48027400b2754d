package content

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime that the calling thread has had.
func cpuTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return math.MaxInt64
	}
	return time.Duration(t.Nano())
}
