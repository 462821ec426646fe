package appliance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tenantry/app"
	"tenantry/app/config"
	"tenantry/app/seal"
	"tenantry/app/tenancy"
)

const (
	// readTimeout bounds the reading of which clusters there are.
	readTimeout = 10 * time.Second
	// It is tried again after tryAgain, and then more and more seldom.
	tryAgain  = 200 * time.Millisecond
	trySeldom = 10 * time.Second
)

// roster keeps the clusters that the server serves: those of the configuration
// and those that were added while servers ran, which the registry has. It is a
// tenancy.Keeper.
type roster struct {
	stores   *stores
	cfg      config.Config
	key      seal.Key
	registry app.Registry
	clusters *tenancy.Clusters
	log      *slog.Logger

	// begun counts the refreshings.
	begun atomic.Int64

	mu    sync.Mutex // held while it is refreshed
	last  error      // of the last one
	added map[string]*added
	// urls are those of the added ones, by name.
	urls     map[string]string
	lastTold map[string]string // what was logged of each that cannot be opened

	changed chan struct{}
	leaving sync.WaitGroup // what is closed when nobody can use it any more
	closed  chan struct{}
}

// added is an added cluster that is open.
type added struct {
	sealed []byte
	store  *store
}

func newRoster(s *stores, cfg config.Config, key seal.Key, registry app.Registry, log *slog.Logger) *roster {
	r := &roster{stores: s, cfg: cfg, key: key, registry: registry, log: log,
		added: map[string]*added{}, urls: map[string]string{}, lastTold: map[string]string{},
		changed: make(chan struct{}, 1), closed: make(chan struct{})}
	r.clusters = tenancy.NewClusters(r.configured()).Kept(r)
	registry.Subscribe(func(i app.Invalidation) {
		if i.Clusters || i.Everything {
			r.change()
		}
	})
	return r
}

// change makes watch look again.
func (r *roster) change() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// configured are the places of the configuration.
func (r *roster) configured() map[string]tenancy.Place {
	places := make(map[string]tenancy.Place, len(r.cfg.Clusters))
	for name, c := range r.cfg.Clusters {
		places[name] = tenancy.Place{Cluster: r.stores.get(name), Isolations: isolations(c.Isolations), MaxNamespaces: c.MaxNamespaces}
	}
	return places
}

// start opens what was added before. One that is away is no reason not to
// start; one that the configuration has as well is.
func (r *roster) start(ctx context.Context) error {
	list, err := r.registry.AddedClusters(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, k := range list {
		if len(k.Sealed) == 0 {
			continue
		}
		if _, both := r.cfg.Clusters[k.Name]; both {
			return fmt.Errorf("clusters.%[1]s: the cluster %[1]s was added while servers ran, and is in the configuration as well; "+
				`take it out of the configuration, or give the other one another name`, k.Name)
		}
		names = append(names, k.Name)
	}
	if err := r.cfg.CheckClusters(names); err != nil {
		return err
	}
	return r.Refresh(ctx)
}

// watch refreshes when something has changed, until the context ends.
func (r *roster) watch(ctx context.Context) {
	again := time.NewTimer(0)
	defer again.Stop()
	pause := tryAgain
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
			pause = tryAgain
		case <-again.C:
		}
		reading, cancel := context.WithTimeout(ctx, readTimeout)
		err := r.refresh(reading)
		cancel()
		if err != nil && ctx.Err() == nil {
			r.log.Warn("which clusters were added or removed is not known, and is asked again", "error", err, "again_in", pause)
		}
		if err != nil || r.anyBroken() {
			again.Reset(pause)
			pause = min(2*pause, trySeldom)
		}
	}
}

func (r *roster) anyBroken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lastTold) > 0
}

// Refresh is as tenancy.Keeper says. Those who call it at once share one look
// that begins after them all.
func (r *roster) Refresh(ctx context.Context) error {
	err := r.refresh(ctx)
	if err == nil && r.anyBroken() {
		r.change() // tried again in the background
	}
	return err
}

func (r *roster) refresh(ctx context.Context) error {
	before := r.begun.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun.Load() > before && r.last == nil {
		return nil // one has begun and ended since
	}
	r.begun.Add(1)
	list, err := r.registry.AddedClusters(ctx)
	if r.last = err; err == nil {
		// Opening has bounds of its own, and is not only for who asks first.
		r.take(context.WithoutCancel(ctx), list)
	}
	return err
}

