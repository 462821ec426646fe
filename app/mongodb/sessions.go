package mongodb

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// sessionDoc is a sign-in. It counts only while its organization is visible,
// its membership is there, and organization and user have the epoch that was
// read before the password was compared, which is asked whenever it is read.
// So what ends sessions ends them in one write, those too that come a moment
// later, and a sign-in needs no transaction; the documents are cleared away
// afterwards.
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

func sessionDocOf(s app.Session, p app.Proof) sessionDoc {
	return sessionDoc{
		ID: string(s.ID), UserID: string(s.UserID), UserEpoch: p.UserEpoch,
		OrganizationID: string(s.OrganizationID), OrgEpoch: p.OrganizationEpoch,
		RefreshHash: s.RefreshHash, PreviousHash: s.PreviousHash,
		CreatedAt: s.CreatedAt, LastUsedAt: s.LastUsedAt, ExpiresAt: s.ExpiresAt,
	}
}

// membership is the id of the one that the session rests on.
func (d sessionDoc) membership() string {
	return membershipID(app.OrganizationID(d.OrganizationID), app.UserID(d.UserID))
}

// counts reports whether user and organization are still those that the session
// was made for.
func (d sessionDoc) counts(user *userDoc, org *organizationDoc) bool {
	return !user.Gone && user.Epoch == d.UserEpoch && !org.Gone && org.Epoch == d.OrgEpoch && app.OrganizationState(org.State).Visible()
}

func (d sessionDoc) session() app.Session {
	return app.Session{
		ID: app.SessionID(d.ID), UserID: app.UserID(d.UserID), OrganizationID: app.OrganizationID(d.OrganizationID),
		RefreshHash: d.RefreshHash, PreviousHash: d.PreviousHash,
		CreatedAt: d.CreatedAt.UTC(), LastUsedAt: d.LastUsedAt.UTC(), ExpiresAt: d.ExpiresAt.UTC(),
	}
}

// CreateSession is as app.Sessions says.
func (r *Registry) CreateSession(ctx context.Context, s app.Session, p app.Proof) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := r.writing(ctx)
	defer cancel()
	d := sessionDocOf(s, p)
	for try := 0; ; try++ {
		err := r.openSession(ctx, d, p.PasswordHash)
		switch {
		case err == nil:
			r.publish(app.Invalidation{Session: s.ID})
			return nil
		case !hasCode(err, codeWriteConflict) || !pause(ctx, try):
			return r.translate(err)
		}
	}
}

// openSession writes a session if its proof is in force, and otherwise gives
// app.ErrUnauthenticated. Doing it twice is doing it once.
func (r *Registry) openSession(ctx context.Context, d sessionDoc, passwordHash string) error {
	counts, err := r.insertSession(ctx, d, passwordHash)
	if err == nil && !counts {
		r.clear(ctx, byID(d.ID))
		return app.ErrUnauthenticated
	}
	return err
}

// insertSession writes a session and says whether its proof was in force. If
// that ends only a moment later, an epoch is another one then, and the session
// counts no more.
func (r *Registry) insertSession(ctx context.Context, d sessionDoc, passwordHash string) (counts bool, err error) {
	insert := bson.D{{Key: "$setOnInsert", Value: d}}
	if !r.bulkable() {
		if _, err := r.db.Collection(sessions).UpdateOne(ctx, byID(d.ID), insert, options.UpdateOne().SetUpsert(true)); err != nil {
			return false, err
		}
		_, user, err := r.session(ctx, app.SessionID(d.ID))
		if errors.Is(err, app.ErrNotFound) {
			return false, nil
		}
		return user.PasswordHash == passwordHash, err
	}
	// All in one command. A write that gives a field the value that it has writes
	// nothing, but says whether its filter found the document.
	writes := []mongo.ClientBulkWrite{
		r.holding(users, d.UserID, bson.E{Key: "epoch", Value: d.UserEpoch}, bson.E{Key: "password_hash", Value: passwordHash}),
		r.holding(memberships, d.membership(), bson.E{Key: "user_id", Value: d.UserID}),
		r.holding(organizations, d.OrganizationID, bson.E{Key: "epoch", Value: d.OrgEpoch}, isVisible),
		{Database: r.db.Name(), Collection: sessions,
			Model: mongo.NewClientUpdateOneModel().SetFilter(byID(d.ID)).SetUpdate(insert).SetUpsert(true)},
	}
	result, err := r.client.BulkWrite(ctx, writes, options.ClientBulkWrite().SetOrdered(true))
	if err != nil {
		return false, err
	}
	return result.MatchedCount+result.UpsertedCount == int64(len(writes)), nil
}

