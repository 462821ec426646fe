package mongodb

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"tenantry/app"
)

const defaultClusterDatabase = "tenantry_data"

// Cluster keeps tenant data in one MongoDB database, with a collection for
// each organization or one for many; and in databases of single organizations
// beside it. It is an app.Cluster. Any number of servers may have it open.
type Cluster struct {
	*server
	key    string // the cluster's name
	names  names
	gates  gates
	epochs epochs
	// wholeness is what is known of collections that others have dropped.
	wholeness wholeness
	leftovers leftovers
	room      knownRoom
	// indexed are recordings whose notes have an index, as far as is known.
	indexed sync.Map
	// away is why the cluster could not be begun with; nil once it could.
	away atomic.Pointer[error]

	stop       context.CancelFunc
	background sync.WaitGroup
}

var (
	_ app.Cluster = (*Cluster)(nil)
	_ app.Moving  = (*Cluster)(nil)
)

// OpenCluster connects to the cluster of this name and brings its schema up to
// date. A server that is away, or does not let the program in, is no error: it
// is logged, tried again until the cluster is closed, and every method says
// that the cluster is away, at once. The error is a *NewerError when a newer
// version of the program wrote the data.
func OpenCluster(ctx context.Context, name string, o Options) (*Cluster, error) {
	if o.Name == "" {
		o.Name = `cluster "` + name + `"`
	}
	o.store = "cluster " + name
	s, err := dial(o, defaultClusterDatabase, o.Monitor)
	if err != nil {
		return nil, err
	}
	c := &Cluster{server: s, key: name, gates: gates{seed: maphash.MakeSeed()}}
	running, stop := context.WithCancel(context.Background())
	c.stop = stop
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	err = c.begin(starting)
	cancel()
	switch {
	case err == nil:
	case isLasting(err) || ctx.Err() != nil:
		stop()
		s.close()
		return nil, err
	default:
		c.log.Error("a cluster is away; its organizations are not served until it is back", "cluster", name, "error", err)
		c.background.Go(func() { c.retry(running) })
	}
	c.background.Go(func() { c.keepLooking(running) })
	c.background.Go(func() { c.keepTidy(running) })
	return c, nil
}

// startTimeout is how long a start waits for a cluster. What is tried after it
// has no such bound, beside that of each call: a server that is slow, or far
// away, would never be taken.
const startTimeout = 4 * time.Second

// begin finds out whether the cluster is there, and brings it up to date.
func (c *Cluster) begin(ctx context.Context) error {
	err := c.greet(ctx)
	if err == nil {
		_, err = c.schema(ctx, clusterSchema)
	}
	if err == nil {
		err = c.translate(c.tryRetries(ctx))
	}
	if err == nil {
		err = c.translate(c.try(ctx))
	}
	if err == nil {
		err = migrate(ctx, c.server, clusterSchema)
	}
	if err != nil {
		c.away.Store(&err)
		return &AwayError{Name: c.name, Err: err}
	}
	c.away.Store(nil)
	return nil
}

// try finds out what the server does not have.
func (c *Cluster) try(ctx context.Context) error {
	if err := c.tryValidators(ctx); err != nil || !c.lacks.validators {
		return err
	}
	c.without("validators", "organizations are served, each write looks twice where they are, and none can be moved to it or from it", nil)
	if err := c.tryElements(ctx); err != nil {
		return err
	}
	return c.tryAtomic(ctx)
}

// isLasting reports what no waiting mends.
func isLasting(err error) bool {
	var newer *NewerError
	var old *OldError
	return errors.As(err, &newer) || errors.As(err, &old)
}

// retry begins again and again, more and more seldom.
func (c *Cluster) retry(ctx context.Context) {
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 15*time.Second) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		err := c.begin(ctx)
		if err == nil {
			c.log.Info("a cluster is back", "cluster", c.key)
			return
		}
		if ctx.Err() == nil {
			c.log.Warn("a cluster is still away", "cluster", c.key, "error", err)
		}
	}
}

// here is an error at once while the cluster has not been there yet.
func (c *Cluster) here() error {
	away := c.away.Load()
	if away == nil {
		return nil
	}
	return c.unavailable(*away)
}

// Health says whether the cluster has a primary that answers.
func (c *Cluster) Health(ctx context.Context) error {
	if err := c.here(); err != nil {
		return err
	}
	return c.health(ctx)
}

// Close gives the connections back.
func (c *Cluster) Close() error {
	c.stop()
	c.background.Wait()
	c.close()
	return nil
}

// alone runs f while this process does nothing else to the organization's
// namespace: two renames of one at once would only help each other along, and
// what it writes meanwhile would only have to be taken along. f is not torn by
// a caller that goes away.
func (c *Cluster) alone(ctx context.Context, org app.OrganizationID, f func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.here(); err != nil {
		return err
	}
	ctx, cancel := c.writing(ctx)
	defer cancel()
	gate := c.gates.of(org)
	gate.Lock() // those who are inside have a deadline
	defer gate.Unlock()
	return c.translate(f(ctx))
}

// gates holds one lock for each organization that this process writes to. Some
// organizations share one.
type gates struct {
	seed maphash.Seed
	all  [256]sync.RWMutex
}

func (g *gates) of(org app.OrganizationID) *sync.RWMutex {
	return &g.all[maphash.String(g.seed, string(org))%uint64(len(g.all))]
}

// wait tries until it succeeds, or the context ends.
func wait(ctx context.Context, try func() bool) bool {
	for n := 0; !try(); n++ {
		if !pause(ctx, n) {
			return false
		}
	}
	return true
}

// keptNames is how many organizations' places are remembered, at about 300
// bytes each.
const keptNames = 50_000

// names remembers what was read of namespaces, by their keys. What it says is
// tried first and never relied on.
type names struct {
	mu sync.RWMutex
	m  map[string]namespaceDoc
}

func (n *names) get(key string) (namespaceDoc, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	d, ok := n.m[key]
	return d, ok && d.fresh()
}

// rememberFor is how long what was read of a namespace may be tried. It is much
// shorter than keepLeft: who has slept for longer than what was left is kept
// looks first, and does not write to where nothing is.
const rememberFor = 10 * time.Minute

// fresh reports whether a namespace may be tried as it was read. Of a machine
// that slept only one of the clocks tells.
func (d namespaceDoc) fresh() bool {
	return max(time.Since(d.read), time.Since(d.read.Round(0))) < rememberFor
}

// put remembers one. When there are too many, an arbitrary other one goes.
func (n *names) put(key string, d namespaceDoc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now, ok := n.m[key]; ok && now.newer(d) {
		return
	}
	if len(n.m) >= keptNames {
		for victim := range n.m {
			delete(n.m, victim)
			break
		}
	}
	if n.m == nil {
		n.m = make(map[string]namespaceDoc)
	}
	n.m[key] = d
}

func (n *names) drop(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.m, key)
}
