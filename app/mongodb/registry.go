package mongodb

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// The collections of the registry.
const (
	organizations = "organizations"
	users         = "users"
	memberships   = "memberships"
	claims        = "claims"
	operations    = "operations"
	operatorKeys  = "operator_keys"
	signingKeys   = "signing_keys"
	sessions      = "sessions"
	events        = "events"
	repetitions   = "repetitions"
	addedClusters = "added_clusters"
	marks         = "migration"
)

// versioned are the collections that units change.
var versioned = []string{organizations, users, memberships, claims, operations, operatorKeys, signingKeys, repetitions, addedClusters}

const defaultRegistryDatabase = "tenantry"

// Registry is the registry in one MongoDB database. It implements
// app.Registry. Any number of servers may have it open.
type Registry struct {
	*server
	subscribers
	lock  *lock
	feed  *feed
	begun begunCreations
	mark  seenMark
	known schema // that this program knows

	stop       context.CancelFunc
	background sync.WaitGroup
}

var _ app.Registry = (*Registry)(nil)

// OpenRegistry connects to the registry and brings its schema up to date, which
// several servers may do at once. The error is a *NewerError when a newer
// version of the program wrote it, and a *app.ClosedRegistryError when it is
// not the registry any more, or not yet.
func OpenRegistry(ctx context.Context, o Options) (*Registry, error) {
	r, err := connectRegistry(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := r.prepare(ctx); err != nil {
		r.close()
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.background.Go(func() { r.keep(running) })
	r.background.Go(func() { r.listen(running) })
	return r, nil
}

func connectRegistry(ctx context.Context, o Options) (*Registry, error) {
	if o.Name == "" {
		o.Name = "registry"
	}
	o.store = "registry"
	f := newFeed(o.Lease)
	s, err := connect(ctx, o, defaultRegistryDatabase, f.monitor(o.Monitor))
	if err != nil {
		return nil, err
	}
	r := &Registry{server: s, feed: f, known: registrySchema, stop: func() {}}
	if o.known != nil {
		r.known = *o.known
	}
	r.lock = &lock{r: r, holder: bson.NewObjectID().Hex(), patience: cmp.Or(o.Patience, stealAfter)}
	return r, nil
}

// prepare migrates, and settles which of the two ways changes are written.
func (r *Registry) prepare(ctx context.Context) error {
	if err := r.tryRetries(ctx); err != nil {
		return r.translate(err)
	}
	m, err := r.bringUp(ctx)
	if err != nil {
		return err
	}
	if err := m.Closed(); err != nil {
		return err
	}
	return r.settleLock(ctx)
}

// bringUp migrates, and reads whether the registry is open.
func (r *Registry) bringUp(ctx context.Context) (app.RegistryMark, error) {
	now, err := r.schema(ctx, r.known)
	if err != nil {
		return app.RegistryMark{}, err
	}
	if now.Version == 0 { // what is tried needs what is made first
		if err := migrate(ctx, r.server, r.known); err != nil {
			return app.RegistryMark{}, err
		}
	}
	r.lacks.partial = r.lacks.partial || now.Plain
	if err := r.try(ctx); err != nil {
		return app.RegistryMark{}, r.server.translate(err)
	}
	m, err := r.Mark(ctx)
	if err != nil || now.Version == 0 {
		return m, err
	}
	if m.Closed() == nil && now.Version < len(r.known.migrations) {
		if err := r.settleLock(ctx); err != nil {
			return m, err
		}
		if err := r.exclude(ctx, now); err != nil {
			return m, err
		}
	}
	return m, migrate(ctx, r.server, r.known)
}

// settleLock makes the lock be used where there are no transactions, and only
// there.
func (r *Registry) settleLock(ctx context.Context) error {
	if r.transactions() {
		return r.translate(r.leaveLock(ctx))
	}
	return r.translate(r.enterLock(ctx))
}

// try finds out what the server does not have.
func (r *Registry) try(ctx context.Context) error {
	if !r.hello.transactions() {
		r.without("transactions", underLock, nil)
	} else if err := r.tryTransactions(ctx); err != nil {
		return err
	}
	if r.lacks.partial {
		r.without("indexes about some documents only", underLock, nil)
		r.lacks.transactions = true // the lock keeps unique what those indexes would
	}
	if err := r.tryBulk(ctx); err != nil {
		return err
	}
	if err := r.tryJoins(ctx); err != nil || r.transactions() {
		return err
	}
	err := r.tryValidators(ctx)
	if err != nil || !r.lacks.validators {
		return err
	}
	r.without("validators", "what is removed leaves a mark for good", nil)
	return r.tryAtomic(ctx)
}

// keep does what has to be done now and then.
func (r *Registry) keep(ctx context.Context) {
	every(ctx, sweepEvery, func() {
		if err := r.sweep(ctx); err != nil && ctx.Err() == nil {
			r.log.Info("what is left of removed entries was not swept", "error", r.translate(err))
		}
	})
}

// every does something now and then, until the context ends.
func every(ctx context.Context, d time.Duration, f func()) {
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		f()
	}
}

const (
	sweepEvery = time.Hour
	// eventsKept is how long announcements stay for servers to read.
	eventsKept = time.Hour
)

// Health says whether the registry has a primary that answers.
func (r *Registry) Health(ctx context.Context) error { return r.health(ctx) }

// Close gives the connections back.
func (r *Registry) Close() error {
	r.stop()
	r.background.Wait()
	r.close()
	return nil
}

// moment writes a time that may be none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// instant reads one.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// lowerASCII folds what is compared without regard to ASCII case.
func lowerASCII(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}
