package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// errNowhere says that a write found no document to write, where the documents
// are known to be.
var errNowhere = errors.New("no such document to write")

// find reads from the organization's collection. f says whether it found
// anything; it is called again, and then nothing of the call before counts.
//
// Its first try is where the documents were last. What it finds there is
// right, since every filter of f has the organization's id. When it finds
// nothing, it is looked up where they are now, and while they are being moved
// they are looked for in both places, in the direction of the move; that
// nothing is there counts only if the namespace is the same after looking.
func (c *Cluster) find(ctx context.Context, ns app.Namespace, f func(ctx context.Context, collection *mongo.Collection) (found bool, err error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := check(ns); err != nil {
		return err
	}
	if err := c.here(); err != nil {
		return err
	}
	if known, ok := c.names.get(ns.Organization); ok && known.Pending == nil {
		found, err := f(ctx, c.db.Collection(known.Collection))
		if found && err == nil || err != nil && !isMoved(err) {
			return c.answer(ctx, err)
		}
	}
	d, err := c.resolve(ctx, ns.Organization)
	for try := 0; err == nil; try++ {
		places := []string{d.Collection}
		if d.Pending != nil && d.Pending.Collection != d.Collection {
			places = append(places, d.Pending.Collection)
		}
		moved := false
		for _, place := range places {
			found, err := f(ctx, c.db.Collection(place))
			if found && err == nil {
				return nil
			}
			if err != nil && !isMoved(err) {
				return c.answer(ctx, err)
			}
			moved = moved || err != nil
		}
		before := d.Revision
		if d, err = c.resolve(ctx, ns.Organization); err != nil {
			break
		}
		if d.Revision == before && !moved {
			return nil // there is nothing
		}
		if !pause(ctx, try) {
			return c.unavailable(ctx.Err())
		}
	}
	return c.answer(ctx, err)
}

// answer words an error; a request that was given up is told so.
func (c *Cluster) answer(ctx context.Context, err error) error {
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	return c.translate(err)
}

// isMoved reports that a collection was moved or dropped while it was read.
func isMoved(err error) bool {
	return hasCode(err, codeCursorNotFound, codeQueryPlanKilled, codeCursorKilled, codeNamespaceNotFound)
}

// write writes to the organization's collection. f reports whether it has
// written anything; it is called again where the store refused it, and where
// it found nothing to write but looked in the wrong place. errNowhere: it
// found nothing in the right one.
func (c *Cluster) write(ctx context.Context, ns app.Namespace, f func(ctx context.Context, at namespaceDoc) (written bool, err error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := check(ns); err != nil {
		return err
	}
	if err := c.here(); err != nil {
		return err
	}
	ctx, cancel := c.writing(ctx)
	defer cancel()
	at, known := c.names.get(ns.Organization)
	fresh := false
	refusals := 0
	for try := 0; ; try++ {
		if !known {
			var err error
			if at, err = c.resolve(ctx, ns.Organization); err != nil {
				return c.translate(err)
			}
			fresh = true
		}
		if at.Pending == nil {
			written, err := c.through(ctx, &at, f)
			switch {
			case hasCode(err, codeInvalid):
				if fresh {
					refusals++
				}
			case err != nil:
				return c.translate(err)
			case written:
				return nil
			case fresh:
				if same, err := c.unmoved(ctx, at); err != nil || same {
					return errors.Join(c.translate(err), nowhere(err))
				}
			}
			// Refused where it belongs, by the newest that is known: the validator was
			// changed by somebody else.
			if refusals > 3 {
				refusals = 0
				if err := c.mend(ctx, at); err != nil {
					return c.translate(err)
				}
			}
		}
		known = false
		if fresh && !pause(ctx, try) {
			return c.unavailable(fmt.Errorf("the collection is being moved: %w", context.DeadlineExceeded))
		}
	}
}

// through writes while this process does not move the collection, and knows
// where it has been moved meanwhile.
func (c *Cluster) through(ctx context.Context, at *namespaceDoc, f func(context.Context, namespaceDoc) (bool, error)) (bool, error) {
	org := app.OrganizationID(at.ID)
	gate := c.gates.of(org)
	if !wait(ctx, gate.TryRLock) {
		return false, ctx.Err()
	}
	defer gate.RUnlock()
	if now, ok := c.names.get(org); ok && now.Pending == nil && now.Revision > at.Revision {
		*at = now
	}
	return f(ctx, *at)
}

func nowhere(err error) error {
	if err == nil {
		return errNowhere
	}
	return nil
}

// unmoved reports whether the namespace is still as it was read.
func (c *Cluster) unmoved(ctx context.Context, at namespaceDoc) (bool, error) {
	now, err := c.resolve(ctx, app.OrganizationID(at.ID))
	return err == nil && now.Revision == at.Revision, err
}

// mend gives a collection the validator that it should have.
func (c *Cluster) mend(ctx context.Context, at namespaceDoc) error {
	return c.alone(ctx, app.OrganizationID(at.ID), func(ctx context.Context) error {
		same, err := c.unmoved(ctx, at)
		if err != nil || !same {
			return err
		}
		c.log.Warn("the validator of a collection was not what it should be; it is put right",
			"cluster", c.key, "org_id", at.ID, "collection", at.Collection)
		return c.furnish(ctx, at)
	})
}
