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

// usageTimeout bounds the measuring of one cluster.
const usageTimeout = 5 * time.Second

// ClusterView is a cluster as operators see it. Never its connection string.
type ClusterView struct {
	Name string
	// Health is what is wrong with it, or nil.
	Health error
	// Organizations counts those that the registry places there, in whichever
	// state.
	Organizations int64
	// Isolations are those that organizations may have there.
	Isolations []app.Isolation
	// Added: while servers ran; else it is one of the configuration.
	Added bool
	// Closing: nobody moves in any more.
	Closing bool
	Budget  Budget
	// Usage is nil where the cluster could not be measured in time.
	Usage *app.ClusterUsage
}

// Clusters lists the clusters by name, measured side by side. For operators.
func (s *Service) Clusters(ctx context.Context, actor app.Actor) ([]ClusterView, error) {
	if err := operatorOnly(actor); err != nil {
		return nil, err
	}
	return s.viewClusters(ctx, "")
}

// viewClusters measures all of them, or the one that is named.
func (s *Service) viewClusters(ctx context.Context, only string) ([]ClusterView, error) {
	now := s.clusters.now.Load()
	names := slices.AppendSeq(slices.Collect(maps.Keys(now.places)), maps.Keys(now.broken))
	slices.Sort(names)
	views := make([]ClusterView, 0, len(names))
	for _, name := range names {
		if only != "" && name != only {
			continue
		}
		place := now.places[name]
		n, err := s.registry.CountOrganizations(ctx, app.OrganizationQuery{Cluster: name})
		if err != nil {
			return nil, fmt.Errorf("count the organizations of cluster %s: %w", name, err)
		}
		budget, err := s.tallies.budget(ctx, name, 0)
		if err != nil {
			return nil, err
		}
		views = append(views, ClusterView{Name: name, Organizations: n, Isolations: place.Isolations, Budget: budget,
			Added: place.Added() || now.broken[name] != nil, Closing: place.Closing})
	}
	ctx, cancel := context.WithTimeout(ctx, usageTimeout)
	defer cancel()
	var measuring sync.WaitGroup
	for i := range views {
		measuring.Go(func() {
			cluster, there := now.places[views[i].Name]
			if !there {
				views[i].Health = now.broken[views[i].Name]
				return
			}
			usage, err := cluster.Usage(ctx)
			if err != nil {
				s.log.Warn("a cluster was not measured", "cluster", views[i].Name, "error", err)
			} else {
				views[i].Usage = &usage
			}
			// After the measuring, which may have found damage.
			views[i].Health = cluster.Health(ctx)
		})
	}
	measuring.Wait()
	return views, nil
}
