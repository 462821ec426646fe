package mongodb

import (
	"context"
	"errors"
	"math/rand/v2"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// settled is the organization's document of this id where no rename is taking
// it along: what is written to one that has been copied already would be lost.
func settled(org app.OrganizationID, id app.DocumentID) bson.D {
	return append(its(org, id), bson.E{Key: "moving", Value: bson.D{{Key: "$exists", Value: false}}})
}

// UpdateDocument changes one that nobody has changed since it was read, as
// often as somebody has. See app.Documents.
func (c *Cluster) UpdateDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64,
	f func(*app.Document) error,
) (app.Document, error) {
	for try := 0; ; try++ {
		before, err := c.document(ctx, ns, id)
		if err != nil {
			return app.Document{}, err
		}
		if expected != app.AnyRevision && expected != before.Revision {
			return app.Document{}, app.ErrStale
		}
		d := before.document()
		if err := f(&d); err != nil {
			return app.Document{}, err
		}
		d.ID, d.Revision, d.CreatedAt = id, before.Revision+1, before.CreatedAt.UTC()
		done, err := c.replace(ctx, ns, before, documentDocOf(ns.Organization, 0, d))
		if err != nil {
			return app.Document{}, err
		}
		if done {
			return d, nil
		}
		if !pause(ctx, try) {
			return app.Document{}, c.unavailable(ctx.Err())
		}
	}
}

// replace writes a document in the place of one, and reports false when that
// one is not there any more.
func (c *Cluster) replace(ctx context.Context, ns app.Namespace, before, after documentDoc) (done bool, err error) {
	err = c.write(ctx, ns, func(ctx context.Context, at namespaceDoc) (bool, error) {
		collection := c.db.Collection(at.Collection)
		after.Generation = at.Generation
		result, err := collection.ReplaceOne(ctx, append(settled(ns.Organization, app.DocumentID(before.ID)),
			bson.E{Key: "tag", Value: before.Tag}), after)
		if err != nil {
			return false, err
		}
		done = result.MatchedCount == 1
		if done {
			return true, nil
		}
		// Perhaps our own, from a try whose answer got lost.
		var now documentDoc
		err = collection.FindOne(ctx, its(ns.Organization, app.DocumentID(before.ID))).Decode(&now)
		done = err == nil && now.Tag == after.Tag
		return done || err == nil, passOver(err)
	})
	if errors.Is(err, errNowhere) {
		return false, nil
	}
	return done, err
}

// ReplaceDocument changes one by one command; it takes another to say why it
// found none to change. See app.Documents.
func (c *Cluster) ReplaceDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64, r app.Replacement) (app.Document, error) {
	var d documentDoc
	tag := rand.Int64() //nolint:gosec // no secret
	set := bson.D{{Key: "data", Value: string(r.Data)}, {Key: "tag", Value: tag}}
	if r.Type != "" {
		set = append(set, bson.E{Key: "type", Value: r.Type})
	}
	// What this very write has left behind must not be changed once more by a
	// repetition of it.
	again := bson.E{Key: "tag", Value: bson.D{{Key: "$ne", Value: tag}}}
	err := c.overwrite(ctx, ns, id, expected, func(ctx context.Context, at *mongo.Collection, generation int64, filter bson.D) (bool, error) {
		err := at.FindOneAndUpdate(ctx, append(filter, again), bson.D{
			{Key: "$set", Value: append(set, bson.E{Key: "generation", Value: generation})},
			{Key: "$inc", Value: bson.D{{Key: "revision", Value: int64(1)}}},
			{Key: "$max", Value: bson.D{{Key: "updated_at", Value: r.At}}},
		}, options.FindOneAndUpdate().SetReturnDocument(options.After).SetProjection(withoutData)).Decode(&d)
		return err == nil, passOver(err)
	}, func(now documentDoc) bool {
		d = now
		return now.Tag == tag
	})
	if err != nil {
		return app.Document{}, err
	}
	d.Data = string(r.Data)
	return d.document(), nil
}

// DeleteDocument removes one. See app.Documents.
func (c *Cluster) DeleteDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64) error {
	return c.overwrite(ctx, ns, id, expected, func(ctx context.Context, at *mongo.Collection, _ int64, filter bson.D) (bool, error) {
		result, err := at.DeleteOne(ctx, filter)
		return err == nil && result.DeletedCount == 1, err
	}, func(documentDoc) bool { return false })
}

// withoutData leaves out what may be megabytes.
var withoutData = bson.D{{Key: "data", Value: 0}}

// overwrite runs f, which writes to the document that the filter finds and
// says whether there was one, until that is done or cannot be. written looks
// at the document where there was none for f: it may be f's own work, whose
// answer got lost.
func (c *Cluster) overwrite(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64,
	f func(ctx context.Context, at *mongo.Collection, generation int64, filter bson.D) (bool, error),
	written func(now documentDoc) bool,
) error {
	filter := settled(ns.Organization, id)
	if expected != app.AnyRevision {
		filter = append(filter, bson.E{Key: "revision", Value: expected})
	}
	for try := 0; ; try++ {
		between := false
		err := c.write(ctx, ns, func(ctx context.Context, at namespaceDoc) (bool, error) {
			collection := c.db.Collection(at.Collection)
			if done, err := f(ctx, collection, at.Generation, filter[:len(filter):len(filter)]); done || err != nil {
				return done, err
			}
			var now documentDoc
			err := collection.FindOne(ctx, its(ns.Organization, id), options.FindOne().SetProjection(withoutData)).Decode(&now)
			switch {
			case err != nil:
				return false, passOver(err)
			case written(now):
				return true, nil
			case expected != app.AnyRevision && now.Revision != expected:
				return false, app.ErrStale
			}
			// It is being taken along, or has come, or become this revision, just now.
			if between = true; now.Moving {
				c.names.drop(ns.Organization)
			}
			return true, nil
		})
		switch {
		case errors.Is(err, errNowhere):
			return errNoDocument(id)
		case err != nil || !between:
			return err
		case !pause(ctx, try):
			return c.unavailable(ctx.Err())
		}
	}
}