// holding matches a document that is there, has a field as it is said, and
// meets some more, and leaves it as it is.
func (r *Registry) holding(collection, id string, field bson.E, more ...bson.E) mongo.ClientBulkWrite {
	return mongo.ClientBulkWrite{Database: r.db.Name(), Collection: collection, Model: mongo.NewClientUpdateOneModel().
		SetFilter(append(append(byID(id), present, field), more...)).
		SetUpdate(bson.D{{Key: "$set", Value: bson.D{field}}})}
}

// Session is as app.Sessions says.
func (r *Registry) Session(ctx context.Context, id app.SessionID) (app.SignedIn, error) {
	s, _, err := r.session(ctx, id)
	return s, r.translate(err)
}

// session reads a session that counts, with its user.
func (r *Registry) session(ctx context.Context, id app.SessionID) (app.SignedIn, userDoc, error) {
	ctx, cancel := r.reading(ctx)
	defer cancel()
	found, err := r.signedIn(ctx, id)
	if err != nil {
		return app.SignedIn{}, userDoc{}, err
	}
	if len(found) != 1 || len(found[0].Users) != 1 || len(found[0].Organizations) != 1 || len(found[0].Memberships) != 1 {
		return app.SignedIn{}, userDoc{}, app.ErrNotFound
	}
	user, org, member := found[0].Users[0], found[0].Organizations[0], found[0].Memberships[0]
	if !found[0].Session.counts(&user, &org) || member.Gone {
		return app.SignedIn{}, userDoc{}, app.ErrNotFound
	}
	return app.SignedIn{Session: found[0].Session.session(), Organization: org.organization(), Role: app.Role(member.Role)}, user, nil
}

// signedInDoc is a session with what it rests on.
type signedInDoc struct {
	Session       sessionDoc        `bson:",inline"`
	Users         []userDoc         `bson:"users"`
	Organizations []organizationDoc `bson:"organizations"`
	Memberships   []membershipDoc   `bson:"memberships"`
}

func (r *Registry) signedIn(ctx context.Context, id app.SessionID) (found []signedInDoc, err error) {
	if r.lacks.joins {
		return r.sessionsApart(ctx, id)
	}
	cursor, err := r.db.Collection(sessions).Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: byID(id)}},
		{{Key: "$set", Value: bson.D{{Key: "membership_id", Value: bson.D{{Key: "$concat", Value: bson.A{"$organization_id", "/", "$user_id"}}}}}}},
		lookup(users, "user_id"), lookup(organizations, "organization_id"), lookup(memberships, "membership_id"),
	})
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	return found, err
}

// RotateSession is as app.Sessions says.
func (r *Registry) RotateSession(ctx context.Context, id app.SessionID, old, hash []byte, t, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := r.writing(ctx)
	defer cancel()
	s, _, err := r.session(ctx, id)
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
		if _, _, err := r.session(ctx, id); errors.Is(err, app.ErrNotFound) {
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
		// the other servers hear. It is changed first, since no validator is asked
		// about a deletion: see registrymove.go.
		_, err := r.db.Collection(sessions).BulkWrite(ctx, []mongo.WriteModel{
			mongo.NewUpdateOneModel().SetFilter(byID(id)).SetUpdate(touched),
			mongo.NewDeleteOneModel().SetFilter(byID(id)),
		})
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
