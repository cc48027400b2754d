//go:build !linux

package content

import (
	"math"
	"time"
)

// cpuTime of a thread is not asked for here: time on the clock decides alone.
func cpuTime() time.Duration { return math.MaxInt64 }
