package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// The kinds of claims.
const (
	claimSlug        = "slug"
	claimExternalID  = "external_id"
	claimEmail       = "email"
	claimCollection  = "collection"
	claimOperatorKey = "operator_key" // given back when it is revoked
	// claimOperator is held once there has been an operator key.
	claimOperator = "operator"
	// claimPlace is that of an added cluster's store, by which no two have one.
	claimPlace = "cluster_place"
)

// claimDoc says who may use a name. Its id is the kind and the name, so that
// there cannot be two. An operation that changes a name holds the old and the
// new.
type claimDoc struct {
	Header `bson:",inline"`
	Kind   string `bson:"kind"`
	Value  string `bson:"value"`
	Owner  string `bson:"owner"`
}

func claimID(kind, value string) string { return kind + ":" + value }

// claim takes a name for its owner, who may hold it already. Somebody else's
// is a TakenError of the field.
func (u *unit) claim(ctx context.Context, kind, value, owner string, field app.ConflictField) error {
	if u.blind {
		u.put(claims, &claimDoc{Header: Header{ID: claimID(kind, value)}, Kind: kind, Value: value, Owner: owner})
		return nil
	}
	return u.hold(ctx, kind, value, owner, field)
}

// hold is claim for a name that the owner should hold already.
func (u *unit) hold(ctx context.Context, kind, value, owner string, field app.ConflictField) error {
	d := claimDoc{Header: Header{ID: claimID(kind, value)}, Kind: kind, Value: value, Owner: owner}
	for _, c := range u.changes {
		if c.Collection == claims && c.ID == d.ID && c.doc != nil {
			return nil // in this very unit
		}
	}
	var now claimDoc
	there, err := u.get(ctx, claims, d.ID, &now)
	switch {
	case err != nil:
		return err
	case there && now.Owner == owner:
		return nil
	case there:
		return app.Taken(field)
	}
	d.Header = now.Header
	u.put(claims, &d)
	return nil
}

// settle gives back what the owner holds of a kind beside the one value that
// is in force.
func (u *unit) settle(ctx context.Context, kind, owner, inForce string) error {
	return u.giveBack(ctx, bson.D{{Key: "owner", Value: owner}, {Key: "kind", Value: kind},
		{Key: "value", Value: bson.D{{Key: "$ne", Value: inForce}}}})
}

// release gives back all that the owner holds.
func (u *unit) release(ctx context.Context, owner string) error {
	return u.giveBack(ctx, bson.D{{Key: "owner", Value: owner}})
}

func (u *unit) giveBack(ctx context.Context, filter bson.D) error {
	list, err := find[claimDoc](ctx, u.r, claims, filter)
	for i := range list {
		u.remove(claims, &list[i])
	}
	return err
}

// collectionClaim is the name of a collection in one database.
func collectionClaim(p app.Placement) string {
	return p.Cluster + "/" + p.Database + "/" + p.Collection
}
