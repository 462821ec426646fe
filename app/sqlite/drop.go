package sqlite

import (
	"context"
	"errors"

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

// unlessDropping runs f, and if it meets a namespace that a drop which was cut
// short has left, ends that drop and runs f again.
func (s *shard) unlessDropping(ctx context.Context, ns app.Namespace, f func() error) error {
	for {
		err := f()
		if !errors.Is(err, errDropping) {
			return err
		}
		if err := s.finishDrop(ctx, ns); err != nil {
			return err
		}
	}
}

// Drop removes the namespace. See app.Cluster.
//
// A table goes in one transaction. The rows in a shared one go a few at a
// time, from a namespace that is not there any more for anybody: so does a drop
// that is cut short end, with the next one.
func (c *Cluster) Drop(ctx context.Context, ns app.Namespace) error {
	err := c.use(ctx, ns, existing, func(s *shard) error {
		shared := false
		err := s.write(ctx, func(c *conn) error {
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
			if shared = now.isShared(); shared {
				return setPhase(c, ns, phaseDropping, now.generation)
			}
			if err := c.run("DROP TABLE " + now.name.sql()); err != nil {
				return err
			}
			return removeNamespace(c, ns)
		})
		if err != nil {
			return err
		}
		if shared {
			return s.finishDrop(ctx, ns)
		}
		s.schemaChanged(-1)
		s.names.drop(ns.Organization)
		return nil
	})
	if errors.Is(err, app.ErrNotFound) {
		return nil
	}
	return err
}

// finishDrop removes the documents of a namespace that is being dropped, and
// then the namespace. Whoever comes to it second finds nothing left to do.
func (s *shard) finishDrop(ctx context.Context, ns app.Namespace) error {
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

func removeNamespace(c *conn, ns app.Namespace) error {
	_, err := c.exec(`DELETE FROM namespaces WHERE organization_id = ? AND isolation = ?`,
		string(ns.Organization), string(ns.Placement.Isolation))
	return err
}
