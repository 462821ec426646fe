package mongodb

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// schema is the list of migrations of one kind of database: the n-th makes
// version n out of version n-1. Each can be done again, by several servers at
// once, and after it was broken off. Versions are never edited once released.
type schema struct {
	kind       string
	migrations []func(ctx context.Context, s *server) error
	// oldest is the version that a program must know to go on using the registry
	// once this schema is there: see versions.go.
	oldest int
}

var registrySchema = schema{kind: "registry", migrations: []func(context.Context, *server) error{registryIndexes, addedClustersAndPlaces, registryMarks}, oldest: looksSince}

var clusterSchema = schema{kind: "cluster", migrations: []func(context.Context, *server) error{clusterIndexes, clusterStamps, sharedCollection}}

// NewerError says that a newer version of the program wrote the data.
type NewerError struct {
	Name    string // of the registry or cluster
	Wrote   string // the version that did
	Version int    // of the schema
	Known   int    // the newest that this program knows
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the data in the %s was written by tenantry %s (schema %d; this version knows up to %d); run tenantry %s or newer",
		e.Name, e.Wrote, e.Version, e.Known, e.Wrote)
}

const schemas = "schema"

type schemaDoc struct {
	Version int    `bson:"version"`
	Wrote   string `bson:"tenantry"`
	// Plain: its indexes are about all documents, and unique among none.
	Plain bool `bson:"plain,omitempty"`
}

// schema reads which version a database is of, and refuses one that is newer
// than this program.
func (s *server) schema(ctx context.Context, known schema) (now schemaDoc, err error) {
	err = s.db.Collection(schemas).FindOne(ctx, byID(known.kind)).Decode(&now)
	if err = passOver(err); err != nil {
		return now, s.translate(err)
	}
	if now.Version > len(known.migrations) {
		return now, &NewerError{Name: s.name, Wrote: now.Wrote, Version: now.Version, Known: len(known.migrations)}
	}
	return now, nil
}

// migrate brings a database to the newest version.
func migrate(ctx context.Context, s *server, to schema) error {
	now, err := s.schema(ctx, to)
	if err != nil {
		return err
	}
	s.lacks.partial = now.Plain
	for n := now.Version + 1; n <= len(to.migrations); n++ {
		if err := to.migrations[n-1](ctx, s); err != nil {
			return fmt.Errorf("migrate the %s from schema %d to %d: %w", s.name, n-1, n, s.translate(err))
		}
		_, err := s.db.Collection(schemas).UpdateOne(ctx,
			bson.D{{Key: "_id", Value: to.kind}, {Key: "version", Value: bson.D{{Key: "$lt", Value: n}}}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: n}, {Key: "tenantry", Value: s.version}, {Key: "at", Value: app.Now()},
				{Key: "plain", Value: s.lacks.partial}}}},
			options.UpdateOne().SetUpsert(true))
		if err != nil && !isDuplicate(err) { // another server was first
			return s.translate(err)
		}
	}
	return nil
}

// index is one of a collection.
type index struct {
	collection string
	name       string
	keys       bson.D
	unique     bool
	// only is which documents it is about: those that have the field, and not
	// empty.
	only string
	when bson.D
}

var registryIndexList = []index{
	{organizations, "slug", bson.D{{Key: "slug", Value: 1}}, true, "slug", nil},
	{organizations, "name", bson.D{{Key: "name_key", Value: 1}, {Key: "_id", Value: 1}}, false, "", nil},
	{organizations, "external_id", bson.D{{Key: "external_id", Value: 1}}, true, "external_id", nil},
	{organizations, "collection", bson.D{{Key: "cluster", Value: 1}, {Key: "database", Value: 1}, {Key: "collection", Value: 1}}, true, "",
		bson.D{{Key: "isolation", Value: "collection"}}},
	{users, "email", bson.D{{Key: "email_key", Value: 1}}, true, "email_key", nil},
	{memberships, "user", bson.D{{Key: "user_id", Value: 1}, {Key: "_id", Value: 1}}, false, "", nil},
	{memberships, "organization", bson.D{{Key: "organization_id", Value: 1}}, false, "", nil},
	{claims, "owner", bson.D{{Key: "owner", Value: 1}}, false, "", nil},
	{operations, "open", bson.D{{Key: "organization_id", Value: 1}}, true, "", bson.D{{Key: "open", Value: true}}},
	{operations, "updated", bson.D{{Key: "updated_at", Value: 1}}, false, "", nil},
	{operations, "organization", bson.D{{Key: "organization_id", Value: 1}, {Key: "_id", Value: -1}}, false, "", nil},
	{repetitions, "organization", bson.D{{Key: "organization_id", Value: 1}}, false, "", nil},
	{repetitions, "expiry", bson.D{{Key: "expires_at", Value: 1}}, false, "", nil},
	{operatorKeys, "hash", bson.D{{Key: "hash", Value: 1}}, true, "", bson.D{{Key: "hash", Value: bson.D{{Key: "$exists", Value: true}}}}},
	{signingKeys, "current", bson.D{{Key: "current", Value: 1}}, true, "", bson.D{{Key: "current", Value: true}}},
	{sessions, "user", bson.D{{Key: "user_id", Value: 1}}, false, "", nil},
	{sessions, "organization", bson.D{{Key: "organization_id", Value: 1}}, false, "", nil},
	{sessions, "expiry", bson.D{{Key: "expires_at", Value: 1}}, false, "", nil},
}

