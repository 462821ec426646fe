package mongodb

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// sessionDoc is a sign-in. It counts only while its organization is visible,
// and organization and user have the epoch that it was opened in, which is
// asked whenever it is read. So what ends sessions ends them in one write, and a sign-in needs
// no transaction; the documents are cleared away afterwards.
type sessionDoc struct {
	ID             string    `bson:"_id"`
	UserID         string    `bson:"user_id"`
	UserEpoch      int64     `bson:"user_epoch"`
	OrganizationID string    `bson:"organization_id"`
	OrgEpoch       int64     `bson:"organization_epoch"`
	RefreshHash    []byte    `bson:"refresh_hash"`
	PreviousHash   []byte    `bson:"previous_hash"`
	CreatedAt      time.Time `bson:"created_at"`
	LastUsedAt     time.Time `bson:"last_used_at"`
	ExpiresAt      time.Time `bson:"expires_at"`
}

func (d sessionDoc) session() app.Session {
	return app.Session{
		ID: app.SessionID(d.ID), UserID: app.UserID(d.UserID), OrganizationID: app.OrganizationID(d.OrganizationID),
		RefreshHash: d.RefreshHash, PreviousHash: d.PreviousHash,
		CreatedAt: d.CreatedAt.UTC(), LastUsedAt: d.LastUsedAt.UTC(), ExpiresAt: d.ExpiresAt.UTC(),
	}
}

// joined is a document with those that were looked up for it.
type joined struct {
	Users         []userDoc         `bson:"users"`
	Memberships   []membershipDoc   `bson:"memberships"`
	Organizations []organizationDoc `bson:"organizations"`
}

// visibleOrganization reports whether the organization that was looked up is
// there and visible.
func (j joined) visibleOrganization() bool {
	return len(j.Organizations) == 1 && !j.Organizations[0].Gone && app.OrganizationState(j.Organizations[0].State).Visible()
}

// CreateSession is as app.Sessions says.
func (r *Registry) CreateSession(ctx context.Context, s app.Session, passwordHash string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := r.writing(ctx)
	defer cancel()
	member := membershipID(s.OrganizationID, s.UserID)
	cursor, err := r.db.Collection(memberships).Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: append(byID(member), present)}},
		lookup(users, "user_id"), lookup(organizations, "organization_id"),
	})
	if err != nil {
		return r.translate(err)
	}
	var found []joined
	if err := cursor.All(ctx, &found); err != nil {
		return r.translate(err)
	}
	if len(found) != 1 || !found[0].visibleOrganization() || len(found[0].Users) != 1 ||
		found[0].Users[0].Gone || found[0].Users[0].PasswordHash != passwordHash {
		return app.ErrUnauthenticated
	}
	_, err = r.db.Collection(sessions).InsertOne(ctx, sessionDoc{
		ID: string(s.ID), UserID: string(s.UserID), UserEpoch: found[0].Users[0].Epoch,
		OrganizationID: string(s.OrganizationID), OrgEpoch: found[0].Organizations[0].Epoch,
		RefreshHash: s.RefreshHash, PreviousHash: s.PreviousHash,
		CreatedAt: s.CreatedAt, LastUsedAt: s.LastUsedAt, ExpiresAt: s.ExpiresAt,
	})
	if err != nil {
		return r.translate(err)
	}
	r.publish(app.Invalidation{Session: s.ID})
	return nil
}

// Session is as app.Sessions says.
func (r *Registry) Session(ctx context.Context, id app.SessionID) (app.Session, error) {
	d, err := r.session(ctx, id)
	return d.session(), r.translate(err)
}

func (r *Registry) session(ctx context.Context, id app.SessionID) (sessionDoc, error) {
	cursor, err := r.db.Collection(sessions).Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: byID(id)}},
		lookup(users, "user_id"), lookup(organizations, "organization_id"),
	})
	if err != nil {
		return sessionDoc{}, err
	}
	var found []struct {
		Session sessionDoc `bson:",inline"`
		Joined  joined     `bson:",inline"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return sessionDoc{}, err
	}
	if len(found) != 1 || !found[0].Joined.visibleOrganization() || len(found[0].Joined.Users) != 1 {
		return sessionDoc{}, app.ErrNotFound
	}
	s, user, org := found[0].Session, found[0].Joined.Users[0], found[0].Joined.Organizations[0]
	if user.Gone || user.Epoch != s.UserEpoch || org.Epoch != s.OrgEpoch {
		return sessionDoc{}, app.ErrNotFound
	}
	return s, nil
}

// RotateSession is as app.Sessions says.
func (r *Registry) RotateSession(ctx context.Context, id app.SessionID, old, hash []byte, t, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := r.writing(ctx)
	defer cancel()
	s, err := r.session(ctx, id)
	switch {
	case err != nil:
		return r.translate(err)
	case !bytes.Equal(s.RefreshHash, old):
		return app.ErrStale
	}
	result, err := r.db.Collection(sessions).UpdateOne(ctx,
		append(byID(id), bson.E{Key: "refresh_hash", Value: old}),
		bson.D{{Key: "$set", Value: bson.D{{Key: "refresh_hash", Value: hash}, {Key: "previous_hash", Value: old},
			{Key: "last_used_at", Value: t}, {Key: "expires_at", Value: expires}}}})
	if err != nil {
		return r.translate(err)
	}
	if result.MatchedCount == 0 {
		if _, err := r.session(ctx, id); errors.Is(err, app.ErrNotFound) {
			return app.ErrNotFound
		}
		return app.ErrStale
	}
	r.publish(app.Invalidation{Session: id})
	return nil
}

// DeleteSession is as app.Sessions says.
func (r *Registry) DeleteSession(ctx context.Context, id app.SessionID) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		// Under the lock or not: the id never comes again. The announcement is what
		// the other servers hear.
		_, err := r.db.Collection(sessions).DeleteOne(ctx, byID(id))
		u.announce(app.Invalidation{Session: id})
		return err
	})
}

// PruneSessions is as app.Sessions says.
func (r *Registry) PruneSessions(ctx context.Context, before time.Time) (int, error) {
	result, err := r.db.Collection(sessions).DeleteMany(ctx, bson.D{{Key: "expires_at", Value: bson.D{{Key: "$lt", Value: before}}}})
	if err != nil {
		return 0, r.translate(err)
	}
	return int(result.DeletedCount), nil
}

// clear removes documents of sessions that count no more. What stays behind
// expires.
func (r *Registry) clear(ctx context.Context, filter bson.D) {
	ctx, cancel := r.writing(ctx)
	defer cancel()
	if _, err := r.db.Collection(sessions).DeleteMany(ctx, filter); err != nil {
		r.log.Info("sessions that have ended were not cleared away; they expire", "error", r.translate(err))
	}
}
