package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// How organizations are served where the store keeps no validators.
//
// Nothing refuses a write that is out of date there, so each write looks, in
// this order: where the documents are, it writes, and whether they are still
// there. Only then is it acknowledged. If they are not, it is done again where
// they are now; what it has left behind was never acknowledged. That is two
// more commands for each write, and it is enough for renames and deletions. It
// is not for moving an organization to another place, which has to know of each
// write, and that is refused.
//
// Whose a collection is says a document in it, the mark, where the validator
// says it elsewhere. A collection without one is nobody's.

// ownerID is no document's: theirs have no "/" in such a collection.
const ownerID = "/of"

// ownerMark is that document. It has no org_id, by which documents are found.
type ownerMark struct {
	ID  string `bson:"_id"`
	Org string `bson:"of"`
}

// notMark passes over it.
var notMark = bson.E{Key: "_id", Value: bson.D{{Key: "$ne", Value: ownerID}}}

// isOurs is the mark of an organization.
func isOurs(d namespaceDoc) bson.D {
	return append(byID(ownerID), bson.E{Key: "of", Value: string(d.org())})
}

// claimPlain marks a collection, which is made by that, as the organization's.
// Nobody else can have its name.
func (c *Cluster) claimPlain(ctx context.Context, d namespaceDoc, name string) error {
	collection := c.database(d).Collection(name)
	for try := 0; ; try++ {
		_, err := collection.InsertOne(ctx, ownerMark{ownerID, string(d.org())})
		if !isDuplicate(err) {
			return err
		}
		var there ownerMark
		err = collection.FindOne(ctx, byID(ownerID)).Decode(&there)
		if err == nil && there.Org == string(d.org()) {
			return nil
		}
		if err == nil { // somebody's who is no more
			_, err = collection.DeleteOne(ctx, append(byID(ownerID), bson.E{Key: "of", Value: there.Org}))
		}
		if err = passOver(err); err != nil {
			return err
		}
		if !pause(ctx, try) {
			return c.unavailable(ctx.Err())
		}
	}
}

// lookPlain is look where there are no validators.
func (c *Cluster) lookPlain(ctx context.Context, d namespaceDoc, name string) (seen, error) {
	names, err := c.database(d).ListCollectionNames(ctx, bson.D{{Key: "name", Value: name}})
	if err != nil || len(names) == 0 {
		return seen{}, err
	}
	if d.shared() { // nobody's: it has no mark
		return seen{exists: true, refuses: true}, nil
	}
	var there ownerMark
	err = passOver(c.database(d).Collection(name).FindOne(ctx, byID(ownerID)).Decode(&there))
	return seen{exists: true, refuses: there.Org == "", org: there.Org}, err
}

// adopt makes a namespace as it has to be here, before it is written to.
func (c *Cluster) adopt(ctx context.Context, at namespaceDoc) error {
	return c.alone(ctx, at.org(), func(ctx context.Context) error {
		d, err := c.resolve(ctx, at.ID)
		if err == nil {
			_, err = c.adopted(ctx, d)
		}
		if errors.Is(err, errOvertaken) {
			return nil
		}
		return err
	})
}

// adopted is a namespace as it has to be here, where it was made on a server of
// the other kind and came from there with a dump.
func (c *Cluster) adopted(ctx context.Context, d namespaceDoc) (namespaceDoc, error) {
	if d.Plain == c.lacks.validators {
		return d, nil
	}
	own := c.database(d).Collection(d.Collection)
	if d.Pending != nil { // it was dumped in the middle of a rename
		there, err := c.database(d).ListCollectionNames(ctx, bson.D{{Key: "name", Value: d.Pending.Collection}})
		if err != nil {
			return d, err
		}
		if len(there) > 0 {
			own = c.database(d).Collection(d.Pending.Collection)
		}
	}
	if c.lacks.validators && !d.shared() {
		if err := c.claimPlain(ctx, d, own.Name()); err != nil {
			return d, err
		}
	}
	put := c.change
	if d.Pending != nil {
		put = c.changing // whoever ends the rename puts it in force
	}
	d, err := put(ctx, d, func(d *namespaceDoc) { d.Plain = c.lacks.validators })
	if err == nil && !c.lacks.validators && !d.shared() {
		_, err = own.DeleteOne(ctx, isOurs(d))
	}
	return d, err
}

// acknowledged reports whether a write that was done counts. Where a validator
// was asked, it does. An organization that is gone meanwhile leaves nothing.
func (c *Cluster) acknowledged(ctx context.Context, at namespaceDoc) (bool, error) {
	if !c.lacks.validators {
		return true, nil
	}
	same, err := c.unmoved(ctx, at)
	if errors.Is(err, app.ErrNotFound) {
		s := c.shelf(at, at.Collection)
		if _, left := s.collection.DeleteMany(context.WithoutCancel(ctx), s.every()); left != nil {
			c.log.Warn("what was written while an organization was deleted stays behind", "cluster", c.key, "org_id", at.org(), "error", c.cause(left))
		}
	}
	return same, err
}

// clearPlain removes an organization's documents from its collections, and
// the marks. Who sends that late hurts nobody, as all of it is by the
// organization's id.
func (c *Cluster) clearPlain(ctx context.Context, d namespaceDoc) error {
	for _, name := range d.names() {
		at := d
		at.Collection = name
		err := c.inBatches(ctx, at, nil, func(ctx context.Context, s shelf, some bson.E) error {
			_, err := s.collection.DeleteMany(ctx, s.every(some))
			return err
		})
		if err == nil && !d.shared() {
			_, err = c.database(d).Collection(name).DeleteOne(ctx, isOurs(d))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// free refuses names that another organization holds, where no index does.
func (c *Cluster) free(ctx context.Context, d namespaceDoc) error {
	if !c.lacks.elements {
		return nil
	}
	err := c.db.Collection(namespaces).FindOne(ctx, bson.D{{Key: "holds", Value: bson.D{{Key: "$in", Value: d.Holds}}},
		{Key: "_id", Value: bson.D{{Key: "$ne", Value: d.ID}}}}).Err()
	switch {
	case err == nil:
		return app.Taken(app.ConflictCollection)
	case errors.Is(err, mongo.ErrNoDocuments):
		return nil
	}
	return err
}

// proven refuses to move anything where the store would let in what is out of
// date.
func (c *Cluster) proven() error {
	if !c.lacks.validators {
		return nil
	}
	return app.Invalid("cluster", "cluster_not_fenced", "The server of the "+c.name+
		" does not keep validators, so it could take writes that are out of date. Organizations are served there, but cannot be moved to it or from it.")
}
