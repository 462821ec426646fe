package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// asidePrefix begins the names of what was moved aside.
const asidePrefix = "aside_"

// moveAside clears a name that is the organization's: what stands there takes
// nothing, or a late writer made it. It is moved before it is looked at, and
// moved back if it is the data.
func (c *Cluster) moveAside(ctx context.Context, d namespaceDoc, name string) error {
	aside := asidePrefix + bson.NewObjectID().Hex()
	if err := c.rename(ctx, d, name, aside); err != nil {
		if hasCode(err, codeNamespaceNotFound) {
			return nil
		}
		return err
	}
	there, err := c.look(ctx, d, aside)
	if err != nil {
		return err
	}
	db := c.database(d)
	n, err := db.Collection(aside).CountDocuments(ctx, bson.D{{Key: "org_id", Value: string(d.org())}}, options.Count().SetLimit(1))
	if err != nil {
		return err
	}
	if n > 0 || there.org == string(d.org()) {
		source, err := c.look(ctx, d, d.Collection)
		if err != nil {
			return err
		}
		if !source.exists || source.org != string(d.org()) {
			return c.rename(ctx, d, aside, name) // it is the data
		}
		if err := c.takeAlong(ctx, d, aside, d.Collection, d.Stamp); err != nil {
			return err
		}
	}
	if err := c.deliver(ctx, d, aside); err != nil {
		return err
	}
	return db.Collection(aside).Drop(ctx)
}

// takeBack gives an organization's data its name again, where one was paused
// between finding that the name was in its way and moving what had come there
// since aside, and then died before it had looked at it.
func (c *Cluster) takeBack(ctx context.Context, d namespaceDoc, name string) error {
	if d.shared() || c.lacks.validators {
		return nil // it has no collection of its own, or none can be told from another
	}
	all, err := c.lookThrough(ctx, c.database(d), bson.D{{Key: "name", Value: bson.D{{Key: "$regex", Value: "^" + asidePrefix}}}})
	if err != nil {
		return err
	}
	for aside, there := range all {
		if there.org != string(d.org()) {
			continue
		}
		err := c.rename(ctx, d, aside, name)
		if hasCode(err, codeNamespaceNotFound) {
			continue // whoever moved it is alive
		}
		if err == nil {
			c.log.Warn("the collection of an organization had been left aside, and is back", "cluster", c.key, "org_id", d.org(), "collection", name)
		}
		if hasCode(err, codeNamespaceExists) {
			return nil
		}
		return err
	}
	return nil
}
