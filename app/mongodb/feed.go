package mongodb

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// feed hears what other servers change, and knows how late it is.
//
// On a replica set it is a change stream, on a standalone server the list of
// events that the holders of the lock write, read every so often. Both are one
// read for a server and turn, however many organizations there are. A read
// that was sent after a change was acknowledged sees it: the stream is read
// from the primary, and the events are in the order of their commits. So
// everything is known up to the moment at which the last read that was
// answered was sent, by this machine's monotonic clock alone.
type feed struct {
	lease time.Duration
	start time.Time
	// heard is that moment, in nanoseconds since start.
	heard atomic.Int64

	// cursor is the change stream's, and sent are its reads on their way.
	cursor atomic.Int64
	mu     sync.Mutex
	sent   map[int64]time.Time
	last   time.Time // when the last one that was answered was sent
}

// DefaultLease is how late a server may be where nothing else is configured.
const DefaultLease = time.Second

func newFeed(lease time.Duration) *feed {
	if lease == 0 {
		lease = DefaultLease
	}
	f := &feed{lease: lease, start: time.Now(), sent: make(map[int64]time.Time)}
	f.heard.Store(int64(-lease)) // nothing yet
	return f
}

// turn is how often it is read where nothing changes.
func (f *feed) turn() time.Duration { return f.lease / 4 }

// upTo notes that everything is known up to a moment.
func (f *feed) upTo(t time.Time) {
	if !t.IsZero() {
		f.heard.Store(int64(t.Sub(f.start)))
	}
}

// fresh reports whether everything is known up to the lease ago.
func (f *feed) fresh() bool { return time.Since(f.start)-time.Duration(f.heard.Load()) < f.lease }

// Trusted is as app.Registry says.
func (r *Registry) Trusted() bool {
	return r.feed.fresh() && r.mark.get() == nil
}

// Shared is as app.Registry says.
func (r *Registry) Shared() bool { return true }

// listen follows the feed until the context ends.
func (r *Registry) listen(ctx context.Context) {
	follow := r.pollEvents
	if r.transactions() {
		follow = r.watchStream
	}
	const shortest, longest = 100 * time.Millisecond, 5 * time.Second
	wait := shortest
	for ctx.Err() == nil {
		began := time.Now()
		err := follow(ctx)
		if time.Since(began) > longest {
			wait = shortest
		}
		if ctx.Err() != nil {
			return
		}
		r.log.Warn("what other servers change is not heard; nothing is remembered until it is",
			"error", r.translate(err), "again_in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longest)
	}
}

// pollEvents reads the list of events.
func (r *Registry) pollEvents(ctx context.Context) error {
	var last struct {
		ID int64 `bson:"_id"`
	}
	list := r.db.Collection(events)
	sent := time.Now()
	err := list.FindOne(ctx, bson.D{}, options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})).Decode(&last)
	if err = passOver(err); err != nil {
		return err
	}
	if err := r.lookAtMark(ctx); err != nil {
		return err
	}
	r.publish(app.Invalidation{Everything: true})
	r.feed.upTo(sent)
	ticker := time.NewTicker(r.feed.turn())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		sent := time.Now()
		cursor, err := list.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: last.ID}}}},
			options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
		if err != nil {
			return err
		}
		var news []struct {
			ID    int64    `bson:"_id"`
			Heard []notice `bson:"heard"`
		}
		if err := cursor.All(ctx, &news); err != nil {
			return err
		}
		for _, n := range news {
			if n.ID != last.ID+1 { // what was between is pruned already
				r.publish(app.Invalidation{Everything: true})
			}
			last.ID = n.ID
			for _, heard := range n.Heard {
				if heard.Mark {
					if err := r.lookAtMark(ctx); err != nil {
						return err
					}
					continue
				}
				r.publish(heard.invalidation())
			}
		}
		r.feed.upTo(sent)
	}
}

// streamed are the collections whose changes concern caches. What comes into
// being does not: nobody remembers that something is not there. But each server
// has the clusters that there are.
var streamed = mongo.Pipeline{
	{{Key: "$match", Value: bson.D{
		{Key: "$or", Value: bson.A{
			bson.D{{Key: "operationType", Value: bson.D{{Key: "$ne", Value: "insert"}}}},
			bson.D{{Key: "ns.coll", Value: bson.D{{Key: "$in", Value: []string{addedClusters, marks}}}}},
		}},
	}}},
	{{Key: "$match", Value: bson.D{
		{Key: "$or", Value: bson.A{
			bson.D{{Key: "ns.coll", Value: bson.D{{Key: "$in", Value: bson.A{organizations, users, memberships, sessions, operatorKeys, addedClusters, marks}}}}},
			bson.D{{Key: "ns.coll", Value: bson.D{{Key: "$exists", Value: false}}}},
		}},
	}}},
	{{Key: "$project", Value: bson.D{{Key: "operationType", Value: 1}, {Key: "ns", Value: 1}, {Key: "documentKey", Value: 1}}}},
}

