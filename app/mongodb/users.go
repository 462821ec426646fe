package mongodb

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

type userDoc struct {
	Header       `bson:",inline"`
	Email        string    `bson:"email"`
	EmailKey     string    `bson:"email_key"`
	Name         string    `bson:"name"`
	PasswordHash string    `bson:"password_hash"`
	Revision     int64     `bson:"revision"`
	CreatedAt    time.Time `bson:"created_at"`
	UpdatedAt    time.Time `bson:"updated_at"`
	// Epoch goes up with each new password. A session of another epoch is none.
	Epoch int64 `bson:"epoch"`
}

func userDocOf(u app.User) *userDoc {
	return &userDoc{
		Header: Header{ID: string(u.ID)}, Email: u.Email, EmailKey: u.EmailKey, Name: u.Name,
		PasswordHash: u.PasswordHash, Revision: u.Revision, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

func (d userDoc) user() app.User {
	return app.User{
		ID: app.UserID(d.ID), Email: d.Email, EmailKey: d.EmailKey, Name: d.Name, PasswordHash: d.PasswordHash,
		Revision: d.Revision, CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(),
	}
}

// user reads one that is to be changed, or app.ErrNotFound.
func (u *unit) user(ctx context.Context, id app.UserID) (*userDoc, error) {
	d := new(userDoc)
	there, err := u.get(ctx, users, string(id), d)
	if err == nil && !there {
		err = app.ErrNotFound
	}
	return d, err
}

type membershipDoc struct {
	Header         `bson:",inline"`
	OrganizationID string    `bson:"organization_id"`
	UserID         string    `bson:"user_id"`
	Role           string    `bson:"role"`
	CreatedAt      time.Time `bson:"created_at"`
}

// membershipID is what two members of one organization, and one member of two,
// differ by.
func membershipID(org app.OrganizationID, user app.UserID) string {
	return string(org) + "/" + string(user)
}

// membershipOf takes an id apart.
func membershipOf(id string) (app.OrganizationID, app.UserID) {
	org, user, _ := strings.Cut(id, "/")
	return app.OrganizationID(org), app.UserID(user)
}

func membershipDocOf(m app.Membership) *membershipDoc {
	return &membershipDoc{Header: Header{ID: membershipID(m.OrganizationID, m.UserID)},
		OrganizationID: string(m.OrganizationID), UserID: string(m.UserID), Role: string(m.Role), CreatedAt: m.CreatedAt}
}

func (d membershipDoc) membership() app.Membership {
	return app.Membership{OrganizationID: app.OrganizationID(d.OrganizationID), UserID: app.UserID(d.UserID),
		Role: app.Role(d.Role), CreatedAt: d.CreatedAt.UTC()}
}

// User is as app.Users says.
func (r *Registry) User(ctx context.Context, id app.UserID) (app.User, error) {
	d, err := one[userDoc](ctx, r, users, byID(id))
	return d.user(), err
}

// UserByEmail is as app.Users says.
func (r *Registry) UserByEmail(ctx context.Context, emailKey string) (app.User, error) {
	d, err := one[userDoc](ctx, r, users, bson.D{{Key: "email_key", Value: emailKey}})
	return d.user(), err
}

// ReplacePasswordHash is as app.Users says.
func (r *Registry) ReplacePasswordHash(ctx context.Context, id app.UserID, old, hash string) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d := new(userDoc)
		there, err := u.get(ctx, users, string(id), d)
		if err != nil || !there || d.PasswordHash != old {
			return err
		}
		d.PasswordHash = hash
		u.put(users, d)
		u.announce(app.Invalidation{User: id})
		return nil
	})
}

// Memberships is as app.Users says.
func (r *Registry) Memberships(ctx context.Context, user app.UserID) ([]app.Membership, error) {
	ctx, cancel := r.reading(ctx)
	defer cancel()
	if r.lacks.joins {
		places, err := r.placesApart(ctx, string(user))
		list := make([]app.Membership, len(places))
		for i, p := range places {
			list[i] = p.Membership.membership()
		}
		return list, r.translate(err)
	}
	cursor, err := r.db.Collection(memberships).Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "user_id", Value: string(user)}, present}}},
		lookup(organizations, "organization_id"),
		{{Key: "$match", Value: bson.D{{Key: organizations + "." + isVisible.Key, Value: isVisible.Value}}}},
		{{Key: "$unset", Value: organizations}},
	})
	if err != nil {
		return nil, r.translate(err)
	}
	var docs []membershipDoc
	if err := cursor.All(ctx, &docs); err != nil {
		return nil, r.translate(err)
	}
	list := make([]app.Membership, len(docs))
	for i, d := range docs {
		list[i] = d.membership()
	}
	slices.SortFunc(list, func(a, b app.Membership) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(string(a.OrganizationID), string(b.OrganizationID))
	})
	return list, nil
}

// isVisible says that an organization exists as far as callers see.
var isVisible = bson.E{Key: "state", Value: bson.D{{Key: "$in", Value: []string{string(app.StateActive), string(app.StateSuspended)}}}}

// lookup joins the document whose id a field has, as a list under the name of
// its collection.
func lookup(collection, field string) bson.D {
	return bson.D{{Key: "$lookup", Value: bson.D{{Key: "from", Value: collection}, {Key: "localField", Value: field},
		{Key: "foreignField", Value: "_id"}, {Key: "as", Value: collection}}}}
}

// Membership is as app.Users says.
func (r *Registry) Membership(ctx context.Context, org app.OrganizationID, user app.UserID) (app.Membership, error) {
	d, err := one[membershipDoc](ctx, r, memberships, byID(membershipID(org, user)))
	return d.membership(), err
}
