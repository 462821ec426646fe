package tenancy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"tenantry/app"
)

// Place is a cluster and what is allowed there.
type Place struct {
	app.Cluster
	// Isolations are those that organizations may have there.
	Isolations []app.Isolation
	// MaxNamespaces is how many of them may have a collection or a database of
	// their own; 0: no limit.
	MaxNamespaces int
	// Sealed is what the registry has of one that was added while servers ran;
	// nil: it is one of the configuration. No two are the same, so it tells one
	// from another that had the name before.
	Sealed []byte
	// Closing: nobody moves in any more. Who would, goes to the cluster Instead, if
	// there is one.
	Closing bool
	Instead string
}

// Added reports whether the registry has it, not the configuration.
func (p Place) Added() bool { return p.Sealed != nil }

// Allows reports whether organizations may be kept apart in this way there.
func (p Place) Allows(isolation app.Isolation) bool { return slices.Contains(p.Isolations, isolation) }

// Keeper opens the clusters that are added while servers run.
type Keeper interface {
	// Prepare checks what is to be added, seals it, and says what there is where
	// it is to be. It changes nothing.
	Prepare(ctx context.Context, in AddClusterInput) (app.AddedCluster, app.Site, error)
	// Refresh makes the Clusters those that there are now. It returns when they
	// are as the registry was at some moment after the call.
	Refresh(ctx context.Context) error
}

// Clusters are the places by name. They may come and go while the server runs,
// so nothing keeps what it was given for longer than a request.
type Clusters struct {
	now    atomic.Pointer[clusters]
	keeper Keeper
}

type clusters struct {
	places map[string]Place
	// broken are those that are there and cannot be opened, and why, as an
	// app.Error.
	broken map[string]error
}

// NewClusters makes them of the places that there are now.
func NewClusters(places map[string]Place) *Clusters {
	c := &Clusters{keeper: fixed{}}
	c.Set(places, nil)
	return c
}

// Kept makes them clusters that come and go. It must come before any use.
func (c *Clusters) Kept(by Keeper) *Clusters {
	c.keeper = by
	return c
}

// Unlimited makes Clusters that allow everything that the engines can.
func Unlimited(clusters map[string]app.Cluster) *Clusters {
	places := make(map[string]Place, len(clusters))
	for name, cluster := range clusters {
		places[name] = Place{Cluster: cluster, Isolations: app.Isolations()}
	}
	return NewClusters(places)
}

// Set replaces all of them. broken are those that are there and cannot be
// opened, and why, as an app.Error.
func (c *Clusters) Set(places map[string]Place, broken map[string]error) {
	c.now.Store(&clusters{maps.Clone(places), maps.Clone(broken)})
}

// All are the places that there are now; not to be changed.
func (c *Clusters) All() map[string]Place { return c.now.Load().places }

// Names are the names of All, sorted.
func (c *Clusters) Names() []string { return slices.Sorted(maps.Keys(c.All())) }

// get gives one of them.
func (c *Clusters) get(name string) (Place, bool) {
	p, ok := c.All()[name]
	return p, ok
}

// errNoCluster says that there is no cluster of a name. It is an ErrUnavailable:
// who meets it knows of an organization that is there.
var errNoCluster = errors.New("no such cluster")

// find gives one of them, after a look into the registry where it is not known,
// or trusted says that something may have been missed.
func (c *Clusters) find(ctx context.Context, name string, trusted bool) (Place, error) {
	if p, there := c.get(name); there && trusted {
		return p, nil
	}
	if err := c.keeper.Refresh(ctx); err != nil {
		return Place{}, err
	}
	now := c.now.Load()
	if p, there := now.places[name]; there {
		return p, nil
	}
	if why := now.broken[name]; why != nil {
		return Place{}, why
	}
	return Place{}, app.Unavailable(fmt.Sprintf("The cluster %q is not in the configuration, and so it", name), errNoCluster)
}

// meet looks into the registry where a cluster that somebody names is not known:
// it may just have been added through another server.
func (c *Clusters) meet(ctx context.Context, name string) error {
	if name == "" || c.known(name) {
		return nil
	}
	return c.keeper.Refresh(ctx)
}

// known reports whether there is a cluster of the name, in whichever state.
func (c *Clusters) known(name string) bool {
	now := c.now.Load()
	_, there := now.places[name]
	return there || now.broken[name] != nil
}

// is reports whether a place is the one that the registry has.
func (p Place) is(k app.AddedCluster) bool { return bytes.Equal(p.Sealed, k.Sealed) }

// fixed is the keeper of clusters that do not change.
type fixed struct{}

func (fixed) Prepare(context.Context, AddClusterInput) (app.AddedCluster, app.Site, error) {
	return app.AddedCluster{}, app.Site{}, app.Fail(app.ErrConflict, "clusters_fixed", "This server's clusters are those of its configuration.")
}

func (fixed) Refresh(context.Context) error { return nil }
