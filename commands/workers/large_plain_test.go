//go:build !race

package workers_test

// A file of 2 GiB of zeros.
const (
	largeSize = 2 << 30
	largeMD5  = "a981130cf2b7e09f4686dc273cf7187e"
)
