package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// documentDoc is a document as it is stored. Its data stays the text that it
// is: as BSON its keys would come in another order, and its numbers in another
// width.
type documentDoc struct {
	ID        string    `bson:"_id"`
	OrgID     string    `bson:"org_id"`
	Stamp     int64     `bson:"stamp"` // see fence.go
	Type      string    `bson:"type"`
	Revision  int64     `bson:"revision"`
	CreatedAt time.Time `bson:"created_at"`
	UpdatedAt time.Time `bson:"updated_at"`
	Data      string    `bson:"data"`
	// Tag is of one write alone. A revision can come again, when a document is
	// deleted and another takes its id.
	Tag int64 `bson:"tag"`
	// Notes say that it was touched while that was recorded: see moving.go.
	Notes int64 `bson:"notes,omitempty"`
	// Deleted is set when there is no such document any more, and only this is
	// left of it.
	Deleted bool `bson:"deleted,omitempty"`
}

// InsertDocument stores a document as it is given. See app.Documents.
func (c *Cluster) InsertDocument(ctx context.Context, ns app.Namespace, d app.Document) error {
	tag := newTag()
	err := c.write(ctx, ns, mayWrite, func(ctx context.Context, s shelf) (bool, error) {
		stored := s.store(d)
		stored.Tag = tag
		_, err := s.collection.InsertOne(ctx, stored)
		if !isDuplicate(err) {
			return err == nil, err
		}
		// Another's, or our own from a try whose answer got lost.
		var now documentDoc
		err = s.collection.FindOne(ctx, s.one(d.ID), options.FindOne().SetProjection(withoutData)).Decode(&now)
		switch {
		case err != nil:
			return false, passOver(err)
		case now.Tag == tag:
			return true, nil
		case !now.Deleted:
			return false, app.Taken(app.ConflictDocumentID)
		}
		result, err := s.collection.ReplaceOne(ctx, s.one(d.ID, bson.E{Key: "tag", Value: now.Tag}), stored)
		return err == nil && result.MatchedCount == 1, err
	})
	if err == nil {
		c.wholeness.note(keyIn(ns)) // in a collection that was there?
	}
	return err
}

// Document reads one. See app.Documents.
func (c *Cluster) Document(ctx context.Context, ns app.Namespace, id app.DocumentID) (app.Document, error) {
	d, _, err := c.document(ctx, ns, id)
	return d, err
}

// document reads one, with its tag.
func (c *Cluster) document(ctx context.Context, ns app.Namespace, id app.DocumentID) (d app.Document, tag int64, err error) {
	there := false
	err = c.find(ctx, ns, func(ctx context.Context, s shelf) (bool, error) {
		var stored documentDoc
		err := s.collection.FindOne(ctx, s.one(id, live)).Decode(&stored)
		d, tag, there = s.document(stored), stored.Tag, err == nil
		return there, passOver(err)
	})
	if err == nil && !there {
		err = errNoDocument(id)
	}
	if err != nil {
		return app.Document{}, 0, err
	}
	return d, tag, nil
}

// passOver makes "none there" no error.
func passOver(err error) error {
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	return err
}

func errNoDocument(id app.DocumentID) error {
	return fmt.Errorf("document %s: %w", id, app.ErrNotFound)
}

// ListDocuments lists in byte order of ids, which is how the server compares
// strings. See app.Documents.
func (c *Cluster) ListDocuments(ctx context.Context, ns app.Namespace, q app.DocumentQuery) (list []app.Document, err error) {
	err = c.find(ctx, ns, func(ctx context.Context, s shelf) (bool, error) {
		list, err = s.list(ctx, q)
		return len(list) > 0, err
	})
	return list, err
}

func (s shelf) list(ctx context.Context, q app.DocumentQuery) (list []app.Document, err error) {
	filter := s.after(q.After, live)
	if q.Type != "" {
		filter = append(filter, bson.E{Key: "type", Value: q.Type})
	}
	err = s.read(ctx, filter, q.Limit, q.MaxBytes, func(d documentDoc) { list = append(list, s.document(d)) })
	return list, err
}

// read gives f what the filter finds, in order of id, up to limit and to the
// document by which the data of all becomes more than most bytes; 0 is no
// bound.
func (s shelf) read(ctx context.Context, filter bson.D, limit, most int, f func(documentDoc)) error {
	cursor, err := s.collection.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).
		SetLimit(int64(limit)).SetBatchSize(int32(min(limit, 1<<20))))
	if err != nil {
		return err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	bytes := 0
	for cursor.Next(ctx) {
		var d documentDoc
		if err := cursor.Decode(&d); err != nil {
			return err
		}
		f(d)
		if bytes += len(d.Data); most > 0 && bytes > most {
			return nil
		}
	}
	return cursor.Err()
}
