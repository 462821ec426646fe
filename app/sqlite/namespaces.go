package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"tenantry/app"
)

// createTable makes an organization's table. SQLite keeps this text and reads
// all of it again whenever a connection learns of another table in the file,
// so it is short: with every column NOT NULL, creating the 1,500th takes half
// as long again. A NULL could come only from damage, and reading it fails.
//
// It is no WITHOUT ROWID table: those keep whole rows in the tree's inner
// nodes, which makes documents of more than a kilobyte twice as large and
// three times as slow to find.
const createTable = `CREATE TABLE %s(id TEXT PRIMARY KEY,type TEXT,revision INT,created INT,updated INT,crc INT,data TEXT)STRICT`

// namespace is what a shard knows of an organization.
type namespace struct {
	collection collection
	generation int64
	indexed    bool
}

func (n namespace) table() knownTable { return knownTable{n.collection, n.indexed} }

// resolve finds the organization's table. It must run in one transaction or
// snapshot with what uses the answer.
func resolve(c *conn, org app.OrganizationID) (namespace, error) {
	var ns namespace
	var name string
	err := c.queryRow(`SELECT collection, generation, indexed FROM namespaces WHERE organization_id = ?`, string(org)).
		Scan(&name, &ns.generation, &ns.indexed)
	if errors.Is(err, sql.ErrNoRows) {
		return ns, fmt.Errorf("namespace of organization %s: %w", org, app.ErrNotFound)
	}
	if err != nil {
		return ns, err
	}
	ns.collection, err = parseCollection(name)
	return ns, err
}

// free reports, as a refusal, that another organization has the name.
func free(c *conn, name collection) error {
	var one int
	err := c.queryRow(`SELECT 1 FROM namespaces WHERE collection = ?`, string(name)).Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return app.Taken(app.ConflictCollection)
}

// Provision makes the organization's table. See app.Cluster.
func (c *Cluster) Provision(ctx context.Context, ns app.Namespace) error {
	name, err := c.check(ns)
	if err != nil {
		return err
	}
	return c.use(ctx, ns, create, func(s *shard) error {
		made := false
		err := s.write(ctx, func(c *conn) error {
			made = false
			if _, err := resolve(c, ns.Organization); !errors.Is(err, app.ErrNotFound) {
				return err // there already, under whichever name
			}
			if err := free(c, name); err != nil {
				return err
			}
			if _, err := c.exec(`INSERT INTO namespaces (organization_id, collection, generation, created_at) VALUES (?, ?, ?, ?)`,
				string(ns.Organization), string(name), ns.Placement.Generation, s.clock().UnixMilli()); err != nil {
				return err
			}
			made = true
			return c.run(fmt.Sprintf(createTable, name.sql()))
		})
		if err == nil && made {
			s.schemaChanged(1)
			s.names.put(ns.Organization, knownTable{collection: name})
		}
		return err
	})
}

// Rename gives the organization's table another name. See app.Cluster.
func (c *Cluster) Rename(ctx context.Context, ns app.Namespace, to string, generation int64) error {
	name, err := parseCollection(to)
	if err != nil {
		return err
	}
	return c.use(ctx, ns, existing, func(s *shard) error {
		var now namespace
		err := s.write(ctx, func(c *conn) (err error) {
			now, err = resolve(c, ns.Organization)
			if err != nil {
				return err
			}
			if now.collection == name {
				_, err := c.exec(`UPDATE namespaces SET generation = ? WHERE organization_id = ?`, generation, string(ns.Organization))
				return err
			}
			if err := free(c, name); err != nil {
				return err
			}
			if err := c.run("ALTER TABLE " + now.collection.sql() + " RENAME TO " + name.sql()); err != nil {
				return err
			}
			_, err = c.exec(`UPDATE namespaces SET collection = ?, generation = ? WHERE organization_id = ?`,
				string(name), generation, string(ns.Organization))
			return err
		})
		if err == nil {
			s.schemaChanged(0)
			s.names.put(ns.Organization, knownTable{collection: name, indexed: now.indexed})
		}
		return err
	})
}

// Drop removes the organization's table. See app.Cluster.
func (c *Cluster) Drop(ctx context.Context, ns app.Namespace) error {
	err := c.use(ctx, ns, existing, func(s *shard) error {
		err := s.write(ctx, func(c *conn) error {
			now, err := resolve(c, ns.Organization)
			if err != nil {
				return err
			}
			if err := c.run("DROP TABLE " + now.collection.sql()); err != nil {
				return err
			}
			_, err = c.exec(`DELETE FROM namespaces WHERE organization_id = ?`, string(ns.Organization))
			return err
		})
		if err == nil {
			s.schemaChanged(-1)
			s.names.drop(ns.Organization)
		}
		return err
	})
	if errors.Is(err, app.ErrNotFound) {
		return nil
	}
	return err
}

// Stats counts the documents and the bytes of their data. It reads the whole
// table, though not the long documents in it: 100,000 take about 0.1 s.
func (c *Cluster) Stats(ctx context.Context, ns app.Namespace) (app.NamespaceStats, error) {
	var out app.NamespaceStats
	err := c.use(ctx, ns, existing, func(s *shard) error {
		return s.db.snapshot(ctx, func(c *conn) error {
			now, err := resolve(c, ns.Organization)
			if err != nil {
				return err
			}
			return c.queryRow(`SELECT count(*), coalesce(sum(octet_length(data)), 0) FROM `+now.collection.sql()).
				Scan(&out.Documents, &out.Bytes)
		})
	})
	if err != nil {
		return app.NamespaceStats{}, err
	}
	return out, nil
}

// Namespaces lists what is in the shards that exist: by shard and then by
// organization. See app.Cluster.
func (c *Cluster) Namespaces(ctx context.Context) ([]app.Namespace, error) {
	names, err := c.files()
	if err != nil {
		return nil, err
	}
	var all []app.Namespace
	for _, database := range names {
		place := app.Namespace{Placement: app.Placement{Isolation: app.IsolationCollection, Database: database}}
		err := c.use(ctx, place, existing, func(s *shard) error {
			return s.db.read(ctx, func(conn *conn) error {
				return conn.query(func(row scanner) error {
					ns := app.Namespace{Placement: app.Placement{Cluster: c.name, Isolation: app.IsolationCollection, Database: database}}
					if err := row.Scan(&ns.Organization, &ns.Placement.Collection, &ns.Placement.Generation); err != nil {
						return err
					}
					all = append(all, ns)
					return nil
				}, `SELECT organization_id, collection, generation FROM namespaces ORDER BY organization_id`)
			})
		})
		if err != nil {
			return nil, fmt.Errorf("list the namespaces of %s: %w", database, err)
		}
	}
	return all, nil
}
