//go:build !linux && !darwin && !freebsd && !windows

package sqlite

// networkFilesystem cannot tell here; the documentation says that the folder
// must be on a local disk.
func networkFilesystem(string) string { return "" }
