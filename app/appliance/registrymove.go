package appliance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"tenantry/app"
	"tenantry/app/config"
	"tenantry/app/mongodb"
	"tenantry/app/registrymove"
	"tenantry/app/seal"
	"tenantry/app/sqlite"
)

// RegistryMove has the registry of a configuration open, and maybe the place
// where it is to be.
type RegistryMove struct {
	Source, Target registrymove.Registry

	folders *folders // nil when it only looks
	version string
	log     *slog.Logger
}

// LookAtRegistries opens both to see what would be moved. Nothing is written, and
// servers may be running.
func LookAtRegistries(ctx context.Context, from, to config.Config, version string, log *slog.Logger) (*RegistryMove, error) {
	return openRegistryMove(ctx, &RegistryMove{version: version, log: log}, from, &to)
}

// OpenRegistryMove holds the data folder for this process alone, and opens both.
// The error is a *HeldError when another process has a folder, and an
// *AwayError when a MongoDB server cannot be used. With no place to move to, the
// registry alone is opened.
func OpenRegistryMove(ctx context.Context, from config.Config, to *config.Config, version string, log *slog.Logger) (_ *RegistryMove, err error) {
	m := &RegistryMove{version: version, log: log}
	if m.folders, err = openFolders(from); err != nil {
		return nil, err
	}
	return openRegistryMove(ctx, m, from, to)
}

func openRegistryMove(ctx context.Context, m *RegistryMove, from config.Config, to *config.Config) (_ *RegistryMove, err error) {
	if m.Source, err = m.open(ctx, from); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	if to == nil {
		return m, nil
	}
	if m.Target, err = m.open(ctx, *to); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// open opens the registry of a configuration, in whichever state it is.
func (m *RegistryMove) open(ctx context.Context, cfg config.Config) (r registrymove.Registry, err error) {
	var abs string
	if abs, err = filepath.Abs(cfg.DataDir); err != nil {
		return r, err
	}
	cfg.DataDir = abs
	r.Place = cfg.RegistryAt()
	if config.IsMongoDB(cfg.Registry.URL) {
		opened, err := mongodb.OpenMovableRegistry(ctx, mongodb.Options{URL: cfg.Registry.URL, Name: "registry at " + r.Place,
			AppVersion: m.version, Logger: m.log, Lease: cfg.PlacementLease}, m.folders == nil)
		if err != nil {
			return r, err // a nil *mongodb.Registry would be no nil interface
		}
		r.MovableRegistry = opened
		return r, nil
	}
	path := cfg.Path(cfg.Registry.URL)
	opened, err := m.openFile(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		r.MovableRegistry = registrymove.Nowhere{There: func() (app.Room, error) { return sqlite.RoomAt(filepath.Dir(path)) }}
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("registry at %s: %w", r.Place, err)
	}
	r.MovableRegistry = opened
	return r, nil
}

func (m *RegistryMove) openFile(ctx context.Context, path string) (*sqlite.Registry, error) {
	if m.folders == nil {
		return sqlite.LookAtRegistry(ctx, path)
	}
	if _, err := m.folders.take(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return sqlite.OpenMovableRegistry(ctx, m.folders.data(), path, sqlite.RegistryOptions{AppVersion: m.version, Logger: m.log})
}

// Close closes what is open and gives the folders back.
func (m *RegistryMove) Close() error {
	var errs []error
	for _, r := range []registrymove.Registry{m.Source, m.Target} {
		if r.MovableRegistry != nil {
			errs = append(errs, r.Close())
		}
	}
	if m.folders != nil {
		errs = append(errs, m.folders.close())
	}
	return errors.Join(errs...)
}

// FolderClusters are the clusters that are folders, and so on one machine alone:
// those of the configuration, and those that were added, as far as the seal key
// opens what the registry has of them.
func (m *RegistryMove) FolderClusters(ctx context.Context, cfg config.Config) (names []string, err error) {
	for _, name := range cfg.ClusterNames() {
		if !config.IsMongoDB(cfg.Clusters[name].URL) {
			names = append(names, name)
		}
	}
	page, err := m.Source.ExportEntries(ctx, app.NounAddedClusters, "", mayBeAdded)
	if err != nil || len(page.Entries) == 0 {
		return names, err
	}
	key, err := seal.Load(cfg.DataDir, cfg.SealKey)
	if err != nil {
		return names, err
	}
	for _, e := range page.Entries {
		k, err := app.EntryValue[app.AddedCluster](e)
		if err != nil {
			return names, err
		}
		if url, err := key.Open(k.Sealed, sealedFor(k.Name)); err == nil && !config.IsMongoDB(string(url)) {
			names = append(names, k.Name)
		}
	}
	return names, nil
}

// mayBeAdded is far more clusters than anybody adds.
const mayBeAdded = 10_000
