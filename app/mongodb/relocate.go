package mongodb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// Rename gives the organization's collection another name. See app.Cluster.
//
// It is done in steps, each of which can be done again by whoever finds the
// namespace with a pending name:
//
//	record   the pending name and generation; the name is ours from here on
//	clear    what stands under that name is moved aside
//	move     renameCollection, which is atomic
//	close    a collection that takes nothing stands under the old name, so that
//	         who has not heard is refused, and looks again
//	open     the validator demands the new generation
//	settle   the new name is in force, the old one is free
//
// Nothing is ever dropped or overwritten on the word of what was read before:
// a server that was paused between reading and sending would destroy what has
// come there since. A move fails where the target exists, and what is moved
// aside is looked at before it is dropped.
func (c *Cluster) Rename(ctx context.Context, ns app.Namespace, to string, generation int64) error {
	if err := check(ns); err != nil {
		return err
	}
	if err := checkCollection(to); err != nil {
		return err
	}
	return c.alone(ctx, ns.Organization, func(ctx context.Context) error {
		d, err := c.resolve(ctx, ns.Organization)
		if err != nil {
			return err
		}
		if d.Pending != nil && (d.Pending.Collection != to || d.Pending.Generation != generation) {
			if d, err = c.relocate(ctx, d); err != nil { // one that was broken off
				return err
			}
		}
		switch {
		case d.Pending != nil:
		case d.Collection == to && d.Generation == generation:
			return nil
		default:
			if d, err = c.recordPending(ctx, d, pending{to, generation}); err != nil {
				return err
			}
		}
		_, err = c.relocate(ctx, d)
		return err
	})
}

// recordPending takes the new name.
func (c *Cluster) recordPending(ctx context.Context, d namespaceDoc, p pending) (namespaceDoc, error) {
	next := d
	next.Pending = &p
	next.Holds = []string{d.Collection}
	if p.Collection != d.Collection {
		next.Holds = append(next.Holds, p.Collection)
	}
	err := c.step(ctx, d, &next)
	if isDuplicate(err) {
		return d, app.Taken(app.ConflictCollection)
	}
	return next, err
}

// step writes a namespace that nobody has changed since it was read.
func (c *Cluster) step(ctx context.Context, d namespaceDoc, next *namespaceDoc) error {
	next.Revision = d.Revision + 1
	result, err := c.db.Collection(namespaces).ReplaceOne(ctx,
		bson.D{{Key: "_id", Value: d.ID}, {Key: "revision", Value: d.Revision}}, next)
	if err == nil && result.MatchedCount == 0 {
		return app.Unavailable("The namespace, which another server is changing,", nil)
	}
	return err
}

// relocate does what is left of a pending rename.
func (c *Cluster) relocate(ctx context.Context, d namespaceDoc) (namespaceDoc, error) {
	org, from, to := app.OrganizationID(d.ID), d.Collection, d.Pending.Collection
	if from != to {
		if err := c.move(ctx, d); err != nil {
			return d, fmt.Errorf("move %s to %s: %w", from, to, err)
		}
		if err := c.shut(ctx, d); err != nil {
			return d, fmt.Errorf("close %s: %w", from, err)
		}
	}
	if err := c.validate(ctx, to, demands(org, d.Pending.Generation)); err != nil {
		return d, fmt.Errorf("open %s: %w", to, err)
	}
	next := d
	next.Collection, next.Generation, next.Pending, next.Holds = to, d.Pending.Generation, nil, []string{to}
	next.Left = slices.DeleteFunc(append(slices.Clone(d.Left), from), func(name string) bool { return name == to })
	slices.Sort(next.Left)
	next.Left = slices.Compact(next.Left)
	if err := c.step(ctx, d, &next); err != nil {
		return d, err
	}
	c.names.put(org, next)
	return next, nil
}

// move renames the collection unless that is done.
func (c *Cluster) move(ctx context.Context, d namespaceDoc) error {
	from, to := d.Collection, d.Pending.Collection
	there, err := c.look(ctx, from)
	if err != nil {
		return err
	}
	if !there.exists || there.refuses {
		return c.arrived(ctx, d) // moved before
	}
	for range 3 {
		err := c.rename(ctx, from, to)
		switch {
		case err == nil:
			return nil
		case hasCode(err, codeNamespaceNotFound):
			return c.arrived(ctx, d)
		case !hasCode(err, codeNamespaceExists):
			return err
		}
		if err := c.moveAside(ctx, d, to); err != nil {
			return err
		}
	}
	return app.Unavailable("The collection "+to+", under whose name another keeps coming,", nil)
}

// arrived checks that the data is where it was to be moved. A collection that
// somebody dropped behind the program's back is made anew, empty.
func (c *Cluster) arrived(ctx context.Context, d namespaceDoc) error {
	there, err := c.look(ctx, d.Pending.Collection)
	if err != nil || there.exists {
		return err
	}
	c.log.Error("the collection of an organization is gone; it goes on with an empty one",
		"cluster", c.key, "org_id", d.ID, "collection", d.Collection)
	return c.furnish(ctx, namespaceDoc{ID: d.ID, Collection: d.Pending.Collection, Generation: d.Pending.Generation})
}

