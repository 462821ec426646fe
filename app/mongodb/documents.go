package mongodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	ID         string    `bson:"_id"`
	OrgID      string    `bson:"org_id"`
	Generation int64     `bson:"generation"`
	Type       string    `bson:"type"`
	Revision   int64     `bson:"revision"`
	CreatedAt  time.Time `bson:"created_at"`
	UpdatedAt  time.Time `bson:"updated_at"`
	Data       string    `bson:"data"`
	// Tag is of one write alone. A revision can come again, when a document is
	// deleted and another takes its id.
	Tag int64 `bson:"tag"`
	// Moving is set while it is taken along by a rename.
	Moving bool `bson:"moving,omitempty"`
}

func documentDocOf(org app.OrganizationID, generation int64, d app.Document) documentDoc {
	return documentDoc{
		ID: string(d.ID), OrgID: string(org), Generation: generation, Type: d.Type, Revision: d.Revision,
		CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, Data: string(d.Data), Tag: rand.Int64(), //nolint:gosec // no secret
	}
}

func (d documentDoc) document() app.Document {
	return app.Document{ID: app.DocumentID(d.ID), Type: d.Type, Revision: d.Revision,
		CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(), Data: []byte(d.Data)}
}

// its is the organization's document of this id, wherever it is looked for.
func its(org app.OrganizationID, id app.DocumentID) bson.D {
	return bson.D{{Key: "_id", Value: string(id)}, {Key: "org_id", Value: string(org)}}
}

// InsertDocument stores a document as it is given. See app.Documents.
func (c *Cluster) InsertDocument(ctx context.Context, ns app.Namespace, d app.Document) error {
	if err := check(ns); err != nil {
		return err
	}
	stored := documentDocOf(ns.Organization, 0, d)
	return c.write(ctx, ns, func(ctx context.Context, at namespaceDoc) (bool, error) {
		stored.Generation = at.Generation
		collection := c.db.Collection(at.Collection)
		_, err := collection.InsertOne(ctx, stored)
		if !isDuplicate(err) {
			return err == nil, err
		}
		// Another's, or our own from a try whose answer got lost.
		var now documentDoc
		err = collection.FindOne(ctx, its(ns.Organization, d.ID)).Decode(&now)
		switch {
		case err == nil && now.Tag == stored.Tag:
			return true, nil
		case err == nil:
			return false, app.Taken(app.ConflictDocumentID)
		}
		return false, passOver(err)
	})
}

// Document reads one. See app.Documents.
func (c *Cluster) Document(ctx context.Context, ns app.Namespace, id app.DocumentID) (app.Document, error) {
	d, err := c.document(ctx, ns, id)
	return d.document(), err
}

func (c *Cluster) document(ctx context.Context, ns app.Namespace, id app.DocumentID) (documentDoc, error) {
	var d documentDoc
	there := false
	err := c.find(ctx, ns, func(ctx context.Context, collection *mongo.Collection) (bool, error) {
		err := collection.FindOne(ctx, its(ns.Organization, id)).Decode(&d)
		there = err == nil
		return there, passOver(err)
	})
	if err == nil && !there {
		err = errNoDocument(id)
	}
	return d, err
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
func (c *Cluster) ListDocuments(ctx context.Context, ns app.Namespace, q app.DocumentQuery) ([]app.Document, error) {
	filter := bson.D{{Key: "org_id", Value: string(ns.Organization)}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: string(q.After)}}}}
	if q.After == "" {
		filter = filter[:1]
	}
	if q.Type != "" {
		filter = append(filter, bson.E{Key: "type", Value: q.Type})
	}
	var list []app.Document
	err := c.find(ctx, ns, func(ctx context.Context, collection *mongo.Collection) (bool, error) {
		list = nil
		cursor, err := collection.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).
			SetLimit(int64(q.Limit)).SetBatchSize(int32(min(q.Limit, 1<<20))))
		if err != nil {
			return false, err
		}
		defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
		bytes := 0
		for cursor.Next(ctx) {
			var d documentDoc
			if err := cursor.Decode(&d); err != nil {
				return false, err
			}
			list = append(list, d.document())
			if bytes += len(d.Data); q.MaxBytes > 0 && bytes > q.MaxBytes {
				return true, nil
			}
		}
		return len(list) > 0, cursor.Err()
	})
	return list, err
}
