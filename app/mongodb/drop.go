package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// Drop removes the namespace and all in it. See app.Cluster.
//
// A command that drops a collection has no condition, and may come late, when
// the name is in use again. So none is sent that could hurt then: a collection
// that takes nothing is made under a name of its own (the stand), and renamed
// over the one that is to go, which is one atomic act and fails where there is
// no such stand any more. Who takes over from another that was dropping writes
// down a stand of its own, and removes the other's. The name is occupied at all
// times, so that late writers are refused.
//
// In the shared collection documents are marked as deleted, which late deletions
// cannot do, and removed by their tag.
func (c *Cluster) Drop(ctx context.Context, ns app.Namespace) error {
	if err := c.check(ns); err != nil {
		return err
	}
	return c.unlessOvertaken(ctx, func(ctx context.Context) error {
		var d namespaceDoc
		err := c.alone(ctx, ns.Organization, func(ctx context.Context) (err error) {
			if d, err = c.namespace(ctx, keyIn(ns)); err != nil {
				return err
			}
			if d.Generation > ns.Placement.Generation {
				return fmt.Errorf("drop namespace %s of generation %d as of %d: %w", d.ID, d.Generation, ns.Placement.Generation, app.ErrStale)
			}
			d, err = c.dropping(ctx, d)
			return err
		})
		if errors.Is(err, app.ErrNotFound) {
			c.names.drop(keyIn(ns))
			return nil
		}
		if err != nil {
			return err
		}
		c.wholeness.set(d.ID, nil)
		return c.finishDrop(ctx, d)
	})
}

// dropping records that a namespace is no more, and removes its collection.
func (c *Cluster) dropping(ctx context.Context, d namespaceDoc) (namespaceDoc, error) {
	before := d
	d, err := c.changing(ctx, d, func(d *namespaceDoc) {
		d.Dropping, d.Stand = true, "stand_"+bson.NewObjectID().Hex()
	})
	if err != nil {
		return d, err
	}
	if d.shared() {
		next, err := c.enforce(ctx, d) // what was let in is there to be found
		if hasCode(err, codeNamespaceNotFound) {
			return d, nil // somebody else has dropped it all
		}
		return next, err
	}
	if c.lacks.validators {
		return d, nil
	}
	if before.Stand != "" {
		if err := c.database(d).Collection(before.Stand).Drop(ctx); err != nil {
			return d, err
		}
	}
	for _, name := range d.names() {
		if err := c.replaceByNothing(ctx, d, name); err != nil {
			return d, err
		}
	}
	return d, nil
}

// finishDrop does what is left of removing a namespace.
func (c *Cluster) finishDrop(ctx context.Context, d namespaceDoc) error {
	var err error
	switch {
	case c.lacks.validators:
		err = c.translate(c.clearPlain(ctx, d))
	case d.shared():
		err = c.empty(ctx, d)
	}
	if err != nil {
		return err
	}
	ctx, cancel := c.writing(ctx)
	defer cancel()
	_, err = c.db.Collection(namespaces).DeleteOne(ctx, d.unchanged())
	return c.translate(err)
}

// names are those that its collection may have.
func (d namespaceDoc) names() []string {
	if d.Pending != nil && d.Pending.Collection != d.Collection {
		return []string{d.Collection, d.Pending.Collection}
	}
	return []string{d.Collection}
}

// replaceByNothing puts a collection that takes nothing in the place of one of
// a namespace that is being dropped.
func (c *Cluster) replaceByNothing(ctx context.Context, d namespaceDoc, name string) error {
	err := c.createAs(ctx, c.database(d), d.Stand, refusing)
	if err != nil {
		return err
	}
	// Who takes over from here on finds the stand and removes it.
	now, err := c.namespace(ctx, d.ID)
	if err == nil && !now.same(d) || errors.Is(err, mongo.ErrNoDocuments) {
		_ = c.database(d).Collection(d.Stand).Drop(ctx)
		return errOvertaken
	}
	if err != nil {
		return err
	}
	return c.renameOver(ctx, d, d.Stand, name, true)
}

// empty removes an organization's documents from the shared collection.
func (c *Cluster) empty(ctx context.Context, d namespaceDoc) error {
	for try := 0; ; try++ {
		err := c.inBatches(ctx, d, nil, func(ctx context.Context, s shelf, some bson.E) error {
			return s.removeAll(ctx, some)
		})
		if !hasCode(err, codeInvalid) {
			return c.translate(err)
		}
		// Another organization has begun another epoch, or this one was changed.
		if _, err := c.epochs.refresh(ctx, c.db); err != nil {
			return c.translate(err)
		}
		if now, err := c.namespace(ctx, d.ID); err != nil || !now.same(d) {
			return errors.Join(c.translate(err), errOvertaken)
		}
		if !pause(ctx, try) {
			return c.unavailable(ctx.Err())
		}
	}
}

// batch is how many documents one command is about.
const batch = 2000

// inBatches runs f on the organization's documents that a filter finds, some at
// a time: all of a large organization would take longer than a command may. f
// must take them out of the filter.
func (c *Cluster) inBatches(ctx context.Context, d namespaceDoc, filter bson.D, f func(ctx context.Context, s shelf, some bson.E) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := c.inBatch(ctx, c.shelf(d, d.Collection), filter, f)
		if err != nil || n < batch {
			return err
		}
	}
}

func (c *Cluster) inBatch(ctx context.Context, s shelf, filter bson.D, f func(ctx context.Context, s shelf, some bson.E) error) (int, error) {
	ctx, cancel := c.writing(ctx)
	defer cancel()
	cursor, err := s.collection.Find(ctx, s.every(filter...), options.Find().SetLimit(batch).SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return 0, err
	}
	var found []struct {
		ID string `bson:"_id"`
	}
	if err := cursor.All(ctx, &found); err != nil || len(found) == 0 {
		return 0, err
	}
	ids := make([]string, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	return len(ids), f(ctx, s, bson.E{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}})
}
