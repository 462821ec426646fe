package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"tenantry/app"
)

// dropBatch is how many documents of a shared table are removed in one
// transaction, which the writes of its neighbours have to wait for.
const dropBatch = 500

// errDropping asks for what is left of the namespace to be dropped first.
var errDropping = errors.New("the namespace is being dropped")

// orDropping tells a namespace that is there from one that is being dropped;
// err is that of looking it up.
func (n namespace) orDropping(err error) error {
	if err == nil && n.phase == phaseDropping {
		return errDropping
	}
	return err
}

// unlessDropping runs f on the namespace's file, which it makes if there is
// none. If f meets a namespace that a drop which was cut short has left, that
// drop is ended and f run again.
func (c *Cluster) unlessDropping(ctx context.Context, ns app.Namespace, f func(*shard) error) error {
	for {
		err := c.use(ctx, ns, create, f)
		if !errors.Is(err, errDropping) {
			return err
		}
		if err := c.finishDrop(ctx, ns); err != nil {
			return err
		}
	}
}

// Drop removes the namespace. See app.Cluster.
//
// A table goes in one transaction. The rows in a shared one go a few at a time,
// and a file after it was closed, from a namespace that is not there any more
// for anybody: so does a drop that is cut short end, with the next one.
func (c *Cluster) Drop(ctx context.Context, ns app.Namespace) error {
	err := c.use(ctx, ns, existing, func(s *shard) error {
		tables := int64(0)
		err := s.write(ctx, func(c *conn) error {
			tables = 0
			now, err := lookUp(c, ns)
			if err != nil {
				return err
			}
			if now.generation > ns.Placement.Generation {
				return app.ErrStale // what came back here since is not what was to go
			}
			if err := forget(c, ns); err != nil {
				return err
			}
			if now.isolation != app.IsolationCollection {
				return setPhase(c, ns, phaseDropping, now.generation)
			}
			tables = 1
			if err := c.run("DROP TABLE IF EXISTS " + now.name.sql()); err != nil {
				return err
			}
			return removeNamespace(c, ns)
		})
		if err == nil && tables > 0 {
			s.schemaChanged(-tables)
			s.names.drop(ns.Organization)
		}
		return err
	})
	if errors.Is(err, app.ErrLost) {
		err = app.ErrNotFound // somebody else has removed the file
	}
	if ns.Placement.Isolation != app.IsolationCollection && (err == nil || errors.Is(err, app.ErrNotFound)) {
		err = c.finishDrop(ctx, ns)
	}
	if errors.Is(err, app.ErrNotFound) {
		return nil
	}
	return err
}

// finishDrop removes what a namespace has that is being dropped, and then the
// namespace. Whoever comes to it second finds nothing left to do.
func (c *Cluster) finishDrop(ctx context.Context, ns app.Namespace) error {
	if ns.Placement.Isolation == app.IsolationDatabase {
		return c.removeFile(ctx, ns)
	}
	return c.use(ctx, ns, existing, func(s *shard) error { return s.removeRows(ctx, ns) })
}

func (s *shard) removeRows(ctx context.Context, ns app.Namespace) error {
	for done := false; !done; {
		err := s.write(ctx, func(c *conn) error {
			now, err := lookUp(c, ns)
			if done = errors.Is(err, app.ErrNotFound) || err == nil && now.phase != phaseDropping; done {
				return nil
			}
			if err != nil {
				return err
			}
			n, err := c.exec(now.removeSome(whileDropping), string(ns.Organization), dropBatch)
			if err != nil || n == dropBatch {
				return err
			}
			done = true
			return removeNamespace(c, ns)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// removeFile removes an organization's own file when its namespace is being
// dropped, or it has none: a server may have ended between making the one and
// the other.
func (c *Cluster) removeFile(ctx context.Context, ns app.Namespace) error {
	if ns.Placement.Database != organizationFile(ns.Organization) {
		return errMissing(ns.Organization)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s := c.hold(ns.Placement.Database)
	defer c.release(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := c.openHeld(ctx, s, existing); err != nil {
		return err
	}
	err := s.db.write(ctx, func(c *conn) error {
		_, err := resolve(c, ns)
		return err
	})
	if !errors.Is(err, app.ErrNotFound) {
		return err // it is there again
	}
	s.names.drop(ns.Organization)
	// Its log goes into the file now, and none is left for the next of its name.
	if err := c.closeFile(s); err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm", damageSuffix, ""} {
		if err := os.Remove(s.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the file of organization %s: %w", ns.Organization, err)
		}
	}
	return syncPath(c.dir)
}

func removeNamespace(c *conn, ns app.Namespace) error {
	_, err := c.exec(`DELETE FROM namespaces WHERE organization_id = ? AND isolation = ?`,
		string(ns.Organization), string(ns.Placement.Isolation))
	return err
}
