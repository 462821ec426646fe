package tenancy

import (
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
}

// Allows reports whether organizations may be kept apart in this way there.
func (p Place) Allows(isolation app.Isolation) bool { return slices.Contains(p.Isolations, isolation) }

// Clusters are the places by name. They may come and go while the server runs,
// so nothing keeps what it was given for longer than a request.
type Clusters struct {
	places atomic.Pointer[map[string]Place]
}

// NewClusters makes them of the places that there are now.
func NewClusters(places map[string]Place) *Clusters {
	c := &Clusters{}
	c.Set(places)
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

// Set replaces all of them.
func (c *Clusters) Set(places map[string]Place) {
	places = maps.Clone(places)
	c.places.Store(&places)
}

// All are the places that there are now; not to be changed.
func (c *Clusters) All() map[string]Place { return *c.places.Load() }

// Names are the names of All, sorted.
func (c *Clusters) Names() []string { return slices.Sorted(maps.Keys(c.All())) }

// get gives one of them.
func (c *Clusters) get(name string) (Place, bool) {
	p, ok := c.All()[name]
	return p, ok
}
