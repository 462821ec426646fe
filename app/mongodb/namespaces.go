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

const namespaces = "namespaces"

// namespaceDoc says where an organization's documents are. It alone decides:
// the name in a placement may be another's by now.
//
// A collection has a validator that demands of every document the
// organization's id and the generation. A writer that has not heard of a change
// is refused by it (error 121), reads this document, and tries again.
type namespaceDoc struct {
	ID         string `bson:"_id"` // the organization's
	Collection string `bson:"collection"`
	Generation int64  `bson:"generation"`
	// Pending is where a rename that has begun will have them.
	Pending *pending `bson:"pending,omitempty"`
	// Holds are the names that nobody else can have: the collection's, and the
	// pending one's.
	Holds []string `bson:"holds"`
	// Left are the names that it had before, where a collection that takes
	// nothing stands in the way of late writers. See rename.go.
	Left []string `bson:"left,omitempty"`
	// Revision goes up with every change of this document.
	Revision int64 `bson:"revision"`
	// Dropping is set when the namespace is no more, and only clearing up is left.
	Dropping bool `bson:"dropping,omitempty"`
}

type pending struct {
	Collection string `bson:"collection"`
	Generation int64  `bson:"generation"`
}

// resolve reads where the documents are now, or app.ErrNotFound.
func (c *Cluster) resolve(ctx context.Context, org app.OrganizationID) (namespaceDoc, error) {
	d, err := c.namespace(ctx, org)
	if err == nil && d.Dropping {
		err = mongo.ErrNoDocuments
	}
	if errors.Is(err, mongo.ErrNoDocuments) {
		c.names.drop(org)
		return d, fmt.Errorf("namespace of organization %s: %w", org, app.ErrNotFound)
	}
	if err == nil {
		c.names.put(org, d)
	}
	return d, err
}

func (c *Cluster) namespace(ctx context.Context, org app.OrganizationID) (d namespaceDoc, err error) {
	err = c.db.Collection(namespaces).FindOne(ctx, byID(org)).Decode(&d)
	return d, err
}

// demands is the validator of an organization's collection.
func demands(org app.OrganizationID, generation int64) bson.D {
	return bson.D{{Key: "org_id", Value: string(org)}, {Key: "generation", Value: generation}}
}

// refusing is the validator of a collection that takes nothing.
var refusing = bson.D{{Key: "_id", Value: bson.D{{Key: "$exists", Value: false}}}}

// Provision makes the organization's collection. See app.Cluster.
func (c *Cluster) Provision(ctx context.Context, ns app.Namespace) error {
	if err := check(ns); err != nil {
		return err
	}
	return c.alone(ctx, ns.Organization, func(ctx context.Context) error {
		d := namespaceDoc{ID: string(ns.Organization), Collection: ns.Placement.Collection,
			Generation: ns.Placement.Generation, Holds: []string{ns.Placement.Collection}, Revision: 1}
		_, err := c.db.Collection(namespaces).InsertOne(ctx, d)
		if isDuplicate(err) {
			now, readErr := c.namespace(ctx, ns.Organization)
			switch {
			case errors.Is(readErr, mongo.ErrNoDocuments):
				return app.Taken(app.ConflictCollection) // its name, then
			case readErr != nil:
				return readErr
			case now.Dropping:
				return app.Taken(app.ConflictCollection)
			}
			// There already, under whichever name; though perhaps only half made.
			if now.Pending != nil {
				return nil
			}
			d, err = now, nil
		}
		if err != nil {
			return err
		}
		if err := c.furnish(ctx, d); err != nil {
			return err
		}
		c.names.put(ns.Organization, d)
		return nil
	})
}

// furnish makes the collection of a namespace and its validator. What stands
// there under the name, which nobody else has, is taken over: a collection
// that takes nothing, or what a late writer made after a deletion.
func (c *Cluster) furnish(ctx context.Context, d namespaceDoc) error {
	org := app.OrganizationID(d.ID)
	err := c.db.CreateCollection(ctx, d.Collection, options.CreateCollection().SetValidator(demands(org, d.Generation)))
	if err == nil {
		return nil
	}
	if !hasCode(err, codeNamespaceExists) {
		return err
	}
	if err := c.validate(ctx, d.Collection, demands(org, d.Generation)); err != nil {
		return err
	}
	return c.deliver(ctx, d.ID, d.Collection)
}

