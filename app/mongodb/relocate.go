package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
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
//	open     the validator demands a new stamp: see fence.go
//	settle   the new name and stamp are in force, the old name is free
//
// Nothing is ever dropped or overwritten on the word of what was read before:
// a server that was paused between reading and sending would destroy what has
// come there since. A move fails where the target exists, and what is moved
// aside is looked at before it is dropped.
func (c *Cluster) Rename(ctx context.Context, ns app.Namespace, to string, generation int64) error {
	if err := c.check(ns); err != nil {
		return err
	}
	if err := checkCollection(ns.Placement.Isolation, to); err != nil {
		return err
	}
	return c.alone(ctx, ns.Organization, func(ctx context.Context) error {
		return c.unlessOvertaken(ctx, func(ctx context.Context) error {
			d, err := c.resolve(ctx, keyIn(ns))
			if err == nil {
				d, err = c.adopted(ctx, d)
			}
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
			case d.Collection == to && d.Generation == generation && d.Stamp != 0:
				return nil
			default:
				if d, err = c.recordPending(ctx, d, pending{to, generation}); err != nil {
					return err
				}
			}
			_, err = c.relocate(ctx, d)
			return err
		})
	})
}

// unlessOvertaken does f again as long as somebody else changes the namespace
// between its reading and its writing.
func (c *Cluster) unlessOvertaken(ctx context.Context, f func(ctx context.Context) error) error {
	for try := 0; ; try++ {
		err := f(ctx)
		if !errors.Is(err, errOvertaken) {
			return err
		}
		if !pause(ctx, try) {
			return app.Unavailable("The namespace, which other servers are changing,", err)
		}
	}
}

// recordPending takes the new name.
func (c *Cluster) recordPending(ctx context.Context, d namespaceDoc, p pending) (namespaceDoc, error) {
	next := d
	next.Pending = &p
	next.Holds = []string{d.held(d.Collection)}
	if p.Collection != d.Collection {
		next.Holds = append(next.Holds, d.held(p.Collection))
	}
	err := c.free(ctx, next)
	if err == nil && len(next.Holds) > 1 {
		err = c.noteRenamed(ctx, next.Holds)
	}
	if err == nil {
		err = c.step(ctx, d, &next)
	}
	if isDuplicate(err) {
		yielded, err := c.yieldTo(ctx, next)
		if err == nil && yielded {
			return c.recordPending(ctx, d, p)
		}
		if err == nil {
			err = app.Taken(app.ConflictCollection)
		}
		return d, err
	}
	return next, err
}

// relocate does what is left of a pending rename.
func (c *Cluster) relocate(ctx context.Context, d namespaceDoc) (namespaceDoc, error) {
	from, to := d.Collection, d.Pending.Collection
	next := d
	next.Collection, next.Generation, next.Pending, next.Holds = to, d.Pending.Generation, nil, []string{d.held(to)}
	if d.shared() { // only the generation changes
		return c.settle(ctx, d, next)
	}
	next.Stamp = newStamp()
	if from != to {
		if err := c.move(ctx, d); err != nil {
			return d, fmt.Errorf("move %s to %s: %w", from, to, err)
		}
		if err := c.shut(ctx, d, next); err != nil {
			return d, fmt.Errorf("close %s: %w", from, err)
		}
		next.Left = slices.DeleteFunc(append(slices.Clone(d.Left), from), func(name string) bool { return name == to })
		slices.Sort(next.Left)
		next.Left = slices.Compact(next.Left)
	} else if err := c.validate(ctx, c.database(next), to, next.demands(next.Stamp)); err != nil {
		return d, fmt.Errorf("open %s: %w", to, err)
	}
	return c.settle(ctx, d, next)
}

func (c *Cluster) settle(ctx context.Context, d, next namespaceDoc) (namespaceDoc, error) {
	if err := c.step(ctx, d, &next); err != nil {
		return d, err
	}
	c.names.put(d.ID, next)
	return next, nil
}

