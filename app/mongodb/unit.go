package mongodb

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// Header begins every document of the registry that a unit may change.
type Header struct {
	ID string `bson:"_id"`
	// Version is no other state's of any document, past or to come. Zero: there
	// is none yet.
	Version int64 `bson:"version"`
	// Gone marks what was removed on a server without transactions; see lock.go.
	Gone bool `bson:"gone,omitempty"`
}

func (h *Header) head() *Header { return h }

type stored interface{ head() *Header }

// unit is one change of the registry, of whichever number of documents. It is
// composed first and written in one go, on the condition that every document
// in it has the version that was read. What was read and must still hold is
// pinned, so that it is a condition too. It may be composed more than once.
type unit struct {
	r       *Registry
	changes []change
	heard   []app.Invalidation
	// heardMark: the mark is among what is announced.
	heardMark bool
	// blind is set the first time where names are taken by writing them: their
	// being free need not be read then, since the indexes decide. Composed again
	// after a refusal, the unit looks, to find out which one is taken.
	blind bool
}

// change is one document before and after.
type change struct {
	Collection string `bson:"collection"`
	ID         string `bson:"id"`
	Before     int64  `bson:"before"`
	After      any    `bson:"after,omitempty"` // nil: removed

	doc stored
	// touch changes the document without giving it another version.
	touch bool
}

// errAgain says that a unit was not written because what it was composed of has
// changed.
var errAgain = errors.New("what was read has changed")

// change composes a unit and writes it, as often as others come in between.
func (r *Registry) change(ctx context.Context, compose func(ctx context.Context, u *unit) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := r.writing(ctx)
	defer cancel()
	for try := 0; ; try++ {
		u := &unit{r: r, blind: try == 0 && r.transactions()}
		err := r.write(ctx, u, compose)
		switch {
		case err == nil:
			r.publish(u.heard...)
			return nil
		case !errors.Is(err, errAgain):
			return r.translate(err)
		}
		if !pause(ctx, try) {
			return r.unavailable(errors.Join(ctx.Err(), err))
		}
	}
}

func (r *Registry) write(ctx context.Context, u *unit, compose func(ctx context.Context, u *unit) error) error {
	if !r.transactions() {
		return r.lock.write(ctx, u, compose)
	}
	if err := compose(ctx, u); err != nil {
		return err
	}
	return r.commit(ctx, u)
}

// pause waits a little, longer with each try, and reports whether there is
// time left.
func pause(ctx context.Context, try int) bool {
	most := min(time.Duration(1<<min(try, 6))*time.Millisecond, 40*time.Millisecond)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(most/4 + rand.N(most)): //nolint:gosec // no secret
		return true
	}
}

// get reads a document into d, and reports whether there is one. One that was
// removed leaves its version, which who takes its place must know.
func (u *unit) get(ctx context.Context, collection, id string, d stored) (bool, error) {
	err := u.r.db.Collection(collection).FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		*d.head() = Header{ID: id}
		return false, nil
	}
	return err == nil && !d.head().Gone, err
}

// put writes a document that was read, or made new, when the unit is written.
func (u *unit) put(collection string, d stored) {
	h := d.head()
	u.changes = append(u.changes, change{Collection: collection, ID: h.ID, Before: h.Version, doc: d})
	h.Gone = false
}

// pin makes it a condition that a document is as it was read.
func (u *unit) pin(collection string, d stored) { u.put(collection, d) }

// remove removes a document that was read.
func (u *unit) remove(collection string, d stored) {
	h := d.head()
	u.changes = append(u.changes, change{Collection: collection, ID: h.ID, Before: h.Version})
}

// announce tells the subscribers when the unit is durable.
func (u *unit) announce(list ...app.Invalidation) { u.heard = append(u.heard, list...) }

// stamp gives all of the unit its version.
func (u *unit) stamp(version int64) {
	for i := range u.changes {
		if c := &u.changes[i]; c.doc != nil {
			c.doc.head().Version = version
			c.After = c.doc
		}
	}
}

// find reads all documents that fit a filter.
func find[T any](ctx context.Context, r *Registry, collection string, filter bson.D, opts ...options.Lister[options.FindOptions]) ([]T, error) {
	ctx, cancel := r.reading(ctx)
	defer cancel()
	cursor, err := r.db.Collection(collection).Find(ctx, filter, opts...)
	if err != nil {
		return nil, err
	}
	var list []T
	err = cursor.All(ctx, &list)
	return list, err
}

// one reads one document that is there, or app.ErrNotFound.
func one[T any](ctx context.Context, r *Registry, collection string, filter bson.D) (d T, err error) {
	ctx, cancel := r.reading(ctx)
	defer cancel()
	filter = append(filter, present)
	err = r.db.Collection(collection).FindOne(ctx, filter).Decode(&d)
	return d, r.translate(err)
}

// present passes over what was removed.
var present = bson.E{Key: "gone", Value: bson.D{{Key: "$exists", Value: false}}}

func byID[T ~string](id T) bson.D { return bson.D{{Key: "_id", Value: string(id)}} }
