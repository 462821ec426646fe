package sqlite

import (
	"context"
	"errors"

	"tenantry/app"
)

var _ app.Moving = (*Cluster)(nil)

// Receive makes a namespace that is to be filled. See app.Moving.
func (c *Cluster) Receive(ctx context.Context, ns app.Namespace) error {
	t, err := c.check(ns)
	if err != nil {
		return err
	}
	return c.unlessDropping(ctx, ns, func(s *shard) error {
		tables := int64(0)
		err := s.write(ctx, func(c *conn) (err error) {
			tables = 0
			now, err := lookUp(c, ns)
			if errors.Is(err, app.ErrNotFound) {
				tables, err = s.makeNamespace(c, ns, t, app.PhaseClosed)
				return err
			}
			if err := now.orDropping(err); err != nil {
				return err
			}
			if now.phase != app.PhaseClosed || now.generation > ns.Placement.Generation {
				return app.ErrStale
			}
			return setPhase(c, ns, app.PhaseClosed, ns.Placement.Generation)
		})
		if err == nil && tables > 0 {
			s.schemaChanged(tables)
		}
		return err
	})
}

// SetPhase is as app.Moving says: every write asks for the phase in the
// transaction that it is in, and transactions come one after the other.
func (c *Cluster) SetPhase(ctx context.Context, ns app.Namespace, phase app.NamespacePhase) error {
	switch phase {
	case app.PhaseOpen, app.PhaseRecording, app.PhaseFrozen, app.PhaseClosed:
	default:
		return app.Invalid("phase", "invalid_phase", "There is no such phase of a namespace.")
	}
	return c.use(ctx, ns, existing, func(s *shard) error {
		return s.write(ctx, func(c *conn) error {
			now, err := resolve(c, ns)
			if err != nil {
				return err
			}
			if now.generation > ns.Placement.Generation {
				return app.ErrStale
			}
			begins := phase == app.PhaseRecording && (now.phase == app.PhaseOpen || now.phase == app.PhaseClosed)
			if begins || phase == app.PhaseOpen {
				if err := forget(c, ns); err != nil {
					return err
				}
			}
			return setPhase(c, ns, phase, ns.Placement.Generation)
		})
	})
}

func setPhase(c *conn, ns app.Namespace, phase app.NamespacePhase, generation int64) error {
	_, err := c.exec(`UPDATE namespaces SET phase = ?, generation = ? WHERE organization_id = ? AND isolation = ?`,
		string(phase), generation, string(ns.Organization), string(ns.Placement.Isolation))
	return err
}

// Phase is as app.Moving says.
func (c *Cluster) Phase(ctx context.Context, ns app.Namespace) (phase app.NamespacePhase, generation int64, err error) {
	err = c.use(ctx, ns, existing, func(s *shard) error {
		return s.db.read(ctx, func(c *conn) error {
			now, err := resolve(c, ns)
			phase, generation = now.phase, now.generation
			return err
		})
	})
	if err != nil {
		return "", 0, err
	}
	return phase, generation, nil
}

// store puts documents, as many at once as one statement does and the rest one
// by one: each number of them is a statement of its own to be prepared.
func (n namespace) store(c *conn, org app.OrganizationID, documents []app.Document) error {
	for _, at := range []int{putAtOnce, 1} {
		put := n.put(whileClosed, at)
		for ; len(documents) >= at; documents = documents[at:] {
			args := append(make([]any, 0, 7*at+1), string(org))
			for i := range at {
				args = append(args, n.row(org, &documents[i])[1:]...)
			}
			if _, err := c.exec(put, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Fill is Import, whose statement is as quick for what is not there. See
// app.Moving.
func (c *Cluster) Fill(ctx context.Context, ns app.Namespace, documents []app.Document) error {
	return c.Import(ctx, ns, documents, nil)
}

// Import stores documents as they are. See app.Moving.
func (c *Cluster) Import(ctx context.Context, ns app.Namespace, documents []app.Document, gone []app.DocumentID) error {
	return c.use(ctx, ns, existing, func(s *shard) error {
		indexed := false
		err := s.write(ctx, func(c *conn) (err error) {
			indexed = false
			now, err := resolve(c, ns)
			if err != nil {
				return err
			}
			if now.phase != app.PhaseClosed || now.generation != ns.Placement.Generation {
				return app.ErrStale
			}
			if err := now.store(c, ns.Organization, documents); err != nil {
				return err
			}
			remove := now.remove(whileClosed)
			for _, id := range gone {
				if _, err := c.exec(remove, string(ns.Organization), string(id)); err != nil {
					return err
				}
			}
			indexed, err = indexWhenLarge(c, ns, now)
			return err
		})
		if err == nil && indexed {
			s.schemaChanged(0)
		}
		return err
	})
}
