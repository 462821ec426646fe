package mongodb

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// How a registry is closed to servers that use it:
//
//	mark    the mark is written as any change of the registry is, so that all
//	        hear of it in the order of changes: see closed.go
//	fence   the validators of all collections are told to refuse everything.
//	        What a server sends that has not heard, or was paused, is refused by
//	        the store: every change of a document, and on a server without
//	        transactions the commit itself, which is a write to the lock
//	lease   one placement lease passes, after which nobody relies on what was
//	        remembered
//
// No validator is asked about a deletion. So those deletions that come alone
// change their document before they remove it (endSession, commit). What is left
// is the pruning of what has expired; and that is pruned wherever it is.
//
// It is opened in the opposite order. Until the mark is gone nobody opens it.

var _ app.MovableRegistry = (*Registry)(nil)

// fenceWithin is how long a transaction that a server left open may keep a
// collection from being fenced. MongoDB ends them after a minute.
const fenceWithin = 90 * time.Second

// OpenMovableRegistry connects to a registry to move it, in whichever state it
// is, and brings its schema up to date. With readOnly nothing is written.
func OpenMovableRegistry(ctx context.Context, o Options, readOnly bool) (*Registry, error) {
	r, err := connectRegistry(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := r.prepareMove(ctx, readOnly); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *Registry) prepareMove(ctx context.Context, readOnly bool) error {
	if readOnly {
		_, err := r.schema(ctx, r.known)
		return err
	}
	if err := migrate(ctx, r.server, r.known); err != nil {
		return err
	}
	if err := r.try(ctx); err != nil {
		return r.server.translate(err)
	}
	if err := r.tryValidators(ctx); err != nil {
		return r.server.translate(err)
	}
	if r.lacks.validators {
		return app.Invalid("registry", "registry_not_fenced", "The server of the "+r.name+
			" does not keep validators, so it could take writes after the registry was moved. Registries cannot be moved to it or from it.")
	}
	m, err := r.Mark(ctx)
	if err != nil || fenced(m.State) {
		return err
	}
	return r.settleLock(ctx)
}

// fenced reports whether a registry in this state takes writes from nobody.
func fenced(s app.RegistryState) bool { return s == app.RegistryMoving || s == app.RegistryMoved }

type markDoc struct {
	Header    `bson:",inline"`
	State     string    `bson:"state"`
	Migration string    `bson:"migration"`
	Peer      string    `bson:"peer"`
	At        time.Time `bson:"at"`
}

const markID = "registry"

// Mark is as app.MovableRegistry says.
func (r *Registry) Mark(ctx context.Context) (app.RegistryMark, error) {
	var d markDoc
	err := r.db.Collection(marks).FindOne(ctx, byID(markID)).Decode(&d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return app.RegistryMark{State: app.RegistryOpen}, nil
	}
	return app.RegistryMark{State: app.RegistryState(d.State), Migration: d.Migration, Peer: d.Peer, At: d.At.UTC()}, r.server.translate(err)
}

// SetMark is as app.MovableRegistry says.
func (r *Registry) SetMark(ctx context.Context, m app.RegistryMark) error {
	now, err := r.Mark(ctx)
	if err != nil {
		return err
	}
	switch {
	case fenced(now.State) && fenced(m.State):
		err = r.overwriteMark(ctx, m)
	case fenced(now.State):
		if err = r.unfence(ctx); err == nil {
			err = r.announceMark(ctx, m)
		}
	default:
		err = r.announceMark(ctx, m)
	}
	if err != nil || m.State == app.RegistryOpen {
		return r.server.translate(err)
	}
	if fenced(m.State) {
		if err := r.fence(ctx); err != nil {
			return r.server.translate(err)
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(r.feed.lease):
	}
	return nil
}

// announceMark writes the mark where the registry takes writes.
func (r *Registry) announceMark(ctx context.Context, m app.RegistryMark) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		var d markDoc
		if _, err := u.get(ctx, marks, markID, &d); err != nil {
			return err
		}
		d.set(m)
		u.put(marks, &d)
		u.heardMark = true
		return nil
	})
}

