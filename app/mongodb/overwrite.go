package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// UpdateDocument changes one that nobody has changed since it was read, as
// often as somebody has. See app.Documents.
func (c *Cluster) UpdateDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64,
	f func(*app.Document) error,
) (app.Document, error) {
	for try := 0; ; try++ {
		d, tag, err := c.document(ctx, ns, id)
		if err != nil {
			return app.Document{}, err
		}
		if expected != app.AnyRevision && expected != d.Revision {
			return app.Document{}, app.ErrStale
		}
		created, revision := d.CreatedAt, d.Revision
		if err := f(&d); err != nil {
			return app.Document{}, err
		}
		d.ID, d.Revision, d.CreatedAt = id, revision+1, created
		done, err := c.replace(ctx, ns, tag, d)
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

// replace writes a document in the place of the one with this tag, and reports
// false when that one is not there any more.
func (c *Cluster) replace(ctx context.Context, ns app.Namespace, before int64, d app.Document) (done bool, err error) {
	tag := newTag()
	err = c.write(ctx, ns, mayWrite, func(ctx context.Context, s shelf) (bool, error) {
		stored := s.store(d)
		stored.Tag = tag
		result, err := s.collection.ReplaceOne(ctx, s.one(d.ID, bson.E{Key: "tag", Value: before}), stored)
		if err != nil {
			return false, err
		}
		if done = result.MatchedCount == 1; done {
			return true, nil
		}
		// Perhaps our own, from a try whose answer got lost.
		var now documentDoc
		err = s.collection.FindOne(ctx, s.one(d.ID), options.FindOne().SetProjection(withoutData)).Decode(&now)
		done = err == nil && now.Tag == tag
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
	var out app.Document
	tag := newTag()
	err := c.overwrite(ctx, ns, id, expected, tag, func(ctx context.Context, s shelf, filter bson.D) (bool, error) {
		set := append(s.marks(tag), bson.E{Key: "data", Value: string(r.Data)})
		if r.Type != "" {
			set = append(set, bson.E{Key: "type", Value: r.Type})
		}
		var d documentDoc
		o := options.FindOneAndUpdate().SetReturnDocument(options.After)
		if !c.lacks.validators { // what lacks those may lack this, too
			o.SetProjection(withoutData)
		}
		err := s.collection.FindOneAndUpdate(ctx, filter, bson.D{
			{Key: "$set", Value: set},
			{Key: "$inc", Value: bson.D{{Key: "revision", Value: int64(1)}}},
			{Key: "$max", Value: bson.D{{Key: "updated_at", Value: r.At}}},
		}, o).Decode(&d)
		out = s.document(d)
		return err == nil, passOver(err)
	}, func(now app.Document) { out = now })
	if err != nil {
		return app.Document{}, err
	}
	out.Data = r.Data
	return out, nil
}

// DeleteDocument marks one as deleted, which is when it is, and removes what is
// left of it unless that is still needed. See app.Documents.
func (c *Cluster) DeleteDocument(ctx context.Context, ns app.Namespace, id app.DocumentID, expected int64) error {
	tag := newTag()
	var at shelf
	err := c.overwrite(ctx, ns, id, expected, tag, func(ctx context.Context, s shelf, filter bson.D) (bool, error) {
		at = s
		result, err := s.collection.UpdateOne(ctx, filter, bson.D{
			{Key: "$set", Value: append(s.marks(tag), bson.E{Key: "deleted", Value: true})}})
		return err == nil && result.MatchedCount == 1, err
	}, func(app.Document) {})
	if err != nil || at.notes != 0 {
		return err
	}
	ctx, cancel := c.writing(ctx)
	defer cancel()
	if _, err := at.collection.DeleteOne(ctx, at.one(id, bson.E{Key: "tag", Value: tag})); err != nil {
		c.log.Debug("what is left of a deleted document stays until its id is taken", "cluster", c.key, "error", c.cause(err))
	}
	return nil
}

// withoutData leaves out what may be megabytes.
var withoutData = bson.D{{Key: "data", Value: 0}}

// overwrite runs f, which writes the tag to the document that the filter finds
// and says whether there was one, until that is done or cannot be. written is
// told when it was f's own work that left none for f, and the answer got lost.
func (c *Cluster) overwrite(ctx context.Context, ns app.Namespace, id app.DocumentID, expected, tag int64,
	f func(ctx context.Context, s shelf, filter bson.D) (bool, error), written func(now app.Document),
) error {
	for try := 0; ; try++ {
		between := false
		err := c.write(ctx, ns, mayWrite, func(ctx context.Context, s shelf) (bool, error) {
			// What this very write has left behind must not be changed once more by a
			// repetition of it.
			filter := s.one(id, live, bson.E{Key: "tag", Value: bson.D{{Key: "$ne", Value: tag}}})
			if expected != app.AnyRevision {
				filter = append(filter, bson.E{Key: "revision", Value: expected})
			}
			if done, err := f(ctx, s, filter); done || err != nil {
				return done, err
			}
			var now documentDoc
			err := s.collection.FindOne(ctx, s.one(id), options.FindOne().SetProjection(withoutData)).Decode(&now)
			switch {
			case err != nil:
				return false, passOver(err)
			case now.Tag == tag:
				written(s.document(now))
				return true, nil
			case now.Deleted:
				return false, nil
			case expected != app.AnyRevision && now.Revision != expected:
				return false, app.ErrStale
			}
			between = true // it has come, or become this revision, just now
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
