package mongodb

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// What is read of several collections by one command is read by several where
// the server does not join. What it rests on is compared by its readers (epochs,
// states), or again when something is written on the strength of it, so that it
// need not be of one instant.

// tryJoins finds out whether the server reads several collections by one
// command, by doing that with what is not there.
func (r *Registry) tryJoins(ctx context.Context) error {
	const none = "none"
	_, _, err := r.session(ctx, none)
	if passOver(err) == nil || errors.Is(err, app.ErrNotFound) {
		_, err = r.accounts(ctx, app.AccountQuery{EmailKey: none, Organization: none, Limit: 1})
	}
	if err == nil {
		_, err = r.claimed(ctx, nil, &app.Repetition{Key: none}, time.Time{})
	}
	if isAbsent(err) {
		r.lacks.joins = true
		r.without("joins ($lookup and $unionWith)", "several reads stand in for one", err)
		return nil
	}
	return err
}

// byIDs reads documents that are there.
func byIDs[T any](ctx context.Context, r *Registry, collection string, ids ...string) ([]T, error) {
	return find[T](ctx, r, collection, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, present})
}

func (r *Registry) sessionsApart(ctx context.Context, id app.SessionID) ([]signedInDoc, error) {
	var d signedInDoc
	err := r.db.Collection(sessions).FindOne(ctx, byID(id)).Decode(&d.Session)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := d.Session
	if d.Users, err = byIDs[userDoc](ctx, r, users, s.UserID); err != nil {
		return nil, err
	}
	if d.Organizations, err = byIDs[organizationDoc](ctx, r, organizations, s.OrganizationID); err != nil {
		return nil, err
	}
	d.Memberships, err = byIDs[membershipDoc](ctx, r, memberships, membershipID(app.OrganizationID(s.OrganizationID), app.UserID(s.UserID)))
	return []signedInDoc{d}, err
}

func (r *Registry) accountsApart(ctx context.Context, q app.AccountQuery) ([]accountDoc, error) {
	found, err := find[userDoc](ctx, r, users, bson.D{{Key: "email_key", Value: q.EmailKey}, present})
	if err != nil || len(found) != 1 {
		return nil, err
	}
	places, err := r.placesApart(ctx, found[0].ID)
	if err != nil {
		return nil, err
	}
	if q.Organization != "" {
		places = slices.DeleteFunc(places, func(p placeDoc) bool {
			org := p.Organizations[0]
			return org.ID != q.Organization && (app.IsID(q.Organization) || org.Slug != q.Organization)
		})
	}
	return []accountDoc{{User: found[0], Places: places[:min(len(places), q.Limit)]}}, nil
}

// placesApart are the memberships of a user in organizations that are visible,
// with these, in order.
func (r *Registry) placesApart(ctx context.Context, user string) ([]placeDoc, error) {
	members, err := find[membershipDoc](ctx, r, memberships, bson.D{{Key: "user_id", Value: user}, present})
	if err != nil || len(members) == 0 {
		return nil, err
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.OrganizationID
	}
	orgs, err := byIDs[organizationDoc](ctx, r, organizations, ids...)
	if err != nil {
		return nil, err
	}
	var places []placeDoc
	for _, m := range members {
		at := slices.IndexFunc(orgs, func(o organizationDoc) bool { return o.ID == m.OrganizationID })
		if at >= 0 && app.OrganizationState(orgs[at].State).Visible() {
			places = append(places, placeDoc{Membership: m, Organizations: orgs[at : at+1]})
		}
	}
	slices.SortFunc(places, func(a, b placeDoc) int {
		return cmp.Or(a.Membership.CreatedAt.Compare(b.Membership.CreatedAt), cmp.Compare(a.Membership.OrganizationID, b.Membership.OrganizationID))
	})
	return places, nil
}

func (r *Registry) claimedApart(ctx context.Context, ids []string, repetition *app.Repetition, t time.Time) ([]claimDoc, error) {
	found, err := byIDs[claimDoc](ctx, r, claims, ids...)
	if err != nil || repetition == nil {
		return found, err
	}
	repeated, err := find[Header](ctx, r, repetitions, append(byID(repetition.Key), present, bson.E{Key: "expires_at", Value: bson.D{{Key: "$gt", Value: t}}}))
	for range repeated {
		found = append(found, claimDoc{})
	}
	return found, err
}
