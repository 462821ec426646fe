package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// Usage asks for the size of each database, and counts the documents of each
// collection as the server keeps count. See app.Cluster.
func (c *Cluster) Usage(ctx context.Context) (app.ClusterUsage, error) {
	if err := c.here(); err != nil {
		return app.ClusterUsage{Engine: "mongodb"}, err
	}
	u := app.ClusterUsage{Engine: "mongodb", Isolations: []app.Isolation{app.IsolationCollection, app.IsolationShared, app.IsolationDatabase}, Transactions: c.hello.transactions()}
	var build struct {
		Version string `bson:"version"`
	}
	if err := c.db.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&build); err != nil {
		return u, c.translate(err)
	}
	u.Version = build.Version
	var err error
	if u.Bytes, err = size(ctx, c.db); err != nil {
		return u, c.translate(err)
	}
	u.Fenced = !c.lacks.validators
	list, err := c.allNamespaces(ctx)
	if err != nil {
		return u, err
	}
	u.Namespaces = int64(len(list))
	counted := map[string]bool{}
	for _, d := range list {
		db := c.database(d)
		place := db.Name() + "." + d.Collection
		if counted[place] {
			continue // the shared one
		}
		counted[place] = true
		n, err := db.Collection(d.Collection).EstimatedDocumentCount(ctx)
		if err != nil {
			return u, c.translate(err)
		}
		if d.Plain && !d.shared() && n > 0 {
			n-- // the mark
		}
		u.Documents += n
		if d.Database != "" {
			bytes, err := size(ctx, db)
			if err != nil {
				return u, c.translate(err)
			}
			u.Bytes += bytes
		}
	}
	return u, nil
}

// size is what a database takes on disk.
func size(ctx context.Context, db *mongo.Database) (int64, error) {
	var stats struct {
		Storage float64 `bson:"storageSize"`
		Indexes float64 `bson:"indexSize"`
	}
	err := db.RunCommand(ctx, bson.D{{Key: "dbStats", Value: 1}}).Decode(&stats)
	return int64(stats.Storage + stats.Indexes), err
}

// Stats counts the documents and the bytes of their data. See app.Cluster.
func (c *Cluster) Stats(ctx context.Context, ns app.Namespace) (app.NamespaceStats, error) {
	var out app.NamespaceStats
	if err := c.ready(ctx, ns); err != nil {
		return out, err
	}
	err := c.findNow(ctx, ns, always, func(ctx context.Context, s shelf) (bool, error) {
		cursor, err := s.collection.Aggregate(ctx, mongo.Pipeline{
			{{Key: "$match", Value: s.every(live)}},
			{{Key: "$group", Value: bson.D{{Key: "_id", Value: nil},
				{Key: "documents", Value: bson.D{{Key: "$sum", Value: int64(1)}}},
				{Key: "bytes", Value: bson.D{{Key: "$sum", Value: bson.D{{Key: "$strLenBytes", Value: "$data"}}}}}}}},
		})
		if isAbsent(err) {
			out, err = s.measure(ctx)
			return out.Documents > 0, err
		}
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

// measure counts where the server does not: it reads everything.
func (s shelf) measure(ctx context.Context) (out app.NamespaceStats, err error) {
	cursor, err := s.collection.Find(ctx, s.every(live), options.Find().SetProjection(bson.D{{Key: "data", Value: 1}}))
	if err != nil {
		return out, err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	for cursor.Next(ctx) {
		data, _ := cursor.Current.Lookup("data").StringValueOK()
		out.Documents++
		out.Bytes += int64(len(data))
	}
	return out, cursor.Err()
}
