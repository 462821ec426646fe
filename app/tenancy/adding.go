package tenancy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tenantry/app"
)

// AddClusterInput is a cluster that is to be added while servers run. What is
// zero is as for a cluster of the configuration.
type AddClusterInput struct {
	Name          string
	URL           string // a secret: no answer and no error repeats it
	Shards        int
	Isolations    []string
	MaxNamespaces int
}

// AddCluster adds a cluster. When it returns the cluster is in force on this
// server; others hear of it within the placement lease, or when they first meet
// an organization there. A dry run finds out whether it could be added. For
// operators.
func (s *Service) AddCluster(ctx context.Context, actor app.Actor, in AddClusterInput, dryRun bool) (ClusterView, error) {
	if err := operatorOnly(actor); err != nil {
		return ClusterView{}, err
	}
	k, site, err := s.clusters.keeper.Prepare(ctx, in)
	if err != nil {
		return ClusterView{}, err
	}
	if err := s.checkSite(ctx, k.Name, site); err != nil {
		return ClusterView{}, err
	}
	view := ClusterView{Name: k.Name, Added: true, Isolations: k.Isolations, Budget: Budget{Max: k.MaxNamespaces},
		Usage: &app.ClusterUsage{Engine: site.Engine, Version: site.Version, Namespaces: int64(len(site.Namespaces))}}
	if dryRun {
		return view, s.nameFree(ctx, k.Name)
	}
	k.Revision, k.CreatedAt = 1, s.clock()
	if err := s.register(ctx, k); err != nil {
		return ClusterView{}, fmt.Errorf("add cluster %s: %w", k.Name, takenCluster(err))
	}
	s.log.Info("a cluster was added", "cluster", k.Name, "engine", site.Engine)
	if err := s.clusters.keeper.Refresh(ctx); err != nil {
		// It is added, and opened before long.
		s.log.Warn("a cluster that was added is not open yet", "cluster", k.Name, "error", err)
		return view, nil
	}
	views, err := s.viewClusters(ctx, k.Name)
	if err != nil || len(views) == 0 {
		return view, nil //nolint:nilerr // it is added
	}
	return views[0], nil
}

// register records a cluster, over what is left of one of this name that was in
// the configuration.
func (s *Service) register(ctx context.Context, k app.AddedCluster) error {
	was, there, err := s.kept(ctx, k.Name)
	if err != nil {
		return err
	}
	if there && len(was.Sealed) == 0 {
		k.Revision = was.Revision
		return s.registry.ReplaceCluster(ctx, k)
	}
	return s.registry.AddCluster(ctx, k)
}

// nameFree refuses, in a dry run, the name that AddCluster would.
func (s *Service) nameFree(ctx context.Context, name string) error {
	k, there, err := s.kept(ctx, name)
	if err == nil && there && len(k.Sealed) > 0 {
		err = takenCluster(app.Taken(app.ConflictCluster))
	}
	return err
}

func takenCluster(err error) error {
	var t *app.TakenError
	switch {
	case errors.As(err, &t) && t.Field == app.ConflictCluster:
		return app.Fail(app.ErrConflict, "cluster_name_taken", "A cluster with this name was added already. Remove that one first, or choose another name.")
	case errors.As(err, &t) && t.Field == app.ConflictClusterPlace:
		return app.Fail(app.ErrConflict, "cluster_place_occupied", "This is the place of another cluster, which was just added. Name a place of the cluster's own.")
	}
	return err
}

// checkSite refuses a place that is not empty, unless what is there is what the
// registry has in a cluster of this name, all of it: one that was in a
// configuration before.
func (s *Service) checkSite(ctx context.Context, name string, site app.Site) error {
	if len(site.Strange) > 0 {
		return app.Fail(app.ErrConflict, "cluster_place_occupied", fmt.Sprintf("There is something at this place that is no cluster's: %s. "+
			"Name a place of the cluster's own, empty.", strings.Join(site.Strange, ", ")))
	}
	missing, err := s.residents(ctx, name)
	if err != nil {
		return err
	}
	residents, foreign := len(missing), 0
	for _, ns := range site.Namespaces {
		if _, ours := missing[ns.Organization]; ours {
			missing[ns.Organization] = true
		} else {
			foreign++
		}
	}
	for _, found := range missing {
		if found {
			residents--
		}
	}
	switch {
	case foreign > 0:
		return app.Fail(app.ErrConflict, "cluster_place_occupied", fmt.Sprintf("At this place there is data of %d organizations that this installation does "+
			"not have in a cluster of this name. Name a place of the cluster's own, empty.", foreign))
	case residents > 0:
		return app.Fail(app.ErrConflict, "cluster_place_wrong", fmt.Sprintf("The registry has %d organizations in a cluster of this name whose data "+
			"is not at this place. Name the place where it is, or another name.", residents))
	}
	return nil
}

// residentsAtOnce is how many organizations are read in one piece.
const residentsAtOnce = 1000

// residents are the organizations that have something in a cluster of this
// name: those that the registry places there, and those under way to or from
// there. None is found yet.
func (s *Service) residents(ctx context.Context, name string) (map[app.OrganizationID]bool, error) {
	all := map[app.OrganizationID]bool{}
	err := s.eachResident(ctx, name, func(org app.Organization) error {
		all[org.ID] = false
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = eachRelocation(ctx, s.registry, func(op app.Operation) {
		if r := op.Relocation; r != nil && (r.Source.Cluster == name || r.Target.Cluster == name) {
			all[op.OrganizationID] = false
		}
	})
	return all, err
}

// errLeft says that a cluster was closed or removed while somebody was to move
// in.
var errLeft = fmt.Errorf("the cluster takes nobody any more: %w", app.ErrConflict)

// admitted asks the registry, after somebody was recorded in an added cluster
// and before anything is done there, whether it still takes them. Who removes
// one closes it first and looks who is recorded there then: so one of the two
// sees the other, whenever they run.
func (s *Service) admitted(ctx context.Context, name string) error {
	place, there := s.clusters.get(name)
	if there && !place.Added() {
		return nil
	}
	k, is, err := s.kept(ctx, name)
	if err != nil {
		return err
	}
	if !is || k.Closing || !there || !place.is(k) {
		return errLeft
	}
	return nil
}
