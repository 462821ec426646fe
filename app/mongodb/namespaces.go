package mongodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

const namespaces = "namespaces"

// namespaceDoc says where an organization's documents are, and what may be
// done with them. It alone decides: the name in a placement may be another's by
// now.
type namespaceDoc struct {
	ID         string `bson:"_id"`                // see keyOf
	Database   string `bson:"database,omitempty"` // where its collection is; empty: the cluster's
	Collection string `bson:"collection"`
	Generation int64  `bson:"generation"`
	// Phase is an app.NamespacePhase; empty is open.
	Phase string `bson:"phase,omitempty"`
	// Stamp is what every write must carry: see fence.go. In the shared
	// collection it is the number of the change that put this document in force.
	// 0: a change of this document is not in force yet.
	Stamp int64 `bson:"stamp,omitempty"`
	// Notes is what a write leaves in its document, as long as it is recorded
	// what is touched. Each recording has one of its own.
	Notes int64 `bson:"notes,omitempty"`
	// Forgotten are the notes of a recording that has ended, until they are gone.
	Forgotten int64 `bson:"forgotten,omitempty"`
	// Pending is where a rename that has begun will have them.
	Pending *pending `bson:"pending,omitempty"`
	// Holds are the names that nobody else can have: the collection's, and the
	// pending one's.
	Holds []string `bson:"holds"`
	// Left are the names that it had before, where a collection that takes
	// nothing stands in the way of late writers. See relocate.go.
	Left []string `bson:"left,omitempty"`
	// Born is of this document alone: when a namespace is dropped and made again,
	// its revisions begin again.
	Born int64 `bson:"born,omitempty"`
	// Revision goes up with every change of this document.
	Revision int64 `bson:"revision"`
	// Dropping is set when the namespace is no more, and only clearing up is
	// left; Stand is what is being put in its collection's place. See drop.go.
	Dropping bool   `bson:"dropping,omitempty"`
	Stand    string `bson:"stand,omitempty"`
	// Sweep is set in what is no namespace, but a claim to a name under which
	// something is left: see sweep.go.
	Sweep string `bson:"sweep,omitempty"`

	// Plain: it was made where the store keeps no validators. See plain.go.
	Plain bool `bson:"plain,omitempty"`

	// seq is the number of the shared collection's last change when this was
	// read; 0 elsewhere.
	seq int64
	// read is when the reading of this, or of what it was made from, was sent.
	read time.Time
}

type pending struct {
	Collection string `bson:"collection"`
	Generation int64  `bson:"generation"`
}

// keyOf is the id of the document about a namespace: the organization's, and
// the isolation unless that is IsolationCollection. While an organization moves
// within the cluster it has two namespaces.
func keyOf(org app.OrganizationID, isolation app.Isolation) string {
	if isolation == app.IsolationCollection {
		return string(org)
	}
	return string(org) + "/" + string(isolation)
}

func keyIn(ns app.Namespace) string { return keyOf(ns.Organization, ns.Placement.Isolation) }

func (d namespaceDoc) org() app.OrganizationID {
	org, _, _ := strings.Cut(d.ID, "/")
	return app.OrganizationID(org)
}

func (d namespaceDoc) isolation() app.Isolation {
	if _, isolation, is := strings.Cut(d.ID, "/"); is {
		return app.Isolation(isolation)
	}
	return app.IsolationCollection
}

func (d namespaceDoc) shared() bool { return d.isolation() == app.IsolationShared }

func (d namespaceDoc) phase() app.NamespacePhase {
	if d.Phase == "" {
		return app.PhaseOpen
	}
	return app.NamespacePhase(d.Phase)
}

func (d *namespaceDoc) setPhase(p app.NamespacePhase) {
	d.Phase = string(p)
	if p == app.PhaseOpen {
		d.Phase = ""
	}
}

// held is a name as nobody else can have it.
func (d namespaceDoc) held(collection string) string {
	switch {
	case d.shared():
		return d.ID // there is room for all in the shared collection
	case d.Database == "":
		return collection
	}
	return d.Database + "." + collection
}