// validate gives a collection another validator.
func (c *Cluster) validate(ctx context.Context, collection string, validator bson.D) error {
	return c.db.RunCommand(ctx, bson.D{{Key: "collMod", Value: collection}, {Key: "validator", Value: validator},
		{Key: "validationLevel", Value: "strict"}, {Key: "validationAction", Value: "error"}}).Err()
}

// Drop removes the organization's collection. See app.Cluster.
func (c *Cluster) Drop(ctx context.Context, ns app.Namespace) error {
	if err := check(ns); err != nil {
		return err
	}
	return c.alone(ctx, ns.Organization, func(ctx context.Context) error {
		var d namespaceDoc
		err := c.db.Collection(namespaces).FindOneAndUpdate(ctx, byID(ns.Organization), bson.D{
			{Key: "$set", Value: bson.D{{Key: "dropping", Value: true}}}, {Key: "$inc", Value: bson.D{{Key: "revision", Value: int64(1)}}},
		}, options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&d)
		c.names.drop(ns.Organization)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, name := range d.Holds {
			// First nothing gets in any more, so that what has not heard yet is told.
			if err := c.validate(ctx, name, refusing); err != nil && !hasCode(err, codeNamespaceNotFound) {
				return err
			}
			if err := c.dropHeld(ctx, d, name); err != nil {
				return err
			}
		}
		_, err = c.db.Collection(namespaces).DeleteOne(ctx, append(byID(ns.Organization), bson.E{Key: "dropping", Value: true}))
		return err
	})
}

// dropHeld drops a collection unless the namespace that held its name is gone
// already: then another may have the name.
func (c *Cluster) dropHeld(ctx context.Context, d namespaceDoc, name string) error {
	now, err := c.namespace(ctx, app.OrganizationID(d.ID))
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	if err != nil || now.Revision != d.Revision {
		return err
	}
	// Where another was before, something must stand in the way of its late
	// writers for good.
	others, err := c.db.Collection(namespaces).CountDocuments(ctx,
		bson.D{{Key: "left", Value: name}, {Key: "_id", Value: bson.D{{Key: "$ne", Value: d.ID}}}}, options.Count().SetLimit(1))
	if err != nil {
		return err
	}
	if others > 0 {
		_, err := c.db.Collection(name).DeleteMany(ctx, bson.D{{Key: "org_id", Value: d.ID}})
		return err
	}
	return c.db.Collection(name).Drop(ctx)
}

// Namespaces lists what there is, for comparing with the registry.
func (c *Cluster) Namespaces(ctx context.Context) ([]app.Namespace, error) {
	if err := c.here(); err != nil {
		return nil, err
	}
	cursor, err := c.db.Collection(namespaces).Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, c.translate(err)
	}
	var docs []namespaceDoc
	if err := cursor.All(ctx, &docs); err != nil {
		return nil, c.translate(err)
	}
	list := make([]app.Namespace, len(docs))
	for i, d := range docs {
		list[i] = app.Namespace{Organization: app.OrganizationID(d.ID), Placement: app.Placement{
			Cluster: c.key, Isolation: app.IsolationCollection, Database: c.db.Name(),
			Collection: d.Collection, Generation: d.Generation,
		}}
	}
	return list, nil
}

// Stats counts the documents and the bytes of their data. See app.Cluster.
func (c *Cluster) Stats(ctx context.Context, ns app.Namespace) (app.NamespaceStats, error) {
	var out app.NamespaceStats
	err := c.find(ctx, ns, func(ctx context.Context, collection *mongo.Collection) (bool, error) {
		cursor, err := collection.Aggregate(ctx, mongo.Pipeline{
			{{Key: "$match", Value: bson.D{{Key: "org_id", Value: string(ns.Organization)}}}},
			{{Key: "$group", Value: bson.D{{Key: "_id", Value: nil},
				{Key: "documents", Value: bson.D{{Key: "$sum", Value: int64(1)}}},
				{Key: "bytes", Value: bson.D{{Key: "$sum", Value: bson.D{{Key: "$strLenBytes", Value: "$data"}}}}}}}},
		})
		if err != nil {
			return false, err
		}
		var sums []struct {
			Documents int64 `bson:"documents"`
			Bytes     int64 `bson:"bytes"`
		}
		if err := cursor.All(ctx, &sums); err != nil || len(sums) == 0 {
			return false, err
		}
		out = app.NamespaceStats{Documents: sums[0].Documents, Bytes: sums[0].Bytes}
		return true, nil
	})
	return out, err
}
