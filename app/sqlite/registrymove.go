package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"tenantry/app"
)

var _ app.MovableRegistry = (*Registry)(nil)

// OpenMovableRegistry opens a registry to move it, in whichever state it is. It
// is for this process alone: who holds the folder keeps servers out.
func OpenMovableRegistry(ctx context.Context, folder *Folder, path string, opts RegistryOptions) (*Registry, error) {
	s, err := loadSchema("registry")
	if err != nil {
		return nil, err
	}
	return openRegistry(ctx, folder, path, s, opts)
}

// LookAtRegistry opens a registry to read what would be moved: beside the server
// that has it, and changing nothing. The error is an fs.ErrNotExist where there
// is none.
func LookAtRegistry(ctx context.Context, path string) (*Registry, error) {
	if err := ofdLocking(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	s, err := loadSchema("registry")
	if err != nil {
		return nil, err
	}
	opts := databaseOptions{schema: s, readers: 1, cacheKiB: defaultCacheKiB, statements: defaultStatements}
	d := &database{path: path, name: shownPath(path), opts: opts, log: slog.New(slog.DiscardHandler)}
	if d.reads, err = openReaders(path, opts); err != nil {
		return nil, err
	}
	d.closing = sync.OnceValue(func() error { d.reads.close(); return nil })
	if err := d.read(ctx, func(c *conn) error { return readable(ctx, c, d) }); err != nil {
		d.reads.close()
		return nil, err
	}
	return &Registry{d: d}, nil
}

// readable refuses a file that is not of the schema that this program reads.
func readable(ctx context.Context, c *conn, d *database) error {
	id, err := pragma(ctx, c, "application_id")
	if err != nil {
		return err
	}
	version, err := pragma(ctx, c, "user_version")
	known := len(d.opts.schema.migrations)
	switch {
	case err != nil:
		return err
	case id != applicationID:
		return fmt.Errorf("%s is a database of some other program", d.path)
	case version > known:
		return newer(ctx, c, d, version)
	case version < known:
		return fmt.Errorf("the data in %s is of an older version (schema %d; this version reads %d), and is not changed by looking at it; "+
			"a server of this version, or any other command, brings it up to date", d.path, version, known)
	}
	return nil
}

// refuseClosed refuses a registry that no server may work on.
func (r *Registry) refuseClosed(ctx context.Context) error {
	m, err := r.Mark(ctx)
	if err != nil {
		return err
	}
	return m.Closed()
}

// Mark is as app.MovableRegistry says.
func (r *Registry) Mark(ctx context.Context) (app.RegistryMark, error) {
	m := app.RegistryMark{State: app.RegistryOpen}
	err := r.d.read(ctx, func(c *conn) error {
		err := c.queryRow(`SELECT state, migration, peer, at FROM migration`).Scan(&m.State, &m.Migration, &m.Peer, at{&m.At})
		if notFound(err) {
			return nil
		}
		return err
	})
	return m, err
}

// SetMark is as app.MovableRegistry says. The folder, which one process holds,
// is what keeps servers out meanwhile.
func (r *Registry) SetMark(ctx context.Context, m app.RegistryMark) error {
	return r.d.write(ctx, func(c *conn) error {
		_, err := c.exec(`INSERT OR REPLACE INTO migration (id, state, migration, peer, at) VALUES (1, ?, ?, ?, ?)`,
			m.State, m.Migration, m.Peer, m.At.UnixMilli())
		return err
	})
}

// Clear is as app.MovableRegistry says.
func (r *Registry) Clear(ctx context.Context) error {
	return r.d.write(ctx, func(c *conn) error {
		for _, noun := range app.RegistryNouns() {
			if _, err := c.exec(`DELETE FROM ` + entryTables[noun].name); err != nil {
				return err
			}
		}
		return nil
	})
}

// ExportEntries is as app.MovableRegistry says.
func (r *Registry) ExportEntries(ctx context.Context, noun app.RegistryNoun, after string, limit int) (app.RegistryPage, error) {
	t, known := entryTables[noun]
	if !known {
		return app.RegistryPage{}, fmt.Errorf("entries of %q: %w", noun, app.ErrInvalid)
	}
	page := app.RegistryPage{After: after}
	err := r.d.read(ctx, func(c *conn) error {
		return c.query(func(row scanner) error {
			e, err := t.read(row)
			page.Entries = append(page.Entries, e)
			return err
		}, `SELECT `+t.columns+` FROM `+t.name+` WHERE `+t.after+` ORDER BY `+t.order+` LIMIT ?`, append(t.bound(after), limit)...)
	})
	if len(page.Entries) == limit {
		page.Through = page.Entries[limit-1].Key
	}
	return page, err
}

// ImportEntries is as app.MovableRegistry says.
func (r *Registry) ImportEntries(ctx context.Context, noun app.RegistryNoun, page app.RegistryPage) error {
	t, known := entryTables[noun]
	if !known {
		return fmt.Errorf("entries of %q: %w", noun, app.ErrInvalid)
	}
	return r.d.write(ctx, func(c *conn) error {
		clear, args := `DELETE FROM `+t.name+` WHERE `+t.after, t.bound(page.After)
		if !page.Last() {
			clear, args = clear+` AND `+t.through, append(args, t.bound(page.Through)...)
		}
		if _, err := c.exec(clear, args...); err != nil {
			return err
		}
		for _, e := range page.Entries {
			if err := t.write(c, e); err != nil {
				return fmt.Errorf("%s, entry %q: %w", noun, e.Key, err)
			}
		}
		return nil
	})
}
