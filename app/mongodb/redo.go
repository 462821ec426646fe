package mongodb

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// redo is a committed change that may not be written in full yet.
type redo struct {
	Sequence int64         `bson:"sequence"`
	Token    bson.ObjectID `bson:"token"`
	Changes  []redone      `bson:"changes"`
	Heard    []notice      `bson:"heard"`
}

// redone is a change as it is read back.
type redone struct {
	Collection string   `bson:"collection"`
	ID         string   `bson:"id"`
	Before     int64    `bson:"before"`
	After      bson.Raw `bson:"after,omitempty"`
}

// apply writes the documents of a committed change. Those that are written
// already, or were changed since, are left.
func (l *lock) apply(ctx context.Context, record redo) error {
	for _, c := range record.Changes {
		if err := l.applyOne(ctx, record.Sequence, c); err != nil {
			return err
		}
	}
	// Last, so that who drops something from a cache at its word reads the new.
	at := app.Now()
	_, err := l.r.db.Collection(events).InsertOne(ctx, bson.D{
		{Key: "_id", Value: record.Sequence}, {Key: "token", Value: record.Token},
		{Key: "heard", Value: record.Heard}, {Key: "at", Value: at},
	})
	if isDuplicate(err) {
		return nil
	}
	return err
}

func (l *lock) applyOne(ctx context.Context, sequence int64, c redone) error {
	collection := l.r.db.Collection(c.Collection)
	if c.Before == 0 {
		_, err := collection.InsertOne(ctx, c.After)
		if !isDuplicate(err) {
			return superseded(err)
		}
		// It is there already. Anything else would be a fault of ours, since under
		// the lock every name was looked up before it was taken.
		if err := collection.FindOne(ctx, byID(c.ID)).Err(); err != nil {
			return fmt.Errorf("the registry is damaged: a committed %s/%s cannot be written: %w", c.Collection, c.ID, err)
		}
		return nil
	}
	after := any(c.After)
	if c.After == nil {
		after = bson.D{{Key: "_id", Value: c.ID}, {Key: "version", Value: sequence}, {Key: "gone", Value: true}}
	}
	_, err := collection.ReplaceOne(ctx, version(c.ID, c.Before), after)
	return superseded(err)
}

// superseded passes over the refusal of a version that is too old to count.
func superseded(err error) error {
	if hasCode(err, codeInvalid) {
		return nil
	}
	return err
}

// sweep removes the marks of what was removed. See lock.
func (r *Registry) sweep(ctx context.Context) error {
	if r.transactions() {
		return nil
	}
	l := r.lock
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.take(ctx); err != nil {
		return err
	}
	defer l.release(ctx)
	floor := l.state.Sequence
	_, err := r.db.Collection(events).DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$lt", Value: floor}}},
		{Key: "at", Value: bson.D{{Key: "$lt", Value: app.Now().Add(-eventsKept)}}}})
	if err != nil || r.lacks.validators {
		return err // without validators the marks stay
	}
	for _, collection := range versioned {
		err := r.db.RunCommand(ctx, bson.D{{Key: "collMod", Value: collection},
			{Key: "validator", Value: bson.D{{Key: "version", Value: bson.D{{Key: "$gte", Value: floor}}}}}}).Err()
		if err != nil {
			return err
		}
	}
	for _, collection := range versioned {
		_, err := r.db.Collection(collection).DeleteMany(ctx, bson.D{{Key: "gone", Value: true},
			{Key: "version", Value: bson.D{{Key: "$lte", Value: floor}}}})
		if err != nil {
			return err
		}
	}
	return nil
}
