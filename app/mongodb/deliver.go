package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// deliver takes what other organizations have in a collection that is, or
// becomes, one organization's to where it belongs. It gets there when a server
// that has not heard for long writes under a name where nothing stood at that
// moment; it was acknowledged all the same. What belongs to nobody any more is
// dropped.
func (c *Cluster) deliver(ctx context.Context, org, collection string) error {
	others := bson.D{{Key: "org_id", Value: bson.D{{Key: "$ne", Value: org}}}}
	cursor, err := c.db.Collection(collection).Find(ctx, others)
	if err != nil {
		return err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	found := false
	for cursor.Next(ctx) {
		found = true
		var stray documentDoc
		if err := cursor.Decode(&stray); err != nil {
			return err
		}
		if err := c.deliverOne(ctx, stray); err != nil {
			return err
		}
	}
	if err := cursor.Err(); err != nil || !found {
		return err
	}
	_, err = c.db.Collection(collection).DeleteMany(ctx, others)
	return err
}

func (c *Cluster) deliverOne(ctx context.Context, stray documentDoc) error {
	for try := 0; ; try++ {
		d, err := c.resolve(ctx, app.OrganizationID(stray.OrgID))
		if errors.Is(err, app.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if d.Pending == nil {
			stray.Generation, stray.Moving = d.Generation, false
			_, err := c.db.Collection(d.Collection).InsertOne(ctx, stray)
			if err == nil || isDuplicate(err) {
				return nil
			}
			if !hasCode(err, codeInvalid) {
				return err
			}
		}
		if !pause(ctx, try) {
			return c.unavailable(ctx.Err())
		}
	}
}
