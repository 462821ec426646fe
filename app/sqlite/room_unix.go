//go:build linux || darwin || freebsd

package sqlite

import (
	"math"

	"golang.org/x/sys/unix"
)

// freeSpace is what this user may still write on the file system of a folder,
// in bytes.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	// Where superusers have blocks kept back, what is available can be below zero.
	blocks, size := max(0, float64(int64(s.Bavail))), float64(s.Bsize) // unsigned on Linux
	return int64(min(blocks*size, math.MaxInt64/2)), nil
}
