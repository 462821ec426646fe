package appliance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"tenantry/app/config"
	"tenantry/app/sqlite"
)

// folders are those that this process holds: the data folder, and every other
// one that it keeps databases in. Two servers may have data folders of their
// own and name one place for the rest.
type folders struct {
	opts sqlite.FolderOptions

	mu   sync.Mutex
	held []*sqlite.Folder // the data folder first
}

// openFolders holds the data folder and the registry's.
func openFolders(cfg config.Config) (*folders, error) {
	f := &folders{opts: sqlite.FolderOptions{AllowNetworkFilesystem: cfg.AllowNetworkFilesystem}}
	folder, err := sqlite.OpenFolder(cfg.DataDir, f.opts)
	if err != nil {
		return nil, err
	}
	f.held = append(f.held, folder)
	cfg.DataDir = folder.Path()
	if config.IsMongoDB(cfg.Registry.URL) {
		return f, nil
	}
	if _, err := f.take(filepath.Dir(cfg.Path(cfg.Registry.URL))); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// data is the data folder.
func (f *folders) data() *sqlite.Folder { return f.held[0] }

// take holds a folder, which it makes where there is none. It gives nil where it
// is in the data folder, or held already.
func (f *folders) take(dir string) (*sqlite.Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder %s: %w", dir, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	held, err := f.holds(dir)
	if held || err != nil {
		return nil, err
	}
	folder, err := sqlite.OpenFolder(dir, f.opts)
	if err != nil {
		return nil, err
	}
	f.held = append(f.held, folder)
	return folder, nil
}

// takeIfThere is take for what is only to be looked at.
func (f *folders) takeIfThere(dir string) (*sqlite.Folder, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f.take(dir)
}

// give gives a folder back that was taken; nil is none.
func (f *folders) give(folder *sqlite.Folder) error {
	if folder == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, held := range f.held {
		if held == folder {
			f.held = slices.Delete(f.held, i, i+1)
			break
		}
	}
	return folder.Close()
}

// close gives all of them back.
func (f *folders) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, folder := range f.held {
		errs = append(errs, folder.Close())
	}
	f.held = nil
	return errors.Join(errs...)
}

// holds reports whether a folder is in the data folder, or held already. What
// counts is where it is, not by which links one comes there.
func (f *folders) holds(dir string) (bool, error) {
	leads, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false, fmt.Errorf("the folder %s: %w", dir, err)
	}
	for i, folder := range f.held {
		held, err := filepath.EvalSymlinks(folder.Path())
		if err != nil {
			return false, fmt.Errorf("the folder %s: %w", folder.Path(), err)
		}
		const separator = string(filepath.Separator)
		inside := i == 0 && strings.HasPrefix(leads, strings.TrimSuffix(held, separator)+separator)
		if leads == held || inside {
			return true, nil
		}
	}
	return false, nil
}