// overwriteMark writes the mark where nothing else is written.
func (r *Registry) overwriteMark(ctx context.Context, m app.RegistryMark) error {
	var d markDoc
	d.set(m)
	_, err := r.db.Collection(marks).UpdateOne(ctx, byID(markID), bson.D{{Key: "$set", Value: bson.D{
		{Key: "state", Value: d.State}, {Key: "migration", Value: d.Migration}, {Key: "peer", Value: d.Peer}, {Key: "at", Value: d.At}}}})
	return err
}

func (d *markDoc) set(m app.RegistryMark) {
	d.State, d.Migration, d.Peer, d.At = string(m.State), m.Migration, m.Peer, m.At
}

// fencedCollections are those that servers write to.
func fencedCollections() []string { return append([]string{locks, sessions}, versioned...) }

// fence makes the store refuse every write. It waits for transactions that have
// begun.
func (r *Registry) fence(ctx context.Context) error {
	if !r.transactions() {
		if err := r.fenceLock(ctx); err != nil {
			return err
		}
	}
	return r.validateAll(ctx, refusing)
}

// fenceHolder is the holder of the lock of a registry that is fenced.
const fenceHolder = "migration"

// fenceLock ends the use of the lock. What was committed under it is written in
// full before: afterwards it cannot be.
func (r *Registry) fenceLock(ctx context.Context) error {
	l := r.lock
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		var now lockState
		if err := r.db.Collection(locks).FindOne(ctx, byID(lockID)).Decode(&now); err != nil {
			return err
		}
		if now.Holder != fenceHolder {
			if err := r.validate(ctx, r.db, locks, bson.D{}); err != nil {
				return err
			}
			if err := l.take(ctx); err != nil {
				return err
			}
			l.held = false
			if _, err := r.db.Collection(locks).UpdateOne(ctx, l.mine(), bson.D{
				{Key: "$set", Value: bson.D{{Key: "holder", Value: fenceHolder}}},
				{Key: "$unset", Value: bson.D{{Key: "redo", Value: ""}}},
			}); err != nil {
				return err
			}
		}
		if err := r.validate(ctx, r.db, locks, refusing); err != nil {
			return err
		}
		// It could be taken from us until now, as from any holder who does not move.
		n, err := r.db.Collection(locks).CountDocuments(ctx, append(byID(lockID), bson.E{Key: "holder", Value: fenceHolder}))
		if err != nil || n == 1 {
			return err
		}
	}
}

func (r *Registry) validateAll(ctx context.Context, validator bson.D) error {
	deadline := time.Now().Add(fenceWithin)
	for _, name := range fencedCollections() {
		for try := 0; ; try++ {
			err := r.validate(ctx, r.db, name, validator)
			if err == nil {
				break
			}
			if hasCode(err, codeUnauthorized) || time.Now().After(deadline) || !pause(ctx, try) {
				return err
			}
		}
	}
	return nil
}

// unfence lets writes in again.
func (r *Registry) unfence(ctx context.Context) error {
	if err := r.validateAll(ctx, bson.D{}); err != nil {
		return err
	}
	_, err := r.db.Collection(locks).UpdateOne(ctx, append(byID(lockID), bson.E{Key: "holder", Value: fenceHolder}), bson.D{
		{Key: "$set", Value: bson.D{{Key: "holder", Value: ""}}}, {Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}}})
	if err != nil {
		return err
	}
	return r.settleLock(ctx)
}

// Clear is as app.MovableRegistry says.
func (r *Registry) Clear(ctx context.Context) error {
	for _, name := range append([]string{sessions}, versioned...) {
		// Floors that were swept under are of versions that are gone.
		if err := r.validate(ctx, r.db, name, bson.D{}); err != nil {
			return r.server.translate(err)
		}
		if _, err := r.db.Collection(name).DeleteMany(ctx, bson.D{}); err != nil {
			return r.server.translate(err)
		}
	}
	return nil
}
