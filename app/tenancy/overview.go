package tenancy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"tenantry/app"
)

// healthTimeout bounds the asking of one cluster how it is.
const healthTimeout = 2 * time.Second

// maxRunning is how far running operations are counted.
const maxRunning = 200

// Overview is the installation in a few figures. Unlike [Service.Clusters] it
// measures no data, so that it can be asked for every second.
type Overview struct {
	// Organizations counts by state. One that is being created or whose data is
	// being removed counts nowhere.
	Active, Suspended, Deleted int64
	// Running counts the operations under way, up to 200 of them.
	Running  int
	Clusters []ClusterHealth // by name
}

// ClusterHealth is how a cluster is.
type ClusterHealth struct {
	Name string
	// Health is what is wrong with it, or nil.
	Health error
	// Latency is how long the cluster took to say so.
	Latency time.Duration
	// Organizations counts those that the registry places there, in whichever
	// state.
	Organizations int64
}

// Overview gives the installation's figures. For operators.
func (s *Service) Overview(ctx context.Context, actor app.Actor) (Overview, error) {
	var o Overview
	if err := operatorOnly(actor); err != nil {
		return o, err
	}
	for state, count := range map[app.OrganizationState]*int64{
		app.StateActive: &o.Active, app.StateSuspended: &o.Suspended, app.StateDeleted: &o.Deleted,
	} {
		n, err := s.registry.CountOrganizations(ctx, app.OrganizationQuery{States: []app.OrganizationState{state}})
		if err != nil {
			return o, fmt.Errorf("count the %s organizations: %w", state, err)
		}
		*count = n
	}
	running, err := s.registry.ListOperations(ctx, app.OperationQuery{Limit: maxRunning,
		States: app.OpenStates()})
	if err != nil {
		return o, fmt.Errorf("count the running operations: %w", err)
	}
	o.Running = len(running)
	places := s.clusters.All()
	for _, name := range slices.Sorted(maps.Keys(places)) {
		n, err := s.registry.CountOrganizations(ctx, app.OrganizationQuery{Cluster: name})
		if err != nil {
			return o, fmt.Errorf("count the organizations of cluster %s: %w", name, err)
		}
		o.Clusters = append(o.Clusters, ClusterHealth{Name: name, Organizations: n})
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	var asking sync.WaitGroup
	for i := range o.Clusters {
		asking.Go(func() {
			began := time.Now()
			o.Clusters[i].Health = places[o.Clusters[i].Name].Health(ctx)
			o.Clusters[i].Latency = time.Since(began)
		})
	}
	asking.Wait()
	return o, nil
}