// move renames the collection unless that is done.
func (c *Cluster) move(ctx context.Context, d namespaceDoc) error {
	from, to := d.Collection, d.Pending.Collection
	there, err := c.look(ctx, d, from)
	if err != nil {
		return err
	}
	if !there.exists || there.refuses {
		return c.arrived(ctx, d) // moved before
	}
	for range 3 {
		err := c.rename(ctx, d, from, to)
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
	there, err := c.look(ctx, d, d.Pending.Collection)
	if err == nil && !there.exists {
		if err = c.takeBack(ctx, d, d.Pending.Collection); err == nil {
			there, err = c.look(ctx, d, d.Pending.Collection)
		}
	}
	if err != nil || there.exists {
		return err
	}
	c.log.Error("the collection of an organization is gone; it goes on with an empty one",
		"cluster", c.key, "org_id", d.org(), "collection", d.Collection)
	err = c.database(d).CreateCollection(ctx, d.Pending.Collection, options.CreateCollection().SetValidator(refusing))
	if hasCode(err, codeNamespaceExists) {
		return nil
	}
	return err
}

func (c *Cluster) rename(ctx context.Context, d namespaceDoc, from, to string) error {
	return c.renameOver(ctx, d, from, to, false)
}

func (c *Cluster) renameOver(ctx context.Context, d namespaceDoc, from, to string, dropTarget bool) error {
	db := c.database(d).Name()
	return c.client.Database("admin").RunCommand(ctx, bson.D{
		{Key: "renameCollection", Value: db + "." + from}, {Key: "to", Value: db + "." + to},
		{Key: "dropTarget", Value: dropTarget}, durable,
	}).Err()
}

// shut puts a collection that takes nothing under the old name, and opens the
// new one. Where a late writer has made one under the old name, its documents
// are acknowledged, and so they are taken along: nothing gets in there any more
// by then.
func (c *Cluster) shut(ctx context.Context, d, next namespaceDoc) error {
	db := c.database(d)
	err := c.createAs(ctx, db, d.Collection, refusing)
	if hasCode(err, codeNamespaceExists) {
		err = c.validate(ctx, db, d.Collection, refusing)
	}
	if err != nil {
		return err
	}
	if err := c.validate(ctx, db, next.Collection, next.demands(next.Stamp)); err != nil {
		return err
	}
	return c.takeAlong(ctx, d, d.Collection, next.Collection, next.Stamp)
}

// takeAlong moves what an organization has in a collection that takes nothing
// to another.
func (c *Cluster) takeAlong(ctx context.Context, d namespaceDoc, from, to string, stamp int64) error {
	old, now := c.shelf(d, from), c.shelf(d, to)
	cursor, err := old.collection.Find(ctx, old.every())
	if err != nil {
		return err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	for cursor.Next(ctx) {
		var stray documentDoc
		if err := cursor.Decode(&stray); err != nil {
			return err
		}
		if !stray.Deleted {
			stray.Stamp, stray.Notes = stamp, d.Notes
			if _, err := now.collection.InsertOne(ctx, stray); err != nil && !isDuplicate(err) {
				return err
			}
		}
		one := old.every(bson.E{Key: "_id", Value: stray.ID}, bson.E{Key: "tag", Value: stray.Tag})
		if _, err := old.collection.DeleteOne(ctx, one); err != nil {
			return err
		}
	}
	return cursor.Err()
}

// seen is what stands under a name.
type seen struct {
	exists  bool
	refuses bool   // it takes nothing
	org     string // whose it is, by its validator
	stamp   int64  // what it demands
}

func (c *Cluster) look(ctx context.Context, d namespaceDoc, name string) (seen, error) {
	if c.lacks.validators {
		return c.lookPlain(ctx, d, name)
	}
	all, err := c.lookThrough(ctx, c.database(d), bson.D{{Key: "name", Value: name}})
	return all[name], err
}

// lookThrough is what stands in a database, by name.
func (c *Cluster) lookThrough(ctx context.Context, db *mongo.Database, filter bson.D) (map[string]seen, error) {
	specs, err := db.ListCollectionSpecifications(ctx, filter)
	if err != nil {
		return nil, err
	}
	all := make(map[string]seen, len(specs))
	for _, spec := range specs {
		var o struct {
			Validator struct {
				Organization bson.RawValue `bson:"org_id"`
				ID           bson.D        `bson:"_id"`
				Stamp        int64         `bson:"stamp"`
			} `bson:"validator"`
		}
		if err := bson.Unmarshal(spec.Options, &o); err != nil {
			return nil, err
		}
		org, _ := o.Validator.Organization.StringValueOK()
		all[spec.Name] = seen{exists: true, refuses: o.Validator.ID != nil, org: org, stamp: o.Validator.Stamp}
	}
	return all, nil
}