// database is where a namespace's collection is.
func (c *Cluster) database(d namespaceDoc) *mongo.Database {
	if d.Database == "" {
		return c.db
	}
	return c.client.Database(d.Database)
}

// resolve reads where the documents are now, or app.ErrNotFound.
func (c *Cluster) resolve(ctx context.Context, key string) (namespaceDoc, error) {
	d, err := c.namespace(ctx, key)
	if err == nil && d.Dropping {
		err = mongo.ErrNoDocuments
	}
	if errors.Is(err, mongo.ErrNoDocuments) {
		c.names.drop(key)
		return d, errNoNamespace(key)
	}
	if err == nil {
		c.names.put(key, d)
	}
	return d, err
}

// errNoNamespace says that a namespace is not, or not any more, in the cluster.
func errNoNamespace(key string) error {
	return fmt.Errorf("namespace %s: %w: %w", key, app.ErrMoved, app.ErrNotFound)
}

// namespace reads the document about one.
func (c *Cluster) namespace(ctx context.Context, key string) (d namespaceDoc, err error) {
	read := time.Now()
	defer func() { d.read = read }()
	if strings.HasSuffix(key, "/"+string(app.IsolationShared)) {
		// First: what is read afterwards is as new as this, or newer.
		if d.seq, err = c.epochs.refresh(ctx, c.db); err != nil {
			return d, err
		}
	}
	err = c.db.Collection(namespaces).FindOne(ctx, byID(key)).Decode(&d)
	return d, err
}

// unchanged is the filter for the document as it was read.
func (d namespaceDoc) unchanged() bson.D {
	var born any // none: from before there was one
	if d.Born != 0 {
		born = d.Born
	}
	return bson.D{{Key: "_id", Value: d.ID}, {Key: "born", Value: born}, {Key: "revision", Value: d.Revision}}
}

func (d namespaceDoc) same(as namespaceDoc) bool {
	return d.Born == as.Born && d.Revision == as.Revision
}

// newer reports whether the document was changed after it was read as than.
func (d namespaceDoc) newer(than namespaceDoc) bool {
	return d.Born == than.Born && d.Revision > than.Revision
}

// errOvertaken says that somebody else has changed a namespace since it was
// read.
var errOvertaken = errors.New("the namespace was changed meanwhile")

// step writes a namespace that nobody has changed since it was read.
func (c *Cluster) step(ctx context.Context, d namespaceDoc, next *namespaceDoc) error {
	next.Revision = d.Revision + 1
	result, err := c.db.Collection(namespaces).ReplaceOne(ctx, d.unchanged(), next)
	if err == nil && result.MatchedCount == 0 {
		return errOvertaken
	}
	return err
}

// Provision makes the place for an organization's documents. See app.Cluster.
func (c *Cluster) Provision(ctx context.Context, ns app.Namespace) error {
	if err := c.check(ns); err != nil {
		return err
	}
	return c.alone(ctx, ns.Organization, func(ctx context.Context) error {
		d, err := c.record(ctx, ns, app.PhaseOpen)
		if errors.Is(err, errExists) {
			// There already, under whichever name; though perhaps only half made.
			if d.Dropping {
				return app.Taken(app.ConflictCollection)
			}
			if d.Pending != nil || d.phase() != app.PhaseOpen {
				return nil
			}
			err = nil
		}
		if err != nil {
			return err
		}
		if d, err = c.furnish(ctx, d); err != nil {
			return err
		}
		c.names.put(d.ID, d)
		c.wholeness.set(d.ID, nil)
		return nil
	})
}

var errExists = errors.New("there is one")

