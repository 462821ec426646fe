package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// Usage asks for the size of the database, and counts the documents of each
// collection as the server keeps count. See app.Cluster.
func (c *Cluster) Usage(ctx context.Context) (app.ClusterUsage, error) {
	if err := c.here(); err != nil {
		return app.ClusterUsage{Engine: "mongodb"}, err
	}
	u := app.ClusterUsage{Engine: "mongodb", Isolations: []app.Isolation{app.IsolationCollection}, Transactions: c.hello.transactions()}
	var build struct {
		Version string `bson:"version"`
	}
	if err := c.db.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&build); err != nil {
		return u, c.translate(err)
	}
	u.Version = build.Version
	var stats struct {
		Storage float64 `bson:"storageSize"`
		Indexes float64 `bson:"indexSize"`
	}
	if err := c.db.RunCommand(ctx, bson.D{{Key: "dbStats", Value: 1}}).Decode(&stats); err != nil {
		return u, c.translate(err)
	}
	u.Bytes = int64(stats.Storage + stats.Indexes)
	list, err := c.Namespaces(ctx)
	if err != nil {
		return u, err
	}
	u.Namespaces = int64(len(list))
	for _, ns := range list {
		n, err := c.db.Collection(ns.Placement.Collection).EstimatedDocumentCount(ctx)
		if err != nil {
			return u, c.translate(err)
		}
		u.Documents += n
	}
	return u, nil
}