// take makes the clusters those that the registry has.
func (r *roster) take(ctx context.Context, list []app.AddedCluster) {
	places, broken := r.configured(), map[string]error{}
	urls, told := map[string]string{}, map[string]string{}
	type opening struct {
		k   app.AddedCluster
		url string
		now *added
		err error
	}
	var all []*opening
	var working sync.WaitGroup
	for _, k := range list {
		place, both := places[k.Name]
		if len(k.Sealed) == 0 {
			if both { // else it is in the configuration no more
				place.Closing, place.Instead = k.Closing, k.Instead
				places[k.Name] = place
			}
			continue
		}
		if both {
			told[k.Name] = "the configuration has a cluster of the same name, and that one is served"
			r.tell(k.Name, told[k.Name])
			continue
		}
		o := &opening{k: k}
		all = append(all, o)
		if o.url, o.err = r.open(k); o.err != nil {
			continue
		}
		urls[k.Name] = o.url
		if o.now = r.added[k.Name]; o.now != nil && bytes.Equal(o.now.sealed, k.Sealed) {
			continue
		}
		working.Go(func() {
			var s *store
			if s, o.err = r.stores.open(ctx, k.Name, config.Cluster{URL: o.url, Shards: k.Shards}); o.err == nil {
				o.now = &added{sealed: k.Sealed, store: s}
			}
		})
	}
	working.Wait()
	next := map[string]*added{}
	for _, o := range all {
		if o.err != nil {
			broken[o.k.Name] = &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", RetryAfter: time.Second, Cause: o.err,
				Detail: fmt.Sprintf("The cluster %s cannot be opened on this server: %v.", o.k.Name, o.err)}
			r.tell(o.k.Name, o.err.Error())
			told[o.k.Name] = o.err.Error()
			continue
		}
		next[o.k.Name] = o.now
		places[o.k.Name] = tenancy.Place{Cluster: o.now.store.cluster, Isolations: o.k.Isolations, MaxNamespaces: o.k.MaxNamespaces,
			Sealed: o.k.Sealed, Closing: o.k.Closing, Instead: o.k.Instead}
	}
	r.clusters.Set(places, broken)
	for _, name := range slices.Sorted(maps.Keys(r.added)) {
		if was := r.added[name]; next[name] != was {
			r.leave(name, was.store)
		}
	}
	for name, now := range next {
		if r.added[name] != now {
			r.log.Info("a cluster that was added is open", "cluster", name)
		}
	}
	r.added, r.urls, r.lastTold = next, urls, told
}

// tell logs why a cluster is not served, once.
func (r *roster) tell(name, why string) {
	if r.lastTold[name] != why {
		r.log.Error("a cluster that was added is not served", "cluster", name, "error", why)
	}
}

// open gives the connection string of an added cluster.
func (r *roster) open(k app.AddedCluster) (string, error) {
	url, err := r.key.Open(k.Sealed, sealedFor(k.Name))
	if err != nil {
		return "", fmt.Errorf("its connection string cannot be read: %w", err)
	}
	return string(url), nil
}

// sealedFor is what the connection string of a cluster is sealed for.
func sealedFor(name string) string { return "cluster:" + name }

// leave closes a cluster that is not served any more, when every request that
// may have it has ended.
func (r *roster) leave(name string, s *store) {
	r.log.Info("a cluster was removed", "cluster", name)
	r.stores.forget(s)
	r.leaving.Go(func() {
		if s.circuit != nil { // a folder may be taken again at once
			select {
			case <-r.closed:
			case <-time.After(r.cfg.HTTP.RequestTimeout):
			}
		}
		if err := r.stores.close(s); err != nil {
			r.log.Warn("closing a cluster that was removed", "cluster", name, "error", err)
		}
	})
}

// close ends what leave began.
func (r *roster) close() {
	close(r.closed)
	r.leaving.Wait()
}

// Prepare is as tenancy.Keeper says.
func (r *roster) Prepare(ctx context.Context, in tenancy.AddClusterInput) (k app.AddedCluster, site app.Site, err error) {
	c, err := config.CheckAdded(config.AddedCluster{Name: in.Name, URL: in.URL, Shards: in.Shards,
		Isolations: in.Isolations, MaxNamespaces: in.MaxNamespaces})
	if err != nil {
		return k, site, err
	}
	if _, configured := r.cfg.Clusters[in.Name]; configured {
		return k, site, app.Fail(app.ErrConflict, "cluster_name_taken",
			"The configuration has a cluster with this name. Choose another name, or change the configuration.")
	}
	if !config.IsMongoDB(c.URL) && r.registry.Shared() {
		return k, site, app.Invalid("url", "folder_not_shared",
			"Several servers may work on this registry, and a folder is on the machine of one of them. Add a cluster on MongoDB.")
	}
	if err := r.occupied(c.URL); err != nil {
		return k, site, err
	}
	if site, err = r.stores.look(ctx, in.Name, c); err != nil {
		return k, site, unfit(err)
	}
	sealed, err := r.key.Seal([]byte(c.URL), sealedFor(in.Name))
	return app.AddedCluster{Name: in.Name, Sealed: sealed, Place: r.placeMark(c.URL), Shards: c.Shards, Isolations: isolations(c.Isolations),
		MaxNamespaces: c.MaxNamespaces}, site, err
}

// placeMark is by which the registry knows that another cluster has its store at
// a place: what occupied looks for is what this server has heard of.
func (r *roster) placeMark(url string) []byte {
	h := hmac.New(sha256.New, r.key.Derive("places of clusters"))
	_, _ = h.Write([]byte(r.cfg.ClusterPlace(url))) // never fails
	return h.Sum(nil)
}

// occupied refuses a URL at whose place there is something of this
// installation.
func (r *roster) occupied(url string) error {
	urls := map[string]string{}
	for name, c := range r.cfg.Clusters {
		urls[name] = c.URL
	}
	r.mu.Lock()
	maps.Copy(urls, r.urls)
	r.mu.Unlock()
	if by := r.cfg.Occupies(url, urls); by != "" {
		return app.Fail(app.ErrConflict, "cluster_place_occupied", fmt.Sprintf("This is the place of %s. Name a place of the cluster's own.", by))
	}
	return nil
}

// unfit says why a place cannot be a cluster's.
func unfit(err error) error {
	var told *app.Error
	var fields app.FieldErrors
	switch {
	case errors.As(err, &told) && errors.Is(err, app.ErrUnavailable):
		return &app.Error{Kind: app.ErrConflict, Code: "cluster_unreachable", Detail: app.Told(err), Cause: err}
	case errors.As(err, &told), errors.As(err, &fields), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &app.Error{Kind: app.ErrConflict, Code: "cluster_unreachable", Cause: err,
		Detail: fmt.Sprintf("No cluster can be there: %v.", err)}
}