// record writes down a new namespace. errExists, with the one there is, when
// there is one; a TakenError when another has its name.
func (c *Cluster) record(ctx context.Context, ns app.Namespace, phase app.NamespacePhase) (namespaceDoc, error) {
	d := namespaceDoc{ID: keyIn(ns), Collection: ns.Placement.Collection, Generation: ns.Placement.Generation,
		Born: newStamp(), Revision: 1, Plain: c.lacks.validators, read: time.Now()}
	d.setPhase(phase)
	if ns.Placement.Isolation == app.IsolationDatabase {
		d.Database = c.databaseOf(ns.Organization)
	}
	d.Holds = []string{d.held(d.Collection)}
	d.Stamp = newStamp()
	if d.shared() {
		var err error
		if d.seq, err = c.epochs.make(ctx, c.server); err != nil {
			return d, err
		}
		d.Stamp = d.seq
	}
	err := c.free(ctx, d)
	if err != nil {
		return d, err
	}
	_, err = c.db.Collection(namespaces).InsertOne(ctx, d)
	if !isDuplicate(err) {
		return d, err
	}
	now, err := c.namespace(ctx, d.ID)
	if errors.Is(err, mongo.ErrNoDocuments) { // its name, then
		yielded, err := c.yieldTo(ctx, d)
		if err == nil && yielded {
			return c.record(ctx, ns, phase)
		}
		if err == nil {
			err = app.Taken(app.ConflictCollection)
		}
		return d, err
	}
	if err == nil {
		err = errExists
	}
	return now, err
}

// furnish makes the collection of a namespace, with its validator. What stands
// there under the name, which nobody else has, is taken over: a collection
// that takes nothing, or what a late writer made after a deletion.
func (c *Cluster) furnish(ctx context.Context, d namespaceDoc) (namespaceDoc, error) {
	if d.shared() {
		return c.furnishShared(ctx, d)
	}
	if c.lacks.validators {
		if err := c.claimPlain(ctx, d, d.Collection); err != nil {
			return d, err
		}
		return d, c.deliver(ctx, d, d.Collection)
	}
	// A stamp that others may know already is not put on what is there.
	if d.Stamp != 0 {
		err := c.database(d).CreateCollection(ctx, d.Collection, options.CreateCollection().SetValidator(d.demands(d.Stamp)))
		if err == nil || !hasCode(err, codeNamespaceExists) {
			return d, err
		}
		there, err := c.look(ctx, d, d.Collection)
		if err != nil || there.stamp == d.Stamp {
			return d, err
		}
	}
	d, err := c.refence(ctx, d)
	if err != nil {
		return d, err
	}
	return d, c.deliver(ctx, d, d.Collection)
}

// furnishShared sees to it that the shared collection is what it should be. One
// that is gone is not made again: all who were in it would be there, and empty.
func (c *Cluster) furnishShared(ctx context.Context, d namespaceDoc) (namespaceDoc, error) {
	there, err := c.look(ctx, d, d.Collection)
	if err != nil || d.amiss(there) == nil {
		return d, err
	}
	if !there.exists {
		return d, d.amiss(there)
	}
	if err := sharedCollection(ctx, c.server); err != nil {
		return d, err
	}
	return c.refence(ctx, d)
}

// Namespaces lists what there is, for comparing with the registry: what is
// recorded, and has the collection that is recorded.
func (c *Cluster) Namespaces(ctx context.Context) ([]app.Namespace, error) {
	docs, err := c.allNamespaces(ctx)
	if err != nil {
		return nil, err
	}
	there, err := c.there(ctx, docs)
	if err != nil {
		return nil, c.translate(err)
	}
	list := make([]app.Namespace, 0, len(docs))
	for _, d := range docs {
		if !there[d.ID] {
			continue
		}
		list = append(list, app.Namespace{Organization: d.org(), Placement: app.Placement{
			Cluster: c.key, Isolation: d.isolation(), Database: c.database(d).Name(),
			Collection: d.Collection, Generation: d.Generation,
		}})
	}
	return list, nil
}

func (c *Cluster) allNamespaces(ctx context.Context) (docs []namespaceDoc, err error) {
	if err := c.here(); err != nil {
		return nil, err
	}
	cursor, err := c.db.Collection(namespaces).Find(ctx, ofOrganizations, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err == nil {
		err = cursor.All(ctx, &docs)
	}
	return docs, c.translate(err)
}
