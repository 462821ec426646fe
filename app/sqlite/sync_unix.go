//go:build !windows

package sqlite

import "os"

// syncPath makes a file or a folder durable.
func syncPath(path string) error {
	f, err := os.Open(path) //nolint:gosec // a path inside the data folder
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return f.Sync()
}
