package mongodb

import (
	"context"
	"errors"
	"math/rand/v2"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// How the store refuses what is out of date.
//
// Every write leaves a stamp in its document, and the validator of the
// collection demands it. A change of a namespace (its phase, its generation,
// its place) goes so:
//
//	record   the change is in its document of namespaces, with no stamp
//	enforce  the validator is told to demand a stamp that nobody knows
//	publish  the stamp is in the document, if nobody has changed it since
//
// Who wrote with the stamp of before is refused from "enforce" on (error 121),
// reads the document, and learns what has changed together with the new stamp:
// a write that is let in knows of every change before it.
//
// The command that changes a validator has no condition, and a server that was
// paused, or the network, can deliver it at any time later. A stamp is sent in
// one such command alone, and published only after that command was answered.
// So what comes late demands a stamp that nobody ever learns: everybody is
// refused, and the next writer who is refused though it knows the newest
// enforces another (mend). Nothing out of date is ever let in.
//
// Nothing else stops a deletion, which no validator is asked about. So a
// deletion marks the document first, and that is a write like any other; the
// marked document, which no reader sees, is removed by its tag.

// newStamp is one that was never used.
func newStamp() int64 {
	for {
		if n := rand.Int64(); n != 0 { //nolint:gosec // no secret
			return n
		}
	}
}

// demands is the validator of a namespace's own collection.
func (d namespaceDoc) demands(stamp int64) bson.D {
	v := bson.D{{Key: "org_id", Value: string(d.org())}, {Key: "stamp", Value: stamp}}
	if d.phase() == app.PhaseRecording {
		v = append(v, bson.E{Key: "notes", Value: d.Notes})
	}
	return v
}

// refusing is the validator of a collection that takes nothing.
var refusing = bson.D{{Key: "_id", Value: bson.D{{Key: "$exists", Value: false}}}}

// durable is the write concern of commands that the driver does not give one.
var durable = bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}, {Key: "j", Value: true}}}

// createAs makes a collection with a validator, where the server keeps those.
func (s *server) createAs(ctx context.Context, db *mongo.Database, collection string, validator bson.D) error {
	o := options.CreateCollection()
	if !s.lacks.validators {
		o.SetValidator(validator)
	}
	return db.CreateCollection(ctx, collection, o)
}

// validate gives a collection another validator, where the server keeps those.
func (s *server) validate(ctx context.Context, db *mongo.Database, collection string, validator bson.D) error {
	if s.lacks.validators {
		return nil
	}
	return db.RunCommand(ctx, bson.D{{Key: "collMod", Value: collection}, {Key: "validator", Value: validator},
		{Key: "validationLevel", Value: "strict"}, {Key: "validationAction", Value: "error"}, durable}).Err()
}

// enforce puts a namespace that has no stamp in force, and gives it one.
func (c *Cluster) enforce(ctx context.Context, d namespaceDoc) (namespaceDoc, error) {
	next := d
	var err error
	if d.shared() {
		next.Stamp, err = c.epochs.change(ctx, c.server, d.org())
	} else {
		next.Stamp = newStamp()
		err = c.validate(ctx, c.database(d), d.Collection, d.demands(next.Stamp))
	}
	if err == nil {
		err = c.step(ctx, d, &next)
	}
	if err != nil {
		return d, err
	}
	if next.shared() {
		next.seq = next.Stamp
	}
	return next, nil
}

// changing records what f makes of a namespace. It has no stamp then.
func (c *Cluster) changing(ctx context.Context, d namespaceDoc, f func(*namespaceDoc)) (namespaceDoc, error) {
	next := d
	f(&next)
	next.Stamp = 0
	err := c.step(ctx, d, &next)
	c.names.drop(d.ID)
	return next, err
}

// change records what f makes of a namespace, and puts it in force.
func (c *Cluster) change(ctx context.Context, d namespaceDoc, f func(*namespaceDoc)) (namespaceDoc, error) {
	next, err := c.changing(ctx, d, f)
	if err != nil {
		return d, err
	}
	return c.enforce(ctx, next)
}

// refence puts a namespace in force anew, as it is.
func (c *Cluster) refence(ctx context.Context, d namespaceDoc) (namespaceDoc, error) {
	return c.change(ctx, d, func(*namespaceDoc) {})
}

// mend puts a namespace in force that refuses who knows the newest of it.
func (c *Cluster) mend(ctx context.Context, at namespaceDoc) error {
	return c.alone(ctx, at.org(), func(ctx context.Context) error {
		now, err := c.resolve(ctx, at.ID)
		if err != nil || !now.same(at) || c.stampOf(now) != c.stampOf(at) {
			return err
		}
		c.log.Warn("the validator of a collection is not what it should be; it is put right",
			"cluster", c.key, "namespace", at.ID, "collection", at.Collection)
		if _, err = c.refence(ctx, now); errors.Is(err, errOvertaken) {
			return nil
		}
		return err
	})
}

// stampOf is what a write to a namespace must carry, or 0 when that is to be
// read again.
func (c *Cluster) stampOf(d namespaceDoc) int64 {
	if d.Stamp == 0 || !d.shared() {
		return d.Stamp
	}
	return c.epochs.stamp(d)
}
