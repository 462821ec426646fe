package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"

	"tenantry/app"
)

// indexAfter is how many documents a table has, about, when it gets its index
// by type. Below that the order of ids is read through, which is as quick, and
// most organizations are spared an index that every connection to the file
// would have to know.
const indexAfter = 256

// InsertDocument stores a document as it is given. See app.Documents.
func (c *Cluster) InsertDocument(ctx context.Context, ns app.Namespace, d app.Document) error {
	return c.use(ctx, ns, existing, func(s *shard) error {
		var known knownTable
		indexed := false
		err := s.write(ctx, func(c *conn) (err error) {
			known, indexed, err = s.insert(c, ns, &d)
			return err
		})
		if err == nil {
			s.names.put(ns.Organization, known)
			if indexed {
				s.schemaChanged(0)
			}
		}
		return err
	})
}

// insert stores a document and says in which table, and whether that got its
// index just now.
//
// As in find, the first try is by the name that is remembered, on condition
// that it is true and nothing has to be noted: looking it up takes as long as
// inserting.
func (s *shard) insert(c *conn, ns app.Namespace, d *app.Document) (knownTable, bool, error) {
	known, ok := s.names.guess(ns)
	stored, row := false, int64(0)
	if ok {
		var err error
		if stored, row, err = insertInto(c, known.table, whileOpen, ns.Organization, d); err != nil && !isStatementError(err) {
			return known, false, err
		}
	}
	if !stored {
		now, err := resolve(c, ns)
		if err == nil {
			err = now.writable()
		}
		if err != nil {
			return known, false, err
		}
		known = now.known()
		if stored, row, err = insertInto(c, now.table, whileWritable, ns.Organization, d); err != nil {
			return known, false, err
		}
		if !stored {
			return known, false, app.Taken(app.ConflictDocumentID)
		}
		if err := now.note(c, ns.Organization, d.ID); err != nil {
			return known, false, err
		}
	}
	// The number of the row is about that of the documents.
	if known.isShared() || known.indexed || row < indexAfter {
		return known, false, nil
	}
	// Another of the same group may have made the index just now.
	now, err := resolve(c, ns)
	if err != nil || now.indexed {
		return now.known(), false, err
	}
	known.indexed = true
	return known, true, addIndex(c, ns, known.table)
}

// insertInto inserts a document if the table is the organization's and has no
// document with its id, and gives the number of the row.
func insertInto(c *conn, t table, phases string, org app.OrganizationID, d *app.Document) (stored bool, row int64, err error) {
	r, err := c.execute(t.insert(phases), t.row(org, d)...)
	if err != nil {
		return false, 0, err
	}
	n, err := r.RowsAffected()
	if err != nil || n == 0 {
		return false, 0, err
	}
	row, err = r.LastInsertId()
	return true, row, err
}

// row is what the statements insert and put are given.
func (t table) row(org app.OrganizationID, d *app.Document) []any {
	return []any{string(org), string(d.ID), d.Type, d.Revision, d.CreatedAt.UnixMilli(), d.UpdatedAt.UnixMilli(),
		int64(checksum(org, d)), string(d.Data)}
}

// indexWhenLarge makes the index by type of a table that has got large, and
// says whether it did.
func indexWhenLarge(c *conn, ns app.Namespace, now namespace) (bool, error) {
	if now.isShared() || now.indexed {
		return false, nil
	}
	var last int64
	if err := c.queryRow(`SELECT coalesce(max(rowid), 0) FROM ` + now.name.sql()).Scan(&last); err != nil || last < indexAfter {
		return false, err
	}
	return true, addIndex(c, ns, now.table)
}

// addIndex makes the table's index by type.
func addIndex(c *conn, ns app.Namespace, t table) error {
	index, err := index(ns.Organization)
	if err != nil {
		return err
	}
	if err := c.run(`CREATE INDEX ` + index + ` ON ` + t.name.sql() + `(type,id)`); err != nil {
		return err
	}
	_, err = c.exec(`UPDATE namespaces SET indexed = 1 WHERE organization_id = ? AND isolation = ?`,
		string(ns.Organization), string(t.isolation))
	return err
}

// Document reads one. See app.Documents.
func (c *Cluster) Document(ctx context.Context, ns app.Namespace, id app.DocumentID) (app.Document, error) {
	var d app.Document
	err := c.use(ctx, ns, existing, func(s *shard) error {
		there := false
		err := s.find(ctx, ns, func(c *conn, t table) (bool, error) {
			var err error
			d, err = scanDocument(ns.Organization, c.queryRow(t.get(whileReadable), string(ns.Organization), string(id)))
			there = err == nil
			if errors.Is(err, sql.ErrNoRows) {
				return false, nil
			}
			return there, err
		})
		if err == nil && !there {
			return errNoDocument(id)
		}
		return s.sound(err)
	})
	if err != nil {
		return app.Document{}, err
	}
	return d, nil
}