// errStreamEnded: the server has closed the change stream, as it does when the
// database is dropped. The driver calls that no error, and never waits again.
var errStreamEnded = errors.New("the server ended the change stream")

// watchStream follows the change stream.
func (r *Registry) watchStream(ctx context.Context) error {
	opened := time.Now()
	stream, err := r.db.Watch(ctx, streamed, options.ChangeStream().SetMaxAwaitTime(r.feed.turn()))
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close(context.WithoutCancel(ctx)) }()
	if err := r.lookAtMark(ctx); err != nil {
		return err
	}
	r.feed.follow(stream.ID())
	r.publish(app.Invalidation{Everything: true})
	r.feed.upTo(opened)
	for {
		next := stream.TryNext(ctx)
		if err := stream.Err(); err != nil {
			return err
		}
		if next {
			var e struct {
				Type      string `bson:"operationType"`
				Namespace struct {
					Collection string `bson:"coll"`
				} `bson:"ns"`
				Key struct {
					ID string `bson:"_id"`
				} `bson:"documentKey"`
			}
			if err := stream.Decode(&e); err != nil {
				return err
			}
			if e.Namespace.Collection == marks {
				if err := r.lookAtMark(ctx); err != nil {
					return err
				}
			} else {
				r.publish(heardOf(e.Type, e.Namespace.Collection, e.Key.ID))
			}
		}
		id := stream.ID()
		if !next && id == 0 {
			return errStreamEnded
		}
		if id != r.feed.cursor.Load() { // resumed by the driver
			r.feed.follow(id)
		}
		if stream.RemainingBatchLength() == 0 {
			r.feed.upTo(r.feed.answered())
		}
	}
}

func heardOf(kind, collection, id string) app.Invalidation {
	switch kind {
	case "insert", "update", "replace", "delete":
	default:
		return app.Invalidation{Everything: true} // a collection was dropped or renamed
	}
	switch collection {
	case organizations:
		return app.Invalidation{Organization: app.OrganizationID(id)}
	case users:
		return app.Invalidation{User: app.UserID(id)}
	case sessions:
		return app.Invalidation{Session: app.SessionID(id)}
	case addedClusters:
		return app.Invalidation{Clusters: true}
	case operatorKeys:
		return app.Invalidation{OperatorKey: app.OperatorKeyID(id)}
	}
	org, user := membershipOf(id)
	return app.Invalidation{Organization: org, User: user}
}

// follow makes the reads of a cursor those that count.
func (f *feed) follow(cursor int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cursor.Store(cursor)
	clear(f.sent)
	f.last = time.Time{}
}

// answered gives when the last read that was answered had been sent.
func (f *feed) answered() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// monitor watches the reads of the stream on their way: the driver sends them
// when it sees fit, and answers some calls without. It hands everything on.
func (f *feed) monitor(next *event.CommandMonitor) *event.CommandMonitor {
	if next == nil {
		next = &event.CommandMonitor{}
	}
	return &event.CommandMonitor{
		Started: func(ctx context.Context, e *event.CommandStartedEvent) {
			if e.CommandName == "getMore" {
				if id, ok := e.Command.Lookup("getMore").AsInt64OK(); ok && id == f.cursor.Load() {
					f.mu.Lock()
					f.sent[e.RequestID] = time.Now()
					f.mu.Unlock()
				}
			}
			if next.Started != nil {
				next.Started(ctx, e)
			}
		},
		Succeeded: func(ctx context.Context, e *event.CommandSucceededEvent) {
			if e.CommandName == "getMore" {
				f.mu.Lock()
				if sent, ours := f.sent[e.RequestID]; ours {
					f.last = sent
					delete(f.sent, e.RequestID)
				}
				f.mu.Unlock()
			}
			if next.Succeeded != nil {
				next.Succeeded(ctx, e)
			}
		},
		Failed: func(ctx context.Context, e *event.CommandFailedEvent) {
			f.mu.Lock()
			delete(f.sent, e.RequestID)
			f.mu.Unlock()
			if next.Failed != nil {
				next.Failed(ctx, e)
			}
		},
	}
}
