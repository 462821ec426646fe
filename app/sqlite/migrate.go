package sqlite

import (
	"context"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// applicationID marks our files (sqlite.org/pragma.html#pragma_application_id):
// "Tnty".
const applicationID = 0x546e7479

// schema is the list of migrations of one kind of file: the n-th makes version
// n out of version n-1. Versions are never edited once released.
type schema struct {
	kind       string
	migrations []string
}

// loadSchema reads schema/KIND_0001.sql and those that follow.
func loadSchema(kind string) (schema, error) {
	names, err := fs.Glob(schemaFiles, "schema/"+kind+"_*.sql")
	if err != nil || len(names) == 0 {
		return schema{}, fmt.Errorf("no schema for %q", kind)
	}
	sort.Strings(names)
	s := schema{kind: kind}
	for i, name := range names {
		if want := fmt.Sprintf("schema/%s_%04d.sql", kind, i+1); name != want {
			return schema{}, fmt.Errorf("schema %s is missing", want)
		}
		raw, err := schemaFiles.ReadFile(name)
		if err != nil {
			return schema{}, err
		}
		s.migrations = append(s.migrations, string(raw))
	}
	return s, nil
}

// NewerError says that a newer version of the program wrote the data.
type NewerError struct {
	File    string
	Wrote   string // the version that did
	Backup  string // made before it did; may be empty
	Version int    // of the schema
	Known   int    // the newest that this program knows
}

func (e *NewerError) Error() string {
	s := fmt.Sprintf("the data in %s was written by tenantry %s (schema %d; this version knows up to %d); run tenantry %s or newer",
		e.File, e.Wrote, e.Version, e.Known, e.Wrote)
	if e.Backup != "" {
		return s + ", or stop every server and restore the backup " + e.Backup + ", made before that version changed the data"
	}
	return s + "; there is no backup from before, since that version made the file"
}

const historyTable = `CREATE TABLE schema_history (
	version    INTEGER PRIMARY KEY,
	tenantry   TEXT NOT NULL,   -- the version of the program that made this one
	applied_at INTEGER NOT NULL,
	backup     TEXT NOT NULL    -- of the file as it was before, or empty
) STRICT;
-- What is written to find out whether a disk has room again.
CREATE TABLE storage_probe (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;`

// migrate brings the file to the newest version. What is there is backed up
// and the backup checked before anything changes.
func migrate(ctx context.Context, c *conn, d *database) error {
	id, err := pragma(ctx, c, "application_id")
	if err != nil {
		return err
	}
	version, err := pragma(ctx, c, "user_version")
	if err != nil {
		return err
	}
	objects := 0
	if err := c.raw.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return err
	}
	fresh := objects == 0 && version == 0
	switch {
	case id != applicationID && (!fresh || id != 0):
		return fmt.Errorf("%s is a database of some other program; move it away", d.path)
	case version > len(d.opts.schema.migrations):
		return newer(ctx, c, d, version)
	}
	if fresh {
		// These hold for a file only before its first table.
		if err := c.run(fmt.Sprintf("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d;", applicationID)); err != nil {
			return err
		}
	}
	// The writer alone sets it, before anybody else opens the file: connections
	// that do so at the same time refuse one another.
	var mode string
	if err := c.raw.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("%s does not take a write-ahead log (it stays with %q): the file system is not fit for a database", d.path, mode)
	}
	if version == len(d.opts.schema.migrations) {
		return nil
	}
	backup := ""
	if !fresh {
		if backup, err = backUp(ctx, c, d, version); err != nil {
			return fmt.Errorf("no migration without a backup: %w", err)
		}
		d.log.Info("a database file is migrated", "file", d.path, "from", version,
			"to", len(d.opts.schema.migrations), "backup", backup)
	}
	for n := version + 1; n <= len(d.opts.schema.migrations); n++ {
		from := n - 1
		if fresh {
			// All at once: a file that is new is made whole or not at all. One that
			// stayed behind half made would be backed up like any other.
			n = len(d.opts.schema.migrations)
		}
		if err := apply(c, d, from, n, backup); err != nil {
			return fmt.Errorf("migrate from schema %d to %d (the file stays at %d): %w", from, n, from, err)
		}
	}
	// Into the file itself, so that its first page tells every version of the
	// program what it is, also after a crash. The log is as good otherwise.
	_ = c.run("PRAGMA wal_checkpoint(TRUNCATE)")
	return nil
}

// apply brings a file from one version to another in a transaction.
func apply(c *conn, d *database, from, to int, backup string) error {
	if err := c.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := func() error {
		if from == 0 {
			if err := c.run(historyTable); err != nil {
				return err
			}
		}
		for n := from + 1; n <= to; n++ {
			if err := c.run(d.opts.schema.migrations[n-1]); err != nil {
				return err
			}
			if _, err := c.exec("INSERT INTO schema_history (version, tenantry, applied_at, backup) VALUES (?, ?, ?, ?)",
				n, d.opts.appVersion, d.opts.clock().UnixMilli(), backup); err != nil {
				return err
			}
		}
		return c.run(fmt.Sprintf("PRAGMA user_version = %d; COMMIT", to))
	}()
	if err != nil {
		_ = c.run("ROLLBACK")
	}
	return err
}

func newer(ctx context.Context, c *conn, d *database, version int) error {
	e := &NewerError{File: d.name, Version: version, Known: len(d.opts.schema.migrations), Wrote: "of a later date"}
	rows, err := c.raw.QueryContext(ctx, "SELECT version, tenantry, backup FROM schema_history ORDER BY version")
	if err != nil {
		return e // a later version may keep its history elsewhere
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var n int
		var wrote, backup string
		if rows.Scan(&n, &wrote, &backup) != nil {
			break
		}
		e.Wrote = wrote
		if n > e.Known && e.Backup == "" {
			e.Backup = backup
		}
	}
	_ = rows.Err() // what was read is what can be said
	return e
}

// headerVersion is the schema version on the first page of a file of ours that
// nobody has open (sqlite.org/fileformat.html#the_database_header), or 0. It is
// what can be known of many files without opening each.
func headerVersion(path string) int {
	f, err := os.Open(path) //nolint:gosec // a path inside the data folder
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	var header [100]byte
	if _, err := io.ReadFull(f, header[:]); err != nil || binary.BigEndian.Uint32(header[68:]) != applicationID {
		return 0
	}
	return int(binary.BigEndian.Uint32(header[60:]))
}

func pragma(ctx context.Context, c *conn, name string) (n int, err error) {
	err = c.raw.QueryRowContext(ctx, "PRAGMA "+name).Scan(&n)
	return n, err
}
