//go:build darwin || freebsd

package sqlite

import "golang.org/x/sys/unix"

// networkFilesystem names the network file system that the folder is on, or
// gives "".
func networkFilesystem(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil || s.Flags&unix.MNT_LOCAL != 0 {
		return ""
	}
	return unix.ByteSliceToString(s.Fstypename[:])
}
