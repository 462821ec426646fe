package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"tenantry/app"
)

// note notes that a document was touched, where the namespace is recording.
func (n namespace) note(c *conn, org app.OrganizationID, id app.DocumentID) error {
	if n.phase != app.PhaseRecording {
		return nil
	}
	_, err := c.exec(`INSERT OR REPLACE INTO changes (organization_id, isolation, id) VALUES (?, ?, ?)`,
		string(org), string(n.isolation), string(id))
	return err
}

// forget forgets all that was noted.
func forget(c *conn, ns app.Namespace) error {
	_, err := c.exec(`DELETE FROM changes WHERE organization_id = ? AND isolation = ?`,
		string(ns.Organization), string(ns.Placement.Isolation))
	return err
}

// Changes lists what was touched for longest first. See app.Moving.
func (c *Cluster) Changes(ctx context.Context, ns app.Namespace, limit, maxBytes int) ([]app.Change, error) {
	var list []app.Change
	err := c.use(ctx, ns, existing, func(s *shard) error {
		return s.sound(s.db.snapshot(ctx, func(c *conn) error {
			now, err := resolve(c, ns)
			if err != nil {
				return err
			}
			list = nil
			err = c.query(func(row scanner) error {
				var change app.Change
				err := row.Scan(&change.ID, &change.Mark)
				list = append(list, change)
				return err
			}, `SELECT id, mark FROM changes WHERE organization_id = ? AND isolation = ? ORDER BY mark LIMIT ?`,
				string(ns.Organization), string(ns.Placement.Isolation), limit)
			if err != nil {
				return err
			}
			size := 0
			for i := range list {
				d, err := scanDocument(ns.Organization, c.queryRow(now.get(whileThere), string(ns.Organization), string(list[i].ID)))
				if errors.Is(err, sql.ErrNoRows) {
					continue
				}
				if err != nil {
					return err
				}
				list[i].Document = &d
				if size += len(d.Data); maxBytes > 0 && size > maxBytes {
					list = list[:i+1]
					break
				}
			}
			return nil
		}))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Look is as app.Moving says.
func (c *Cluster) Look(ctx context.Context, ns app.Namespace, ids []app.DocumentID, maxBytes int) ([]app.Sight, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var list []app.Sight
	err := c.use(ctx, ns, existing, func(s *shard) error {
		return s.sound(s.db.snapshot(ctx, func(c *conn) error {
			now, err := resolve(c, ns)
			if err != nil {
				return err
			}
			list = nil
			size := 0
			for _, id := range ids {
				if maxBytes > 0 && size > maxBytes {
					break
				}
				seen := app.Sight{ID: id}
				d, err := scanDocument(ns.Organization, c.queryRow(now.get(whileThere), string(ns.Organization), string(id)))
				if err == nil {
					seen.Document = &d
					size += len(d.Data)
				} else if !errors.Is(err, sql.ErrNoRows) {
					return err
				}
				if err := c.queryRow(`SELECT EXISTS (SELECT 1 FROM changes WHERE organization_id = ? AND isolation = ? AND id = ?)`,
					string(ns.Organization), string(ns.Placement.Isolation), string(id)).Scan(&seen.Noted); err != nil {
					return err
				}
				list = append(list, seen)
			}
			return nil
		}))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Settle is as app.Moving says.
func (c *Cluster) Settle(ctx context.Context, ns app.Namespace, changes []app.Change) error {
	return c.use(ctx, ns, existing, func(s *shard) error {
		return s.write(ctx, func(c *conn) error {
			now, err := resolve(c, ns)
			if err != nil {
				return err
			}
			if now.generation > ns.Placement.Generation {
				return app.ErrStale
			}
			for _, change := range changes {
				if _, err := c.exec(`DELETE FROM changes WHERE organization_id = ? AND isolation = ? AND id = ? AND mark = ?`,
					string(ns.Organization), string(ns.Placement.Isolation), string(change.ID), change.Mark); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// CountChanges is as app.Moving says.
func (c *Cluster) CountChanges(ctx context.Context, ns app.Namespace, limit int) (n int, err error) {
	err = c.use(ctx, ns, existing, func(s *shard) error {
		return s.db.snapshot(ctx, func(c *conn) error {
			if _, err := resolve(c, ns); err != nil {
				return err
			}
			return c.queryRow(`SELECT count(*) FROM (SELECT 1 FROM changes WHERE organization_id = ? AND isolation = ? LIMIT ?)`,
				string(ns.Organization), string(ns.Placement.Isolation), limit).Scan(&n)
		})
	})
	return n, err
}
