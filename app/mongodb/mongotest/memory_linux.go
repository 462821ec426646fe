package mongotest

import "golang.org/x/sys/unix"

const (
	memory = "/dev/shm"
	// memoryNeeded is what must be free there, in bytes: the servers of several
	// packages run side by side, and each has files of some hundred megabytes.
	memoryNeeded = 4 << 30
)

// inMemory gives a folder in memory, or "" where there is none with room. The
// files of a process that is killed are as good there as on a disk, and no
// write waits for one: with the system up, that is all a test can tell.
func inMemory() string {
	var fs unix.Statfs_t
	if err := unix.Statfs(memory, &fs); err != nil || fs.Type != unix.TMPFS_MAGIC || unix.Access(memory, unix.W_OK) != nil ||
		fs.Bavail*uint64(fs.Bsize) < memoryNeeded {
		return ""
	}
	return memory
}
