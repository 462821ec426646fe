package tenancy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tenantry/app"
)

// RemoveCluster removes a cluster that was added, if nobody lives there and
// nobody is on the way to or from there. What is in its store stays there. A dry
// run finds out whether it could be removed. For operators.
//
// It is closed first, and every server hears of that; who was recorded there
// until then is seen, and who is recorded later sees that it is closed (see
// admitted).
func (s *Service) RemoveCluster(ctx context.Context, actor app.Actor, name string, dryRun bool) (ClusterView, error) {
	if err := operatorOnly(actor); err != nil {
		return ClusterView{}, err
	}
	k, err := s.removable(ctx, name)
	if err != nil {
		return ClusterView{}, err
	}
	view := ClusterView{Name: name, Added: true, Closing: k.Closing, Isolations: k.Isolations, Budget: Budget{Max: k.MaxNamespaces}}
	if dryRun {
		return view, nil
	}
	wasOpen := !k.Closing
	if err := s.setClosing(ctx, name, true, k.Instead); err != nil {
		return view, err
	}
	if err := s.removeClosed(ctx, name); err != nil {
		if wasOpen {
			s.reopen(ctx, name)
		}
		return view, err
	}
	s.log.Info("a cluster was removed", "cluster", name)
	if err := s.clusters.keeper.Refresh(ctx); err != nil {
		s.log.Warn("a cluster that was removed is open still", "cluster", name, "error", err)
	}
	return view, nil
}

// removeClosed removes a cluster when every server knows that it is closed.
func (s *Service) removeClosed(ctx context.Context, name string) error {
	if err := s.clusters.keeper.Refresh(ctx); err != nil {
		return err
	}
	// Not that it must: but so nobody is sent away who was let in.
	if s.registry.Shared() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(s.cfg.Relocation.PlacementLease, longestHearing)):
		}
	}
	err := s.registry.RemoveCluster(ctx, name)
	var t *app.TakenError
	switch {
	case errors.As(err, &t) && t.Field == app.ConflictInhabited:
		if _, counted := s.removable(ctx, name); counted != nil {
			return counted
		}
		return &app.Error{Kind: app.ErrConflict, Code: "cluster_inhabited", RetryAfter: retryChange,
			Detail: "Somebody was about to move in. Try again in a moment."}
	case errors.Is(err, app.ErrNotFound):
		return errNoSuchCluster()
	}
	return err
}

// longestHearing is how long a removal waits at most until all have heard that
// the cluster is closed.
const longestHearing = 5 * time.Second

// reopen takes back that a cluster was closed, whatever became of the request.
func (s *Service) reopen(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	err := s.setClosing(ctx, name, false, "")
	if err == nil {
		err = s.clusters.keeper.Refresh(ctx)
	}
	if err != nil {
		s.log.Error(`a cluster is closed still; "tenantry cluster open" opens it`, "cluster", name, "error", err)
	}
}

// triesToChange is how often a change of a cluster is made anew that others
// have changed meanwhile.
const triesToChange = 5

// setClosing closes a cluster to newcomers, or opens it again. The registry keeps
// that of those of the configuration as well.
func (s *Service) setClosing(ctx context.Context, name string, closing bool, instead string) error {
	for try := 1; ; try++ {
		k, there, err := s.kept(ctx, name)
		place, known := s.clusters.get(name)
		switch {
		case err != nil:
			return err
		case there && k.Closing == closing && k.Instead == instead, !there && !closing:
			return nil
		case there:
			k.Closing, k.Instead = closing, instead
			err = s.registry.ReplaceCluster(ctx, k)
		case known && !place.Added():
			err = s.registry.AddCluster(ctx, app.AddedCluster{Name: name, Sealed: []byte{}, Closing: true, Instead: instead,
				Revision: 1, CreatedAt: s.clock()})
		default:
			return errNoSuchCluster()
		}
		again := errors.Is(err, app.ErrStale) || errors.Is(err, app.ErrNotFound) || errors.Is(err, app.ErrConflict)
		if !again || try == triesToChange {
			return err
		}
	}
}

// kept is what the registry has of a cluster.
func (s *Service) kept(ctx context.Context, name string) (k app.AddedCluster, there bool, err error) {
	list, err := s.registry.AddedClusters(ctx)
	if err != nil {
		return k, false, fmt.Errorf("read the added clusters: %w", err)
	}
	for _, k := range list {
		if k.Name == name {
			return k, true, nil
		}
	}
	return k, false, nil
}

// removable gives a cluster that may be removed, as far as one can see.
func (s *Service) removable(ctx context.Context, name string) (app.AddedCluster, error) {
	k, there, err := s.kept(ctx, name)
	if err != nil {
		return k, err
	}
	if place, known := s.clusters.get(name); known && !place.Added() {
		return k, app.Fail(app.ErrConflict, "cluster_configured",
			"This cluster is one of the configuration. Take its section out of there, on every server, when nobody lives there any more.")
	}
	if !there || len(k.Sealed) == 0 {
		return k, errNoSuchCluster()
	}
	if slices.Contains(s.cfg.placing(), name) {
		return k, app.Fail(app.ErrConflict, "cluster_named", "The placement of the configuration names this cluster: new organizations go there. "+
			"Take it out of there first, on every server; without the cluster they would not start.")
	}
	n, err := s.inhabitants(ctx, name)
	if err != nil {
		return k, err
	}
	return k, n.refuse(name)
}

// inhabitants are who keeps a cluster from being removed.
type inhabitants struct {
	organizations, deleted int64
	moves                  int // begin or end there
}

func (s *Service) inhabitants(ctx context.Context, name string) (n inhabitants, err error) {
	q := app.OrganizationQuery{Cluster: name}
	if n.organizations, err = s.registry.CountOrganizations(ctx, q); err != nil {
		return n, fmt.Errorf("count the organizations of cluster %s: %w", name, err)
	}
	q.States = []app.OrganizationState{app.StateDeleted}
	if n.deleted, err = s.registry.CountOrganizations(ctx, q); err != nil {
		return n, fmt.Errorf("count the deleted organizations of cluster %s: %w", name, err)
	}
	err = eachRelocation(ctx, s.registry, func(op app.Operation) {
		if r := op.Relocation; r != nil && (r.Source.Cluster == name || r.Target.Cluster == name) {
			n.moves++
		}
	})
	return n, err
}

// refuse says what to do, where there is somebody.
func (n inhabitants) refuse(name string) error {
	var detail string
	switch {
	case n.organizations > n.deleted:
		detail = fmt.Sprintf(`%s is lived in by %d organizations, %d of which are deleted and can still be restored; %d relocations begin or end there. `+
			`"tenantry cluster drain %s" moves them elsewhere.`, name, n.organizations, n.deleted, n.moves, name)
	case n.deleted > 0:
		detail = fmt.Sprintf("%s holds %d deleted organizations that can still be restored. Wait for that to end, delete them once more to remove them now, "+
			"or restore and move them.", name, n.deleted)
	case n.moves > 0:
		detail = fmt.Sprintf("%s is where %d relocations begin or end. Wait for their grace period, or complete each: \"tenantry operation complete\".", name, n.moves)
	default:
		return nil
	}
	return app.Fail(app.ErrConflict, "cluster_inhabited", "The cluster "+detail)
}

func errNoSuchCluster() error {
	return app.Fail(app.ErrNotFound, "cluster_not_found", "There is no cluster with this name.")
}
