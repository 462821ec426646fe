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

const documentColumns = `id, type, revision, created, updated, crc, data`

// InsertDocument stores a document as it is given. See app.Documents.
func (c *Cluster) InsertDocument(ctx context.Context, ns app.Namespace, d app.Document) error {
	return c.use(ctx, ns, existing, func(s *shard) error {
		var table knownTable
		indexed := false
		err := s.write(ctx, func(c *conn) (err error) {
			table, indexed, err = s.insert(c, ns.Organization, &d)
			return err
		})
		if err == nil {
			s.names.put(ns.Organization, table)
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
// that it is true: looking it up takes as long as inserting.
func (s *shard) insert(c *conn, org app.OrganizationID, d *app.Document) (knownTable, bool, error) {
	table, known := s.names.get(org)
	stored, row := false, int64(0)
	if known {
		var err error
		if stored, row, err = insertInto(c, table.collection, org, d); err != nil && !isStatementError(err) {
			return table, false, err
		}
	}
	if !stored {
		now, err := resolve(c, org)
		if err != nil {
			return table, false, err
		}
		table = now.table()
		if stored, row, err = insertInto(c, table.collection, org, d); err != nil {
			return table, false, err
		}
	}
	if !stored {
		return table, false, app.Taken(app.ConflictDocumentID)
	}
	// The number of the row is about that of the documents.
	if table.indexed || row < indexAfter {
		return table, false, nil
	}
	// Another of the same group may have made the index just now.
	now, err := resolve(c, org)
	if err != nil || now.indexed {
		return now.table(), false, err
	}
	table.indexed = true
	return table, true, addIndex(c, org, table.collection)
}

// insertInto inserts a document if the table is the organization's and has no
// document with its id, and gives the number of the row.
func insertInto(c *conn, name collection, org app.OrganizationID, d *app.Document) (stored bool, row int64, err error) {
	r, err := c.execute(`INSERT INTO `+name.sql()+` (`+documentColumns+`) SELECT ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE `+
		name.ownedBy()+` ON CONFLICT DO NOTHING`,
		string(org), string(d.ID), d.Type, d.Revision, d.CreatedAt.UnixMilli(), d.UpdatedAt.UnixMilli(),
		int64(checksum(org, d)), string(d.Data))
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

// addIndex makes the table's index by type.
func addIndex(c *conn, org app.OrganizationID, name collection) error {
	index, err := index(org)
	if err != nil {
		return err
	}
	if err := c.run(`CREATE INDEX ` + index + ` ON ` + name.sql() + `(type,id)`); err != nil {
		return err
	}
	_, err = c.exec(`UPDATE namespaces SET indexed = 1 WHERE organization_id = ?`, string(org))
	return err
}

// Document reads one. See app.Documents.
func (c *Cluster) Document(ctx context.Context, ns app.Namespace, id app.DocumentID) (app.Document, error) {
	var d app.Document
	err := c.use(ctx, ns, existing, func(s *shard) error {
		there := false
		err := s.find(ctx, ns.Organization, func(c *conn, name collection) (bool, error) {
			var err error
			d, err = scanDocument(ns.Organization, c.queryRow(`SELECT `+documentColumns+` FROM `+name.sql()+
				` WHERE id = ?2 AND `+name.ownedBy(), string(ns.Organization), string(id)))
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
			name, err := s.expect(c, ns.Organization, id, expected, &d)
			if err != nil {
				return err
			}
			revision, createdAt := d.Revision, d.CreatedAt
			if err := f(&d); err != nil {
				return err
			}
			d.ID, d.Revision, d.CreatedAt = id, revision+1, createdAt
			_, err = c.exec(`UPDATE `+name.sql()+` SET type = ?, revision = ?, updated = ?, crc = ?, data = ? WHERE id = ?`,
				d.Type, d.Revision, d.UpdatedAt.UnixMilli(), int64(checksum(ns.Organization, &d)), string(d.Data), string(id))
			return err
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
			now, err := resolve(c, ns.Organization)
			if err != nil {
				return err
			}
			var revision int64
			err = c.queryRow(`SELECT revision FROM `+now.collection.sql()+` WHERE id = ?`, string(id)).Scan(&revision)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return errNoDocument(id)
			case err != nil:
				return err
			case expected != app.AnyRevision && expected != revision:
				return app.ErrStale
			}
			_, err = c.exec(`DELETE FROM `+now.collection.sql()+` WHERE id = ?`, string(id))
			return err
		})
	})
}

// ListDocuments lists in byte order of ids. See app.Documents.
func (c *Cluster) ListDocuments(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	var list []app.Document
	err := c.use(ctx, ns, existing, func(s *shard) error {
		return s.sound(s.find(ctx, ns.Organization, func(c *conn, name collection) (bool, error) {
			list = nil
			size := 0
			query := `SELECT ` + documentColumns + ` FROM ` + name.sql() + ` WHERE ` + name.ownedBy() + ` AND id > ?2`
			args := []any{string(ns.Organization), string(q.After), q.Limit}
			if q.Type != "" {
				query += ` AND type = ?4`
				args = append(args, q.Type)
			}
			err := c.query(func(row scanner) error {
				d, err := scanDocument(ns.Organization, row)
				list = append(list, d)
				size += len(d.Data)
				if err == nil && q.MaxBytes > 0 && size > q.MaxBytes {
					return errEnough
				}
				return err
			}, query+` ORDER BY id LIMIT ?3`, args...)
			if errors.Is(err, errEnough) {
				err = nil
			}
			return len(list) > 0, err
		}))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// expect reads a document that is to be written, and returns whose table it
// is in.
func (s *shard) expect(c *conn, org app.OrganizationID, id app.DocumentID, expected int64, d *app.Document) (collection, error) {
	now, err := resolve(c, org)
	if err != nil {
		return "", err
	}
	*d, err = scanDocument(org, c.queryRow(`SELECT `+documentColumns+` FROM `+now.collection.sql()+` WHERE id = ?`, string(id)))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", errNoDocument(id)
	case err != nil:
		return "", err
	case expected != app.AnyRevision && expected != d.Revision:
		return "", app.ErrStale
	}
	return now.collection, nil
}

// scanDocument reads a row of documentColumns and checks its checksum.
func scanDocument(org app.OrganizationID, row scanner) (app.Document, error) {
	var d app.Document
	var created, updated, sum int64
	if err := row.Scan(&d.ID, &d.Type, &d.Revision, &created, &updated, &sum, &d.Data); err != nil {
		return app.Document{}, unreadable(err)
	}
	d.CreatedAt, d.UpdatedAt = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
	if int64(checksum(org, &d)) != sum {
		return app.Document{}, fmt.Errorf("document %s of organization %s: %w", d.ID, org, errChecksum)
	}
	return d, nil
}

// unreadable tells a row whose columns are not of their types, as only damage
// makes them, from what else may keep one from being read.
func unreadable(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) || errors.Is(err, sql.ErrNoRows) || faultOf(err) != faultNone ||
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
