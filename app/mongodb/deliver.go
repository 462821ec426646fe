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
func (c *Cluster) deliver(ctx context.Context, d namespaceDoc, collection string) error {
	here := c.database(d).Collection(collection)
	others := bson.D{{Key: "org_id", Value: bson.D{{Key: "$ne", Value: string(d.org())}}}, notMark}
	cursor, err := here.Find(ctx, others)
	if err != nil {
		return err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	for cursor.Next(ctx) {
		var stray documentDoc
		if err := cursor.Decode(&stray); err != nil {
			return err
		}
		if !stray.Deleted && !c.lacks.validators { // there it was never acknowledged
			if err := c.deliverOne(ctx, stray); err != nil {
				return err
			}
		}
		one := append(others[:1:1], bson.E{Key: "_id", Value: stray.ID}, bson.E{Key: "tag", Value: stray.Tag})
		if _, err := here.DeleteOne(ctx, one); err != nil {
			return err
		}
	}
	return cursor.Err()
}

// deliverOne stores a stray document where its organization's are now.
func (c *Cluster) deliverOne(ctx context.Context, stray documentDoc) error {
	org := app.OrganizationID(stray.OrgID)
	for try := 0; ; try++ {
		d, err := c.resolve(ctx, keyOf(org, app.IsolationCollection))
		for _, isolation := range []app.Isolation{app.IsolationDatabase, app.IsolationShared} {
			if errors.Is(err, app.ErrNotFound) || err == nil && d.phase() == app.PhaseClosed {
				d, err = c.resolve(ctx, keyOf(org, isolation))
			}
		}
		if errors.Is(err, app.ErrNotFound) {
			c.log.Error("a document was found under a name that is not its organization's, which is not in this cluster any more",
				"cluster", c.key, "org_id", stray.OrgID, "id", stray.ID)
			return nil
		}
		if err != nil {
			return err
		}
		if s := c.shelf(d, d.Collection); d.Pending == nil && s.stamp != 0 && mayWrite(d) == nil {
			stray.ID, stray.Stamp, stray.Notes = s.prefix+stray.ID, s.stamp, s.notes
			_, err := s.collection.InsertOne(ctx, stray)
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
