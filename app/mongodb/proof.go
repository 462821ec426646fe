package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// proof is a collection that takes nothing, if the server keeps validators.
const proof = "proof"

// fenced finds out, once, whether the store refuses what its validators
// forbid. MongoDB does. Of what speaks its protocol some do not; it can serve
// organizations, and cannot move them.
func (c *Cluster) fenced(ctx context.Context) (bool, error) {
	if c.keepsValidators.Load() {
		return true, nil
	}
	err := c.db.CreateCollection(ctx, proof, options.CreateCollection().SetValidator(refusing))
	if err != nil && !hasCode(err, codeNamespaceExists) {
		return false, err
	}
	_, err = c.db.Collection(proof).InsertOne(ctx, bson.D{{Key: "_id", Value: bson.NewObjectID()}})
	if hasCode(err, codeInvalid) {
		c.keepsValidators.Store(true)
		return true, nil
	}
	return false, err
}

// proven refuses to move anything where the store would let in what is out of
// date.
func (c *Cluster) proven(ctx context.Context) error {
	keeps, err := c.fenced(ctx)
	if err != nil || keeps {
		return err
	}
	return app.Invalid("cluster", "cluster_not_fenced", "The server of the "+c.name+
		" does not keep validators, so it could take writes that are out of date. Organizations are served there, but cannot be moved to it or from it.")
}
