package mongodb

import (
	"context"
	"errors"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// epochs keeps the stamp of the shared collection.
//
// Its documents are of many organizations, and one validator is all that it
// has, so they share one stamp, the epoch. A change of any of them begins
// another: everybody is refused once, reads one document, and goes on. That
// document says which organizations have changed lately, by the number of the
// change, so that what was read of all others stays good.
type epochs struct {
	mu     sync.RWMutex
	now    epochDoc
	recent map[app.OrganizationID]int64
}

type epochDoc struct {
	ID string `bson:"_id"`
	// Epoch is the stamp; 0: a change is not in force yet.
	Epoch int64 `bson:"epoch"`
	// Seq is the number of the last change.
	Seq int64 `bson:"seq"`
	// Recent are the last changes, all that have a number above Floor.
	Recent   []epochChange `bson:"recent"`
	Floor    int64         `bson:"floor"`
	Revision int64         `bson:"revision"`
}

type epochChange struct {
	OrgID string `bson:"org_id"`
	Seq   int64  `bson:"seq"`
}

const (
	epochsCollection = "epochs"
	// keptChanges is how many changes a server may miss and still rely on what it
	// has read of other organizations.
	keptChanges = 500
	idLength    = 36 // an organization's
)

// sharedDemands is the validator of the shared collection: the stamp, and that
// a document is somebody's and its id says whose.
func sharedDemands(epoch int64) bson.D {
	return bson.D{
		{Key: "stamp", Value: epoch},
		{Key: "org_id", Value: bson.D{{Key: "$type", Value: "string"}}},
		{Key: "$expr", Value: bson.D{{Key: "$eq", Value: bson.A{
			bson.D{{Key: "$substrBytes", Value: bson.A{"$_id", 0, idLength + 1}}},
			bson.D{{Key: "$concat", Value: bson.A{"$org_id", "/"}}},
		}}}},
	}
}

// refresh reads the epoch, and gives the number of the last change; 0 when
// there is no shared collection yet.
func (e *epochs) refresh(ctx context.Context, db *mongo.Database) (int64, error) {
	var d epochDoc
	err := db.Collection(epochsCollection).FindOne(ctx, byID(app.SharedCollection)).Decode(&d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, nil
	}
	if err == nil {
		e.learn(d)
	}
	return d.Seq, err
}

func (e *epochs) learn(d epochDoc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d.Revision <= e.now.Revision {
		return
	}
	e.now = d
	e.recent = make(map[app.OrganizationID]int64, len(d.Recent))
	for _, r := range d.Recent {
		e.recent[app.OrganizationID(r.OrgID)] = r.Seq // the last of an organization is the highest
	}
}

// stamp is what a write to a namespace must carry, or 0 when the namespace may
// have changed since it was read.
func (e *epochs) stamp(d namespaceDoc) int64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if d.seq < e.now.Floor || d.seq < e.recent[d.org()] {
		return 0
	}
	return e.now.Epoch
}

// make begins the use of the shared collection, and gives the number of the last change.
func (e *epochs) make(ctx context.Context, s *server) (int64, error) {
	e.mu.RLock()
	now := e.now
	e.mu.RUnlock()
	if now.Epoch != 0 {
		return now.Seq, nil
	}
	if seq, err := e.refresh(ctx, s.db); err != nil || seq != 0 && e.begun() {
		return seq, err
	}
	first := epochDoc{ID: app.SharedCollection, Revision: 1}
	if _, err := s.db.Collection(epochsCollection).InsertOne(ctx, first); err != nil && !isDuplicate(err) {
		return 0, err
	}
	return e.change(ctx, s, "")
}

func (e *epochs) begun() bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.now.Epoch != 0
}

// change begins another epoch, after an organization's namespace was changed,
// and gives the number of the change. Nothing that knows less is let in any
// more when it returns.
func (e *epochs) change(ctx context.Context, s *server, org app.OrganizationID) (int64, error) {
	docs := s.db.Collection(epochsCollection)
	mine := int64(0)
	for try := 0; ; try++ {
		var d epochDoc
		if err := docs.FindOne(ctx, byID(app.SharedCollection)).Decode(&d); err != nil {
			return 0, err
		}
		if mine != 0 && d.Epoch != 0 {
			e.learn(d) // somebody has begun a later one
			return mine, nil
		}
		next := d
		if next.Epoch = 0; mine == 0 {
			next.add(org)
		}
		done, err := e.step(ctx, docs, d, &next)
		if err != nil {
			return 0, err
		}
		if done {
			if mine == 0 {
				mine = next.Seq
			}
			d = next
			next.Epoch = newStamp()
			if err := s.validate(ctx, s.db, app.SharedCollection, sharedDemands(next.Epoch)); err != nil {
				return 0, err
			}
			if done, err = e.step(ctx, docs, d, &next); err != nil {
				return 0, err
			}
			if done {
				e.learn(next)
				return mine, nil
			}
		}
		if !pause(ctx, try) {
			return 0, ctx.Err()
		}
	}
}

// add records that an organization's namespace has changed.
func (d *epochDoc) add(org app.OrganizationID) {
	d.Seq++
	recent := make([]epochChange, 0, len(d.Recent)+1)
	for _, r := range d.Recent {
		if r.OrgID != string(org) {
			recent = append(recent, r)
		}
	}
	if org != "" {
		recent = append(recent, epochChange{string(org), d.Seq})
	}
	if more := len(recent) - keptChanges; more > 0 {
		d.Floor, recent = recent[more-1].Seq, recent[more:]
	}
	d.Recent = recent
}

func (e *epochs) step(ctx context.Context, docs *mongo.Collection, d epochDoc, next *epochDoc) (bool, error) {
	next.Revision = d.Revision + 1
	result, err := docs.ReplaceOne(ctx, bson.D{{Key: "_id", Value: d.ID}, {Key: "revision", Value: d.Revision}}, next)
	return err == nil && result.MatchedCount == 1, err
}
