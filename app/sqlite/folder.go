package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"
	"modernc.org/sqlite"

	"tenantry/app"
)

// Names inside the data folder.
const (
	lockName   = "tenantry.lock"
	backupsDir = "backups"
)

// FolderOptions are what an operator may insist on.
type FolderOptions struct {
	// AllowNetworkFilesystem takes a folder whose locks cannot be trusted.
	AllowNetworkFilesystem bool
}

// Folder is a data folder that this process alone holds.
type Folder struct {
	path string
	lock *flock.Flock
}

// HeldError says that another process holds the folder. It is an ErrConflict.
type HeldError struct {
	Dir string
	// Holder is what the other wrote about itself, such as "process 4711 on
	// host-a"; it may be empty.
	Holder string
}

func (e *HeldError) Error() string {
	who := "another process"
	if e.Holder != "" {
		who = e.Holder
	}
	return fmt.Sprintf("the data folder %s is held by %s", e.Dir, who)
}

// Is makes errors.Is see ErrConflict.
func (e *HeldError) Is(target error) bool { return target == app.ErrConflict }

// ofdLocking switches SQLite's locks once, before the first file is opened:
// POSIX locks vanish when any descriptor of the same file is closed in the
// process. Where the system has no OFD locks the lock of the folder, which is
// ours alone, is what keeps others out.
var ofdLocking = sync.OnceValue(func() error {
	_, err := sqlite.OFDLocking(true)
	if errors.Is(err, sqlite.ErrOFDLockingUnavailable) {
		return nil
	}
	return err
})

// OpenFolder makes the folder where there is none, checks that databases can
// live there, and takes it for this process until Close. The error is a
// *HeldError when another process has it.
func OpenFolder(dir string, opts FolderOptions) (*Folder, error) {
	if err := ofdLocking(); err != nil {
		return nil, fmt.Errorf("switch to locks of open file descriptions: %w", err)
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, notWritable(path, err)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("the data folder %s is not a folder", path)
	}
	if err := refuseNetwork(path, networkFilesystem(path), opts); err != nil {
		return nil, err
	}
	// Also before the lock: on a read-only file system the lock can be taken.
	probe, err := os.CreateTemp(path, ".writable-*")
	if err != nil {
		return nil, notWritable(path, err)
	}
	_ = probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return nil, notWritable(path, err)
	}
	lock := flock.New(filepath.Join(path, lockName), flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	got, err := lock.TryLock()
	if err != nil {
		return nil, notWritable(path, err)
	}
	if !got {
		return nil, &HeldError{Dir: path, Holder: holder(path)}
	}
	host, _ := os.Hostname()
	// Only for the other's message: failing to say who we are is no reason to stop.
	_ = os.WriteFile(lock.Path(), fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), host), 0o600)
	return &Folder{path: path, lock: lock}, nil
}

func refuseNetwork(path, kind string, opts FolderOptions) error {
	if kind == "" || opts.AllowNetworkFilesystem {
		return nil
	}
	return fmt.Errorf("the data folder %s is on a network file system (%s), where locks cannot be trusted "+
		"and two servers could destroy each other's data; choose a local disk with --data-dir, or insist with allow_network_filesystem = true", path, kind)
}

func holder(dir string) string {
	raw, err := os.ReadFile(filepath.Join(dir, lockName)) //nolint:gosec // our own lock file
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// Path is the folder's absolute path.
func (f *Folder) Path() string { return f.path }

// Close gives the folder back. The lock file stays: removing it would let two
// processes lock two files of one name.
func (f *Folder) Close() error { return f.lock.Unlock() }