// moveAside clears a name that is the organization's: what stands there takes
// nothing, or a late writer made it. It is moved before it is looked at, and
// moved back if it is the data.
func (c *Cluster) moveAside(ctx context.Context, d namespaceDoc, name string) error {
	aside := "aside_" + bson.NewObjectID().Hex()
	if err := c.rename(ctx, name, aside); err != nil {
		if hasCode(err, codeNamespaceNotFound) {
			return nil
		}
		return err
	}
	there, err := c.look(ctx, aside)
	if err != nil {
		return err
	}
	n, err := c.db.Collection(aside).CountDocuments(ctx, bson.D{{Key: "org_id", Value: d.ID}}, options.Count().SetLimit(1))
	if err != nil {
		return err
	}
	if n > 0 || there.org == d.ID {
		source, err := c.look(ctx, d.Collection)
		if err != nil {
			return err
		}
		if !source.exists || source.org != d.ID {
			return c.rename(ctx, aside, name) // it is the data
		}
		if err := c.takeAlong(ctx, d.ID, aside, d.Collection, d.Generation); err != nil {
			return err
		}
	}
	if err := c.deliver(ctx, d.ID, aside); err != nil {
		return err
	}
	return c.db.Collection(aside).Drop(ctx)
}

func (c *Cluster) rename(ctx context.Context, from, to string) error {
	return c.client.Database("admin").RunCommand(ctx, bson.D{
		{Key: "renameCollection", Value: c.db.Name() + "." + from}, {Key: "to", Value: c.db.Name() + "." + to},
		{Key: "dropTarget", Value: false},
	}).Err()
}

// shut puts a collection that takes nothing under the old name. Where a late
// writer has made one there, its documents are acknowledged, and so they are
// taken along.
//
// A server lets nothing in once that collection is there. The one that the
// tests run against lets in what it had looked at before, so it is looked at
// once more after a while.
func (c *Cluster) shut(ctx context.Context, d namespaceDoc) error {
	err := c.db.CreateCollection(ctx, d.Collection, options.CreateCollection().SetValidator(refusing))
	if hasCode(err, codeNamespaceExists) {
		err = c.validate(ctx, d.Collection, refusing)
	}
	if err != nil {
		return err
	}
	if err := c.validate(ctx, d.Pending.Collection, demands(app.OrganizationID(d.ID), d.Pending.Generation)); err != nil {
		return err
	}
	for range 2 {
		if err := c.takeAlong(ctx, d.ID, d.Collection, d.Pending.Collection, d.Pending.Generation); err != nil {
			return err
		}
		time.Sleep(settle)
	}
	return nil
}

// settle is how long writes that a server has let in may take to be seen.
const settle = 10 * time.Millisecond

// takeAlong moves what an organization has in one collection to another. It is
// marked first, so that who deletes a document there does not believe that it
// is done.
func (c *Cluster) takeAlong(ctx context.Context, org, from, to string, generation int64) error {
	old, now := c.db.Collection(from), c.db.Collection(to)
	mine := bson.D{{Key: "org_id", Value: org}}
	marked, err := old.UpdateMany(ctx, mine, bson.D{{Key: "$set", Value: bson.D{{Key: "moving", Value: true}}}},
		options.UpdateMany().SetBypassDocumentValidation(true))
	if err != nil || marked.MatchedCount == 0 {
		return err
	}
	mine = append(mine, bson.E{Key: "moving", Value: true})
	cursor, err := old.Find(ctx, mine)
	if err != nil {
		return err
	}
	defer func() { _ = cursor.Close(ctx) }()
	for cursor.Next(ctx) {
		var stray documentDoc
		if err := cursor.Decode(&stray); err != nil {
			return err
		}
		stray.Generation, stray.Moving = generation, false
		if _, err := now.InsertOne(ctx, stray); err != nil && !isDuplicate(err) {
			return err
		}
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	_, err = old.DeleteMany(ctx, mine)
	return err
}

// seen is what stands under a name.
type seen struct {
	exists  bool
	refuses bool   // it takes nothing
	org     string // whose it is, by its validator
}

func (c *Cluster) look(ctx context.Context, name string) (seen, error) {
	specs, err := c.db.ListCollectionSpecifications(ctx, bson.D{{Key: "name", Value: name}})
	if err != nil || len(specs) == 0 {
		return seen{}, err
	}
	var o struct {
		Validator struct {
			Organization string `bson:"org_id"`
			ID           bson.D `bson:"_id"`
		} `bson:"validator"`
	}
	if err := bson.Unmarshal(specs[0].Options, &o); err != nil {
		return seen{}, err
	}
	return seen{exists: true, refuses: o.Validator.ID != nil, org: o.Validator.Organization}, nil
}
