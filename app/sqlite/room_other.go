//go:build !linux && !darwin && !freebsd && !windows

package sqlite

import "errors"

// freeSpace cannot tell here.
func freeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }
