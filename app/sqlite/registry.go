package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"tenantry/app"
)

// RegistryOptions are how the registry's file is kept.
type RegistryOptions struct {
	// AppVersion is recorded with the schema, for who cannot read it any more.
	AppVersion string
	Logger     *slog.Logger
}

// Registry is the registry in one SQLite file. It implements app.Registry.
type Registry struct {
	d *database
	subscribers
}

var _ app.Registry = (*Registry)(nil)

// OpenRegistry opens the registry at path, which is relative to the folder,
// makes it where there is none, and brings it up to date. The error is a
// *NewerError when a newer version of the program wrote it, and a
// *app.ClosedRegistryError when it is not the registry any more, or not yet.
func OpenRegistry(ctx context.Context, folder *Folder, path string, opts RegistryOptions) (*Registry, error) {
	s, err := loadSchema("registry")
	if err != nil {
		return nil, err
	}
	r, err := openRegistry(ctx, folder, path, s, opts)
	if err != nil {
		return nil, err
	}
	if err := r.refuseClosed(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func openRegistry(ctx context.Context, folder *Folder, path string, s schema, opts RegistryOptions) (*Registry, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder.Path(), path)
	}
	d, err := openDatabase(ctx, path, databaseOptions{
		schema: s, backups: filepath.Join(folder.Path(), backupsDir),
		appVersion: opts.AppVersion, logger: opts.Logger, fullCheck: true,
	})
	if err != nil {
		return nil, err
	}
	return &Registry{d: d}, nil
}

// Health says what is wrong with the registry's file, or nil.
func (r *Registry) Health(ctx context.Context) error { return r.d.health(ctx) }

// Load says how much the registry's writer has before it.
func (r *Registry) Load() Load { return r.d.load() }

// Close writes what waits and closes the file.
func (r *Registry) Close() error { return r.d.close() }

// change writes, and tells the subscribers when it is durable.
func (r *Registry) change(ctx context.Context, f func(*conn) error, changed ...app.Invalidation) error {
	if err := r.d.write(ctx, f); err != nil {
		return err
	}
	r.publish(changed...)
	return nil
}

// millis writes a time, zero as NULL.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// instant reads one.
func instant(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms).UTC()
}

// at reads one that is never NULL.
type at struct{ t *time.Time }

// Scan takes milliseconds.
func (a at) Scan(v any) error {
	ms, _ := v.(int64) // the column is STRICT and NOT NULL
	*a.t = time.UnixMilli(ms).UTC()
	return nil
}
