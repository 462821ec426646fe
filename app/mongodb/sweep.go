package mongodb

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// How what is left over is removed.
//
// Its name can be taken by an organization at any moment, and a command that
// drops or renames a collection has no condition but that there is one, and none
// under the new name:
//
//	claim    the name is ours, as it would be an organization's, and so is another
//	         that was never used
//	move     the collection gets that name
//	drop     if it still takes nothing and has nothing
//	release  the claim is removed
//
// Who finds the claim of another (an organization that wants the name, or who
// comes by after a server has ended) puts a collection under the claim's own name
// first, and removes the claim then (yield). A move that comes after that, from a
// server that was stopped and wakes, finds its name taken and fails; one that
// came before has done no harm. What was put there stays.

const claimPrefix = "sweep/"

func (d namespaceDoc) isClaim() bool { return strings.HasPrefix(d.ID, claimPrefix) }

// ofOrganizations is the filter for namespaces that are no claims.
var ofOrganizations = bson.D{{Key: "sweep", Value: nil}}

// claimOf is a claim to what is left.
func claimOf(at leftover) namespaceDoc {
	d := namespaceDoc{ID: claimPrefix + at.held, Collection: at.name, Holds: []string{at.held}, Sweep: "swept_" + bson.NewObjectID().Hex(),
		Born: newStamp(), Revision: 1}
	if at.held != at.name {
		d.Database = at.db.Name()
	}
	return d
}

// sweepOne removes what is left, and reports whether it has.
func (c *Cluster) sweepOne(ctx context.Context, at leftover) (gone bool, err error) {
	ctx, cancel := c.writing(ctx)
	defer cancel()
	if empty, err := c.empties(ctx, at.db, at.name); err != nil || !empty {
		return false, c.translate(err)
	}
	if hasOwnName(at.name) {
		err := at.db.Collection(at.name).Drop(ctx)
		return err == nil, c.translate(err)
	}
	claim := claimOf(at)
	_, err = c.db.Collection(namespaces).InsertOne(ctx, claim)
	if isDuplicate(err) {
		return false, nil // it is somebody's now, or being removed
	}
	if err == nil {
		gone, err = c.removeClaimed(ctx, at, claim)
	}
	return gone, c.translate(err)
}

// removeClaimed removes what is left under a name that is claimed. Where it is
// not known whether something was done, the claim stays.
func (c *Cluster) removeClaimed(ctx context.Context, at leftover, claim namespaceDoc) (gone bool, err error) {
	// Whoever was renamed has recorded that before it had the name.
	renamed, err := c.wasRenamed(ctx, at.held)
	if err != nil {
		return false, err
	}
	if !renamed {
		err = c.rename(ctx, claim, at.name, claim.Sweep)
		switch {
		case hasCode(err, codeNamespaceExists):
			return false, nil // the claim was taken away
		case hasCode(err, codeNamespaceNotFound):
		case err != nil:
			return false, err
		default:
			if gone, err = c.empties(ctx, at.db, claim.Sweep); err != nil {
				return false, err
			}
			if !gone {
				c.log.Error("a collection that was left has got documents, and is put back", "cluster", c.key, "collection", at.name)
				err = c.rename(ctx, claim, claim.Sweep, at.name)
			} else {
				err = at.db.Collection(claim.Sweep).Drop(ctx)
			}
			if err != nil {
				return false, err
			}
		}
	}
	_, err = c.db.Collection(namespaces).DeleteOne(ctx, claim.unchanged())
	return gone, err
}

// yieldTo takes away the claims to names that an organization wants, and reports
// whether there were any.
func (c *Cluster) yieldTo(ctx context.Context, d namespaceDoc) (bool, error) {
	cursor, err := c.db.Collection(namespaces).Find(ctx, bson.D{{Key: "holds", Value: bson.D{{Key: "$in", Value: d.Holds}}},
		{Key: "sweep", Value: bson.D{{Key: "$ne", Value: nil}}}})
	if err != nil {
		return false, err
	}
	var claims []namespaceDoc
	if err := cursor.All(ctx, &claims); err != nil {
		return false, err
	}
	for _, claim := range claims {
		if err := c.yield(ctx, claim); err != nil {
			return false, err
		}
	}
	return len(claims) > 0, nil
}

// yield takes away a claim. What it was about to move stays where it is from then
// on.
func (c *Cluster) yield(ctx context.Context, claim namespaceDoc) error {
	err := c.createAs(ctx, c.database(claim), claim.Sweep, refusing)
	if err == nil || hasCode(err, codeNamespaceExists) {
		_, err = c.db.Collection(namespaces).DeleteOne(ctx, claim.unchanged())
	}
	return err
}

// empties reports whether a collection takes nothing and has nothing.
func (c *Cluster) empties(ctx context.Context, db *mongo.Database, name string) (bool, error) {
	all, err := c.lookThrough(ctx, db, bson.D{{Key: "name", Value: name}})
	if err != nil || !all[name].refuses {
		return false, err
	}
	n, err := db.Collection(name).CountDocuments(ctx, bson.D{}, options.Count().SetLimit(1))
	return n == 0, err
}
