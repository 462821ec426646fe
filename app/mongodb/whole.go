package mongodb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// How it is noticed that somebody else has dropped a collection.
//
// A server finds nothing in a collection that is not there, and makes it again
// at the next insert, without its validator: as if nothing had happened. So who
// finds nothing looks whether the collection is what it should be. And where
// something was inserted, which alone would find nothing amiss, that is looked
// at within lookEvery, with one command for all of a database. From then on the
// organization is refused to everybody, until its collection is as it should be.

const (
	lookEvery = 2 * time.Second
	// keptInserted bounds how many organizations wait to be looked at.
	keptInserted = 10_000
)

// wholeness is what is known of collections that may not be what they should.
type wholeness struct {
	mu sync.Mutex
	// inserted are the keys of namespaces that were inserted into since the last
	// look.
	inserted map[string]bool
	lost     map[string]error
}

// note has a namespace looked at.
func (w *wholeness) note(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inserted == nil {
		w.inserted = make(map[string]bool)
	}
	if len(w.inserted) < keptInserted {
		w.inserted[key] = true
	}
}

// due takes what is to be looked at: what was inserted into, and what was lost.
func (w *wholeness) due() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := maps.Clone(w.inserted)
	if all == nil {
		all = make(map[string]bool)
	}
	for key := range w.lost {
		all[key] = true
	}
	clear(w.inserted)
	return slices.Collect(maps.Keys(all))
}

// set notes that a namespace's collection is lost, or, with nil, that it is not,
// and reports whether that is news.
func (w *wholeness) set(key string, lost error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if (w.lost[key] == nil) == (lost == nil) {
		return false
	}
	if w.lost == nil {
		w.lost = make(map[string]error)
	}
	if w.lost[key] = lost; lost == nil {
		delete(w.lost, key)
	}
	return true
}

func (w *wholeness) get(key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost[key]
}

// amiss says what is wrong with what stands in a namespace's place, or nil.
func (d namespaceDoc) amiss(there seen) error {
	switch {
	case d.Pending != nil || d.Dropping || d.Born == 0:
		return nil // it is being changed, or from before there were validators
	case !there.exists:
		return app.Lost(fmt.Errorf("there is no collection %s", d.Collection))
	case d.shared() && there.stamp == 0 && !there.refuses && !d.Plain, !d.shared() && there.org != string(d.org()):
		return app.Unfenced(fmt.Errorf("the collection %s has been made by something else", d.Collection))
	}
	return nil
}

// whole refuses a namespace whose collection is not there any more, or not the
// one that was made for it.
func (c *Cluster) whole(ctx context.Context, d namespaceDoc) error {
	if d.Pending != nil || d.Born == 0 || d.Plain != c.lacks.validators {
		return nil
	}
	there, err := c.look(ctx, d, d.Collection)
	if err != nil {
		return err
	}
	return c.judge(ctx, d, there)
}

// judge is whole for who has looked.
func (c *Cluster) judge(ctx context.Context, d namespaceDoc, there seen) error {
	lost := d.amiss(there)
	if lost != nil { // unless it has been moved meanwhile
		now, err := c.namespace(ctx, d.ID)
		if errors.Is(err, mongo.ErrNoDocuments) || err == nil && !now.same(d) {
			return nil
		}
		if err == nil && !there.exists {
			err = c.takeBack(ctx, d, d.Collection) // whoever asks again finds it
		}
		if err != nil {
			return err
		}
	}
	if c.wholeness.set(d.ID, lost) {
		if lost != nil {
			c.log.Error("the documents of an organization are not where they were put; it is refused until they are",
				"cluster", c.key, "org_id", d.org(), "collection", d.Collection, "error", lost)
		} else {
			c.log.Info("the documents of an organization are where they should be again", "cluster", c.key, "org_id", d.org())
		}
	}
	return lost
}

// keepLooking looks at what was inserted into, until the context ends.
func (c *Cluster) keepLooking(ctx context.Context) {
	every(ctx, lookEvery, func() {
		if keys := c.wholeness.due(); len(keys) > 0 && c.here() == nil {
			c.lookAll(ctx, keys)
		}
	})
}

// lookAll looks at collections, with one command for all of a database.
func (c *Cluster) lookAll(ctx context.Context, keys []string) {
	byDatabase := map[string][]namespaceDoc{}
	for _, key := range keys {
		d, err := c.namespace(ctx, key)
		switch {
		case errors.Is(err, mongo.ErrNoDocuments), err == nil && d.Dropping:
			c.wholeness.set(key, nil)
		case err != nil:
			c.wholeness.note(key) // again, later
		case c.lacks.validators:
			_ = c.whole(ctx, d)
		default:
			byDatabase[c.database(d).Name()] = append(byDatabase[c.database(d).Name()], d)
		}
	}
	for database, docs := range byDatabase {
		names := make([]string, len(docs))
		for i, d := range docs {
			names[i] = d.Collection
		}
		all, err := c.lookThrough(ctx, c.client.Database(database), bson.D{{Key: "name", Value: bson.D{{Key: "$in", Value: names}}}})
		for _, d := range docs {
			if err != nil || c.judge(ctx, d, all[d.Collection]) != nil && c.wholeness.get(d.ID) == nil {
				c.wholeness.note(d.ID)
			}
		}
	}
}

// there reports, for each namespace, whether its collection is. It is for
// comparing with the registry.
func (c *Cluster) there(ctx context.Context, docs []namespaceDoc) (map[string]bool, error) {
	databases := map[string]map[string]seen{}
	is := make(map[string]bool, len(docs))
	for _, d := range docs {
		name := c.database(d).Name()
		if databases[name] == nil {
			all, err := c.lookThrough(ctx, c.database(d), bson.D{})
			if err != nil {
				return nil, err
			}
			databases[name] = all
		}
		at := databases[name][d.Collection]
		if c.lacks.validators {
			at.org = string(d.org()) // one by one would be a command for each
		}
		is[d.ID] = d.Plain != c.lacks.validators || d.amiss(at) == nil
	}
	return is, nil
}
