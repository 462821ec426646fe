package tenancy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tenantry/app"
)

// eachResident gives f everybody whom the registry places in a cluster, in order
// of creation.
func (s *Service) eachResident(ctx context.Context, cluster string, f func(app.Organization) error) error {
	q := app.OrganizationQuery{Cluster: cluster, Sort: app.SortCreated, Limit: residentsAtOnce}
	for {
		page, err := s.registry.ListOrganizations(ctx, q)
		if err != nil {
			return fmt.Errorf("list the organizations of cluster %s: %w", cluster, err)
		}
		for _, org := range page {
			if err := f(org); err != nil {
				return err
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After = &app.OrganizationCursor{ID: page[len(page)-1].ID}
	}
}

// stays says why an organization in a state cannot be moved.
func stays(org app.Organization) string {
	switch org.State {
	case app.StateDeleted:
		return "it is deleted and can still be restored; delete it once more to remove it now, restore it to move it, or wait"
	case app.StateDeleting:
		return "its data is being removed"
	case app.StateCreating:
		return "it is being created"
	case app.StateActive, app.StateSuspended:
	}
	return ""
}

// locateFor names where exactly an organization goes.
func (s *Service) locateFor(org app.Organization, to RelocateInput) (app.Placement, error) {
	place, there := s.clusters.get(to.Cluster)
	if !there {
		return app.Placement{}, app.Unavailable("The cluster "+to.Cluster, nil)
	}
	target, err := place.Locate(org.ID, org.Slug, to.Isolation)
	target.Cluster, target.Generation = to.Cluster, org.Placement.Generation+1
	return target, err
}

// reasonOf is an error as operators read it.
func reasonOf(err error) string {
	return cmp.Or(app.Told(err), err.Error())
}

// recorded is the operation as it is known now.
func (r *drainRun) recorded() app.Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	op, d := r.op, *r.op.Drain
	d.Failed, d.Failures = nil, int64(len(r.failed))
	for _, id := range slices.Sorted(maps.Keys(r.failed)) { // in order of creation
		if len(d.Failed) < failuresKept {
			d.Failed = append(d.Failed, r.failed[id])
		}
	}
	op.Drain = &d
	return op
}

// measure notes how many are left.
func (r *drainRun) measure(left int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := *r.op.Drain
	d.Left, d.Total = left, max(d.Total, left)
	r.op.Drain = &d
}

// note records how far it is. errGivenUp when somebody gave it up.
func (r *drainRun) note(ctx context.Context) error {
	left, err := r.s.registry.CountOrganizations(ctx, app.OrganizationQuery{Cluster: r.d.Cluster})
	if err != nil {
		return fmt.Errorf("count the organizations of cluster %s: %w", r.d.Cluster, err)
	}
	r.measure(left)
	now, err := r.s.registry.NoteDrain(ctx, r.recorded(), r.s.clock())
	if err != nil {
		return fmt.Errorf("record how far the drain came: %w", err)
	}
	r.mu.Lock()
	r.op.State, r.op.Error = now.State, now.Error
	r.mu.Unlock()
	if now.State.Undoing() {
		return errGivenUp
	}
	return nil
}

// watch notes now and then, and ends the work when somebody gave it up or another
// server took it over.
func (r *drainRun) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(drainNote):
		}
		err := r.note(ctx)
		if errors.Is(err, errGivenUp) || errors.Is(err, app.ErrStale) || errors.Is(err, app.ErrNotFound) {
			cancel(err)
			return
		}
	}
}

// refused records why it does not come on.
func (r *drainRun) refused(ctx context.Context, err error) {
	r.mu.Lock()
	r.op.Step, r.op.Attempts = "moving", r.op.Attempts+1
	if !r.op.State.Undoing() {
		r.op.Error = reasonOf(err)
	}
	r.mu.Unlock()
	_ = r.note(ctx) // it is for people
}
