package sqlite

import "os"

// syncPath makes a file durable. Windows has no such thing for folders.
func syncPath(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	}
	defer func() { _ = f.Close() }()
	return f.Sync()
}
