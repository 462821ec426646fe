package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// Import stores documents exactly as they are, and removes others. See
// app.Moving.
func (c *Cluster) Import(ctx context.Context, ns app.Namespace, documents []app.Document, gone []app.DocumentID) error {
	return c.receive(ctx, ns, func(ctx context.Context, s shelf) error {
		err := s.put(ctx, documents)
		if err == nil {
			err = s.remove(ctx, gone)
		}
		return err
	})
}

// Fill inserts, which is as fast as a store can be, and puts the few that are
// there already in their places. See app.Moving.
func (c *Cluster) Fill(ctx context.Context, ns app.Namespace, documents []app.Document) error {
	return c.receive(ctx, ns, func(ctx context.Context, s shelf) error {
		if len(documents) == 0 {
			return nil
		}
		stored := make([]any, len(documents))
		for i, d := range documents {
			stored[i] = s.store(d)
		}
		_, err := s.collection.InsertMany(ctx, stored, options.InsertMany().SetOrdered(false))
		there := duplicates(err)
		if len(there) == 0 {
			return err
		}
		return s.put(ctx, chosen(documents, there))
	})
}

// receive writes what is moved here, as who has the namespace's generation.
func (c *Cluster) receive(ctx context.Context, ns app.Namespace, f func(ctx context.Context, s shelf) error) error {
	may := func(d namespaceDoc) error {
		if d.phase() != app.PhaseClosed || d.Generation != ns.Placement.Generation {
			return stale(d, ns)
		}
		return nil
	}
	return c.write(ctx, ns, may, func(ctx context.Context, s shelf) (bool, error) {
		err := f(ctx, s)
		return err == nil, err
	})
}

// putTries is how often documents are put where others put them as well: who
// was overtaken may not know it yet, and two who make the same document at once
// are in each other's way.
const putTries = 3

// put stores documents, whether or not any are there with the same ids.
func (s shelf) put(ctx context.Context, documents []app.Document) error {
	for try := 1; len(documents) > 0; try++ {
		models := make([]mongo.WriteModel, len(documents))
		for i, d := range documents {
			models[i] = mongo.NewReplaceOneModel().SetFilter(s.one(d.ID)).SetReplacement(s.store(d)).SetUpsert(true)
		}
		_, err := s.collection.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
		there := duplicates(err)
		if len(there) == 0 || try == putTries {
			return err
		}
		documents = chosen(documents, there)
	}
	return nil
}

func chosen(documents []app.Document, places []int) []app.Document {
	list := make([]app.Document, len(places))
	for n, i := range places {
		list[n] = documents[i]
	}
	return list
}

// duplicates are the places of documents that were not written because their ids
// were there, when that was all that kept any from being written.
func duplicates(err error) []int {
	var failed mongo.BulkWriteException
	if !errors.As(err, &failed) || failed.WriteConcernError != nil {
		return nil
	}
	var there []int
	for _, e := range failed.WriteErrors {
		if !isDuplicate(e.WriteError) {
			return nil
		}
		there = append(there, e.Index)
	}
	return there
}

func (s shelf) remove(ctx context.Context, gone []app.DocumentID) error {
	if len(gone) == 0 {
		return nil
	}
	ids := make([]string, len(gone))
	for i, id := range gone {
		ids[i] = s.prefix + string(id)
	}
	return s.removeAll(ctx, bson.E{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}})
}

// removeAll marks documents as deleted, and removes what is left of them.
func (s shelf) removeAll(ctx context.Context, some bson.E) error {
	tag := newTag()
	_, err := s.collection.UpdateMany(ctx, s.every(some), bson.D{
		{Key: "$set", Value: append(s.marks(tag), bson.E{Key: "deleted", Value: true})}})
	if err == nil {
		_, err = s.collection.DeleteMany(ctx, s.every(some, bson.E{Key: "tag", Value: tag}))
	}
	return err
}
