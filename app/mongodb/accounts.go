package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// accountDoc is a user with the organizations where that is.
type accountDoc struct {
	User   userDoc    `bson:",inline"`
	Places []placeDoc `bson:"places"`
}

type placeDoc struct {
	Membership    membershipDoc     `bson:",inline"`
	Organizations []organizationDoc `bson:"organizations"`
}

// Account is as app.Users says.
func (r *Registry) Account(ctx context.Context, q app.AccountQuery) (app.Account, error) {
	found, err := r.accounts(ctx, q)
	if err != nil {
		return app.Account{}, r.translate(err)
	}
	if len(found) != 1 {
		return app.Account{}, app.ErrNotFound
	}
	user := found[0].User
	a := app.Account{User: user.user()}
	for _, p := range found[0].Places {
		org := p.Organizations[0]
		a.Places = append(a.Places, app.Place{Organization: org.organization(), Role: app.Role(p.Membership.Role),
			Proof: app.Proof{PasswordHash: user.PasswordHash, UserEpoch: user.Epoch, OrganizationEpoch: org.Epoch}})
	}
	return a, nil
}

func (r *Registry) accounts(ctx context.Context, q app.AccountQuery) (found []accountDoc, err error) {
	if r.lacks.joins {
		return r.accountsApart(ctx, q)
	}
	pipeline := mongo.Pipeline{{{Key: "$match", Value: bson.D{{Key: "email_key", Value: q.EmailKey}, present}}}}
	local, foreign := "_id", "user_id"
	if q.Organization != "" {
		local, foreign = "named", "_id"
		pipeline = append(pipeline, named(q.Organization)...)
	}
	pipeline = append(pipeline, bson.D{{Key: "$lookup", Value: bson.D{
		{Key: "from", Value: memberships}, {Key: "localField", Value: local}, {Key: "foreignField", Value: foreign}, {Key: "as", Value: "places"},
		{Key: "pipeline", Value: mongo.Pipeline{
			{{Key: "$match", Value: bson.D{present}}},
			lookup(organizations, "organization_id"),
			{{Key: "$match", Value: bson.D{{Key: organizations + "." + isVisible.Key, Value: isVisible.Value}}}},
			{{Key: "$sort", Value: bson.D{{Key: "created_at", Value: 1}, {Key: "organization_id", Value: 1}}}},
			{{Key: "$limit", Value: q.Limit}},
		}},
	}}})
	ctx, cancel := r.reading(ctx)
	defer cancel()
	cursor, err := r.db.Collection(users).Aggregate(ctx, pipeline)
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	return found, err
}

// named gives a user the id of the membership of the organization that is
// named by id or slug, as a list.
func named(organization string) mongo.Pipeline {
	field := "slug"
	if app.IsID(organization) {
		field = "_id"
	}
	return mongo.Pipeline{
		{{Key: "$lookup", Value: bson.D{{Key: "from", Value: organizations}, {Key: "as", Value: "named"},
			{Key: "pipeline", Value: mongo.Pipeline{{{Key: "$match", Value: bson.D{{Key: field, Value: organization}}}}}}}}},
		{{Key: "$set", Value: bson.D{{Key: "named", Value: bson.D{{Key: "$map", Value: bson.D{
			{Key: "input", Value: "$named"}, {Key: "in", Value: bson.D{{Key: "$concat", Value: bson.A{"$$this._id", "/", "$_id"}}}},
		}}}}}}},
	}
}