// UpdateDocument changes one inside the writer. See app.Documents.
func (c *Cluster) UpdateDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64, f func(*app.Document) error) (app.Document, error) {
	var d app.Document
	err := c.use(ctx, ns, existing, func(s *shard) error {
		return s.sound(s.write(ctx, func(c *conn) error {
			now, err := expect(c, ns, id, expected, &d)
			if err != nil {
				return err
			}
			revision, createdAt := d.Revision, d.CreatedAt
			if err := f(&d); err != nil {
				return err
			}
			d.ID, d.Revision, d.CreatedAt = id, revision+1, createdAt
			if _, err = c.exec(now.update(whileWritable), string(ns.Organization), string(id),
				d.Type, d.Revision, d.UpdatedAt.UnixMilli(), int64(checksum(ns.Organization, &d)), string(d.Data)); err != nil {
				return err
			}
			return now.note(c, ns.Organization, id)
		}))
	})
	if err != nil {
		return app.Document{}, err
	}
	return d, nil
}

// ReplaceDocument changes one inside the writer: the checksum is made of what
// stays as well, so it is read. See app.Documents.
func (c *Cluster) ReplaceDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64, r app.Replacement) (app.Document, error) {
	return c.UpdateDocument(ctx, ns, id, expected, func(d *app.Document) error {
		if r.Type != "" {
			d.Type = r.Type
		}
		d.Data, d.UpdatedAt = r.Data, app.Later(r.At, d.UpdatedAt)
		return nil
	})
}

// DeleteDocument removes one. See app.Documents.
func (c *Cluster) DeleteDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64) error {
	return c.use(ctx, ns, existing, func(s *shard) error {
		return s.write(ctx, func(c *conn) error {
			now, err := resolve(c, ns)
			if err == nil {
				err = now.writable()
			}
			if err != nil {
				return err
			}
			var revision int64
			err = c.queryRow(now.revision(whileWritable), string(ns.Organization), string(id)).Scan(&revision)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return errNoDocument(id)
			case err != nil:
				return err
			case expected != app.AnyRevision && expected != revision:
				return app.ErrStale
			}
			if _, err := c.exec(now.remove(whileWritable), string(ns.Organization), string(id)); err != nil {
				return err
			}
			return now.note(c, ns.Organization, id)
		})
	})
}

// ListDocuments lists in byte order of ids. See app.Documents.
func (c *Cluster) ListDocuments(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	var list []app.Document
	err := c.use(ctx, ns, existing, func(s *shard) error {
		return s.sound(s.find(ctx, ns, func(c *conn, t table) (_ bool, err error) {
			list, err = listFrom(c, t, whileReadable, ns.Organization, q)
			return len(list) > 0, err
		}))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Scan is as app.Moving says.
func (c *Cluster) Scan(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	var list []app.Document
	err := c.use(ctx, ns, existing, func(s *shard) error {
		return s.sound(s.db.snapshot(ctx, func(c *conn) error {
			now, err := resolve(c, ns)
			if err != nil {
				return err
			}
			list, err = listFrom(c, now.table, whileThere, ns.Organization, q)
			return err
		}))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func listFrom(c *conn, t table, phases string, org app.OrganizationID, q app.DocumentQuery) ([]app.Document, error) {
	var list []app.Document
	size := 0
	args := []any{string(org), string(q.After), q.Limit}
	if q.Type != "" {
		args = append(args, q.Type)
	}
	err := c.query(func(row scanner) error {
		d, err := scanDocument(org, row)
		list = append(list, d)
		size += len(d.Data)
		if err == nil && q.MaxBytes > 0 && size > q.MaxBytes {
			return errEnough
		}
		return err
	}, t.list(phases, q.Type != ""), args...)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return list, err
}

// expect reads a document that is to be written, and returns what it is in.
func expect(c *conn, ns app.Namespace, id app.DocumentID, expected int64, d *app.Document) (namespace, error) {
	now, err := resolve(c, ns)
	if err == nil {
		err = now.writable()
	}
	if err != nil {
		return now, err
	}
	*d, err = scanDocument(ns.Organization, c.queryRow(now.get(whileWritable), string(ns.Organization), string(id)))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return now, errNoDocument(id)
	case err != nil:
		return now, err
	case expected != app.AnyRevision && expected != d.Revision:
		return now, app.ErrStale
	}
	return now, nil
}

// scanDocument reads a row of documentColumns and checks its checksum.
func scanDocument(org app.OrganizationID, row scanner) (app.Document, error) {
	d, sum, err := scanColumns(row)
	if err == nil {
		err = checkSum(org, &d, sum)
	}
	if err != nil {
		return app.Document{}, err
	}
	return d, nil
}

func scanColumns(row scanner) (d app.Document, sum int64, err error) {
	var created, updated int64
	err = row.Scan(&d.ID, &d.Type, &d.Revision, &created, &updated, &sum, &d.Data)
	d.CreatedAt, d.UpdatedAt = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
	return d, sum, unreadable(err)
}

func checkSum(org app.OrganizationID, d *app.Document, sum int64) error {
	if int64(checksum(org, d)) != sum {
		return fmt.Errorf("document %s of organization %s: %w", d.ID, org, errChecksum)
	}
	return nil
}

// unreadable tells a row whose columns are not of their types, as only damage
// makes them, from what else may keep one from being read.
func unreadable(err error) error {
	var e *sqlite.Error
	if err == nil || errors.As(err, &e) || errors.Is(err, sql.ErrNoRows) || faultOf(err) != faultNone ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", errChecksum, err)
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough")

// errChecksum says that a row is not what was written.
var errChecksum = errors.New("the checksum does not match")

func errNoDocument(id app.DocumentID) error {
	return fmt.Errorf("document %s: %w", id, app.ErrNotFound)
}
