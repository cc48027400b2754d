//go:build race

package workers_test

// The race detector makes digests so slow that a file of 2 GiB would take
// minutes: 256 MiB are still four times what the heap may grow by.
const (
	largeSize = 256 << 20
	largeMD5  = "1f5039e50bd66b290c56684d8550c6c2"
)
