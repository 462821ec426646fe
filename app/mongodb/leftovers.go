package mongodb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// What is left of places that nobody has any more.
//
// A collection that takes nothing stands where an organization was that has
// moved or was deleted: it refuses who has not heard. When nobody can be that
// late any more it is removed, and with the last of them the database that an
// organization had for itself. What takes nothing, is of no namespace, and was so
// for keepLeft before the eyes of this server, is left over. sweep.go has how one
// is removed.
//
// From then on the store refuses nobody there: a write makes the collection
// again, and nobody reads it. So nobody writes by what it read longer than
// rememberFor ago, also who was stopped, or on a machine that slept, and wakes
// (namespaceDoc.fresh); and no command is under way for as long as keepLeft.
//
// A name that some organization was renamed to or from stays as it is: renames
// rest on it that both names are taken at all times (relocate.go).

const (
	tidyEvery = 10 * time.Minute
	keepLeft  = 24 * time.Hour
	// renamedNames has the names that organizations were renamed to and from, as
	// they are held.
	renamedNames = "renamed"
)

// leftovers is what a server has seen that is left, and since when.
type leftovers struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// kept reports whether something was left for so long, and notes that it is.
func (l *leftovers) kept(what string, long time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	since, is := l.seen[what]
	if !is {
		if l.seen == nil {
			l.seen = map[string]time.Time{}
		}
		since = time.Now()
		l.seen[what] = since
	}
	return time.Since(since) >= long
}

// forget forgets what was not found any more.
func (l *leftovers) forget(found map[string]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for what := range l.seen {
		if !found[what] {
			delete(l.seen, what)
		}
	}
}

// keepTidy removes what is left over, until the context ends.
func (c *Cluster) keepTidy(ctx context.Context) {
	every(ctx, tidyEvery, func() {
		if c.here() != nil {
			return
		}
		n, err := c.tidy(ctx, keepLeft)
		if err != nil && ctx.Err() == nil {
			c.log.Warn("what organizations have left behind was not all looked for or removed", "cluster", c.key, "error", c.cause(err))
		}
		if n > 0 {
			c.log.Info("empty collections that organizations have left behind were removed", "cluster", c.key, "collections", n)
		}
	})
}

// tidy removes what was left for so long, and says how many collections.
func (c *Cluster) tidy(ctx context.Context, long time.Duration) (removed int, err error) {
	if c.lacks.validators {
		return 0, nil // nothing is known to take nothing there
	}
	left, claims, err := c.left(ctx)
	if err != nil {
		return 0, err
	}
	found := map[string]bool{}
	var failed []error
	for _, claim := range claims {
		// Of a server that has ended. Who takes it away lets that one do nothing more.
		if found[claim.ID] = true; c.leftovers.kept(claim.ID, long) {
			failed = append(failed, c.yield(ctx, claim))
		}
	}
	for _, at := range left {
		place := at.db.Name() + "." + at.name
		if found[place] = true; !c.leftovers.kept(place, long) {
			continue
		}
		gone, err := c.sweepOne(ctx, at)
		if err != nil {
			failed = append(failed, fmt.Errorf("remove %s: %w", place, err))
		}
		if gone {
			removed++
		}
	}
	c.leftovers.forget(found)
	return removed, errors.Join(failed...)
}

// leftover is a collection that takes nothing and is nobody's.
type leftover struct {
	db   *mongo.Database
	name string
	held string // as an organization would hold it
}

// left finds what is left, and the claims to what is being removed. What stands
// is looked at first: whatever is somebody's is recorded before it is made.
func (c *Cluster) left(ctx context.Context) (left []leftover, claims []namespaceDoc, err error) {
	databases, err := c.ownDatabases(ctx)
	if err != nil {
		return nil, nil, c.translate(err)
	}
	for _, db := range databases {
		all, err := c.collections(ctx, db)
		if err != nil {
			return nil, nil, c.translate(err)
		}
		for name, there := range all {
			at := leftover{db: db, name: name, held: name}
			if db.Name() != c.db.Name() {
				at.held = db.Name() + "." + name
			}
			if there.refuses && (strings.HasPrefix(name, "org_") || hasOwnName(name)) {
				left = append(left, at)
			}
		}
	}
	taken, claims, err := c.taken(ctx)
	if err != nil {
		return nil, nil, c.translate(err)
	}
	free := left[:0]
	for _, at := range left {
		if !taken[at.held] {
			free = append(free, at)
		}
	}
	return free, claims, nil
}

// hasOwnName reports whether a collection has a name that none has after it.
func hasOwnName(name string) bool {
	return strings.HasPrefix(name, "stand_") || strings.HasPrefix(name, asidePrefix)
}

// collections are those of a database.
func (c *Cluster) collections(ctx context.Context, db *mongo.Database) (map[string]seen, error) {
	ctx, cancel := c.reading(ctx)
	defer cancel()
	return c.lookThrough(ctx, db, bson.D{})
}

// ownDatabases are the cluster's, and those of single organizations.
func (c *Cluster) ownDatabases(ctx context.Context) ([]*mongo.Database, error) {
	ctx, cancel := c.reading(ctx)
	defer cancel()
	names, err := c.client.ListDatabaseNames(ctx, bson.D{{Key: "name", Value: bson.Regex{
		Pattern: "^" + regexp.QuoteMeta(c.databaseOf("")) + "[0-9a-f]{32}$"}}}, options.ListDatabases().SetAuthorizedDatabases(true))
	all := []*mongo.Database{c.db}
	if err != nil && isRefused(err) {
		return all, nil // who may not ask has none
	}
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		all = append(all, c.client.Database(name))
	}
	return all, nil
}

// taken are the names that are not to be touched, as they are held, and the
// claims.
func (c *Cluster) taken(ctx context.Context) (taken map[string]bool, claims []namespaceDoc, err error) {
	ctx, cancel := c.reading(ctx)
	defer cancel()
	taken = map[string]bool{}
	cursor, err := c.db.Collection(namespaces).Find(ctx, bson.D{})
	if err != nil {
		return nil, nil, err
	}
	var docs []namespaceDoc
	if err := cursor.All(ctx, &docs); err != nil {
		return nil, nil, err
	}
	for _, d := range docs {
		for _, name := range d.Holds {
			taken[name] = true
		}
		taken[d.held(d.Stand)] = d.Stand != ""
		if d.isClaim() {
			claims = append(claims, d)
		}
	}
	var renamed []struct {
		Name string `bson:"_id"`
	}
	if cursor, err = c.db.Collection(renamedNames).Find(ctx, bson.D{}); err == nil {
		err = cursor.All(ctx, &renamed)
	}
	for _, r := range renamed {
		taken[r.Name] = true
	}
	return taken, claims, err
}

// noteRenamed records that an organization is renamed to or from these names,
// before it is.
func (c *Cluster) noteRenamed(ctx context.Context, names []string) error {
	docs := make([]any, len(names))
	for i, name := range names {
		docs[i] = bson.D{{Key: "_id", Value: name}}
	}
	_, err := c.db.Collection(renamedNames).InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	if len(duplicates(err)) > 0 {
		return nil // was there before; the others are now
	}
	return err
}

// wasRenamed reports whether an organization was renamed to or from a name.
func (c *Cluster) wasRenamed(ctx context.Context, held string) (bool, error) {
	err := c.db.Collection(renamedNames).FindOne(ctx, byID(held)).Err()
	return err == nil, passOver(err)
}