func registryIndexes(ctx context.Context, s *server) error {
	for _, name := range append([]string{locks, events}, versioned...) {
		// A transaction cannot make a collection everywhere, and neither can collMod.
		if err := s.db.CreateCollection(ctx, name); err != nil && !hasCode(err, codeNamespaceExists) {
			return err
		}
	}
	return makeIndexes(ctx, s, s.db, registryIndexList)
}

// addedClustersAndPlaces makes the collection of added clusters, and the index
// by which the organizations of a cluster are counted.
func addedClustersAndPlaces(ctx context.Context, s *server) error {
	if err := s.db.CreateCollection(ctx, addedClusters); err != nil && !hasCode(err, codeNamespaceExists) {
		return err
	}
	return makeIndexes(ctx, s, s.db, []index{
		{organizations, "place", bson.D{{Key: "cluster", Value: 1}, {Key: "isolation", Value: 1}}, false, "", nil},
	})
}

// registryMarks makes the collection that says whether the registry is where it
// was, and keeps programs away that would not ask.
func registryMarks(ctx context.Context, s *server) error {
	if err := s.db.CreateCollection(ctx, marks); err != nil && !hasCode(err, codeNamespaceExists) {
		return err
	}
	return nil
}

// clusterIndexes makes the list of namespaces. holds is the names that an
// organization has: two while it is renamed. None is in two lists.
func clusterIndexes(ctx context.Context, s *server) error {
	return makeIndexes(ctx, s, s.db, []index{
		{namespaces, "holds", bson.D{{Key: "holds", Value: 1}}, true, "", nil},
		{namespaces, "left", bson.D{{Key: "left", Value: 1}}, false, "", nil},
	})
}

// clusterStamps keeps programs away that do not know what a namespace demands
// now. Namespaces from before are put in force when they are first written to.
func clusterStamps(context.Context, *server) error { return nil }

// sharedCollection makes the collection of those who share one: whoever may not
// make indexes can serve them where somebody else has started the program first.
func sharedCollection(ctx context.Context, s *server) error {
	err := s.createAs(ctx, s.db, app.SharedCollection, refusing)
	if err != nil && !hasCode(err, codeNamespaceExists) {
		return err
	}
	return makeIndexes(ctx, s, s.db, []index{
		{app.SharedCollection, "type", bson.D{{Key: "org_id", Value: 1}, {Key: "type", Value: 1}, {Key: "_id", Value: 1}}, false, "", nil},
		{app.SharedCollection, notesIndex, bson.D{{Key: "org_id", Value: 1}, {Key: "notes", Value: 1}, {Key: "_id", Value: 1}}, false, "", noted},
	})
}

func makeIndexes(ctx context.Context, s *server, db *mongo.Database, list []index) error {
	byCollection := map[string][]index{}
	var order []string
	for _, i := range list {
		if byCollection[i.collection] == nil {
			order = append(order, i.collection)
		}
		byCollection[i.collection] = append(byCollection[i.collection], i)
	}
	for _, name := range order {
		err := s.makeIndexesOf(ctx, db.Collection(name), byCollection[name])
		if err != nil {
			return fmt.Errorf("indexes of %s: %w", name, err)
		}
	}
	return nil
}

// makeIndexesOf makes indexes of one collection. Where a server has none about
// some documents only, they are about all, and unique among none: that is held
// by the lock then, as on every server without transactions.
func (s *server) makeIndexesOf(ctx context.Context, collection *mongo.Collection, list []index) error {
	_, err := collection.Indexes().CreateMany(ctx, s.models(list))
	partial := slices.ContainsFunc(list, func(i index) bool { return i.only != "" || i.when != nil })
	if isAbsent(err) && partial && !s.lacks.partial {
		s.lacks.partial = true
		_, err = collection.Indexes().CreateMany(ctx, s.models(list))
	}
	if isAbsent(err) {
		return s.refusal("The server of "+s.name+" does not make the indexes that the program needs. "+
			"Use MongoDB, or a server that has unique indexes.", err)
	}
	return err
}

func (s *server) models(list []index) []mongo.IndexModel {
	models := make([]mongo.IndexModel, len(list))
	for n, i := range list {
		when := i.when
		if i.only != "" {
			when = bson.D{{Key: i.only, Value: bson.D{{Key: "$gt", Value: ""}}}}
		}
		o := options.Index().SetName(i.name)
		if when == nil || !s.lacks.partial {
			o.SetUnique(i.unique)
			if when != nil {
				o.SetPartialFilterExpression(when)
			}
		}
		models[n] = mongo.IndexModel{Keys: i.keys, Options: o}
	}
	return models
}
