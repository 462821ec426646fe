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

// phaseDropping is that of a namespace whose documents are being removed, a few
// at a time. It is not there any more, for anybody but who drops it.
const phaseDropping app.NamespacePhase = "dropping"

// namespace is what a file knows of an organization.
type namespace struct {
	table
	generation int64
	phase      app.NamespacePhase
	indexed    bool
}

func (n namespace) known() knownTable { return knownTable{n.table, n.indexed} }

// resolve finds the organization's namespace. It must run in one transaction or
// snapshot with what uses the answer.
func resolve(c *conn, ns app.Namespace) (namespace, error) {
	now, err := lookUp(c, ns)
	if err == nil && now.phase == phaseDropping {
		return now, errMissing(ns.Organization)
	}
	return now, err
}

// lookUp is resolve for who also wants to know of one that is being dropped.
func lookUp(c *conn, ns app.Namespace) (namespace, error) {
	var now namespace
	var name string
	err := c.queryRow(`SELECT collection, generation, phase, indexed FROM namespaces WHERE organization_id = ? AND isolation = ?`,
		string(ns.Organization), string(ns.Placement.Isolation)).Scan(&name, &now.generation, &now.phase, &now.indexed)
	if errors.Is(err, sql.ErrNoRows) {
		return now, errMissing(ns.Organization)
	}
	if err != nil {
		return now, err
	}
	now.table, err = parseTable(ns.Placement.Isolation, name)
	return now, err
}

// errMissing says that the namespace is not there: it never was, or it is
// somewhere else by now.
func errMissing(org app.OrganizationID) error {
	return fmt.Errorf("namespace of organization %s: %w: %w", org, app.ErrMoved, app.ErrNotFound)
}

// readable refuses who may not read documents in the phase.
func (n namespace) readable() error {
	if n.phase == app.PhaseClosed {
		return app.ErrMoved
	}
	return nil
}

// writable refuses who may not write documents in the phase.
func (n namespace) writable() error {
	switch n.phase {
	case app.PhaseOpen, app.PhaseRecording:
		return nil
	case app.PhaseFrozen:
		return app.ErrFrozen
	case app.PhaseClosed:
	}
	return app.ErrMoved
}

// free reports, as a refusal, that another organization has the name.
func free(c *conn, t table) error {
	if t.isShared() {
		return nil
	}
	var one int
	err := c.queryRow(`SELECT 1 FROM namespaces WHERE isolation <> 'shared' AND collection = ?`, string(t.name)).Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return app.Taken(app.ConflictCollection)
}

// makeNamespace makes one where there is none. It says how many tables more
// there are.
func (s *shard) makeNamespace(c *conn, ns app.Namespace, t table, phase app.NamespacePhase) (tables int64, err error) {
	if err := free(c, t); err != nil {
		return 0, err
	}
	if _, err := c.exec(`INSERT INTO namespaces (organization_id, isolation, collection, generation, phase, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		string(ns.Organization), string(t.isolation), string(t.name), ns.Placement.Generation, string(phase), s.clock().UnixMilli()); err != nil {
		return 0, err
	}
	if t.isShared() {
		return 0, nil
	}
	return 1, c.run(fmt.Sprintf(createTable, t.name.sql()))
}

// Provision makes the namespace. See app.Cluster.
func (c *Cluster) Provision(ctx context.Context, ns app.Namespace) error {
	t, err := c.check(ns)
	if err != nil {
		return err
	}
	return c.unlessDropping(ctx, ns, func(s *shard) error {
		tables := int64(0)
		err := s.write(ctx, func(c *conn) (err error) {
			tables = 0
			if now, err := lookUp(c, ns); !errors.Is(err, app.ErrNotFound) {
				return now.orDropping(err) // there already, under whichever name
			}
			tables, err = s.makeNamespace(c, ns, t, app.PhaseOpen)
			return err
		})
		if err == nil && tables > 0 {
			s.schemaChanged(tables)
			s.names.put(ns.Organization, knownTable{table: t})
		}
		return err
	})
}

// Rename gives the organization's table another name. See app.Cluster.
func (c *Cluster) Rename(ctx context.Context, ns app.Namespace, to string, generation int64) error {
	next, err := parseTable(ns.Placement.Isolation, to)
	if err != nil {
		return err
	}
	return c.use(ctx, ns, existing, func(s *shard) error {
		var now namespace
		err := s.write(ctx, func(c *conn) (err error) {
			if now, err = resolve(c, ns); err != nil {
				return err
			}
			if now.name != next.name {
				if err := free(c, next); err != nil {
					return err
				}
				if err := c.run("ALTER TABLE " + now.name.sql() + " RENAME TO " + next.name.sql()); err != nil {
					return err
				}
			}
			_, err = c.exec(`UPDATE namespaces SET collection = ?, generation = ? WHERE organization_id = ? AND isolation = ?`,
				string(next.name), generation, string(ns.Organization), string(next.isolation))
			return err
		})
		if err == nil && !next.isShared() {
			s.schemaChanged(0)
			s.names.put(ns.Organization, knownTable{next, now.indexed})
		}
		return err
	})
}

// Stats counts the documents and the bytes of their data. It reads the whole
// table, though not the long documents in it: 100,000 take about 0.1 s.
func (c *Cluster) Stats(ctx context.Context, ns app.Namespace) (app.NamespaceStats, error) {
	var out app.NamespaceStats
	err := c.use(ctx, ns, existing, func(s *shard) error {
		return s.db.snapshot(ctx, func(c *conn) error {
			now, err := resolve(c, ns)
			if err != nil {
				return err
			}
			return c.queryRow(now.measure(whileThere), string(ns.Organization)).Scan(&out.Documents, &out.Bytes)
		})
	})
	if err != nil {
		return app.NamespaceStats{}, err
	}
	return out, nil
}

// Namespaces lists what is in the files that exist, and has its table there: by file and then by
// organization. See app.Cluster.
func (c *Cluster) Namespaces(ctx context.Context) ([]app.Namespace, error) {
	var all []app.Namespace
	err := c.eachFile(ctx, func(name string, conn *conn) error {
		var here []app.Namespace
		err := conn.query(func(row scanner) error {
			ns := app.Namespace{Placement: app.Placement{Cluster: c.name, Database: name}}
			err := row.Scan(&ns.Organization, &ns.Placement.Isolation, &ns.Placement.Collection, &ns.Placement.Generation)
			here = append(here, ns)
			return err
		}, `SELECT organization_id, isolation, collection, generation FROM namespaces
			WHERE collection IN (SELECT name FROM sqlite_schema WHERE type = 'table') ORDER BY organization_id, isolation`)
		if err == nil {
			all = append(all, here...)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the namespaces of %w", err)
	}
	return all, nil
}
