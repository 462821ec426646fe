package tenancy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
	"tenantry/app/relocation"
)

// RelocateInput is where an organization is to be moved to; what is empty stays
// as it is.
type RelocateInput struct {
	Cluster   string
	Isolation app.Isolation
}

// PlanRelocation says what Relocate would do, and changes nothing. For
// operators.
func (s *Service) PlanRelocation(ctx context.Context, actor app.Actor, ref string, in RelocateInput) (relocation.Plan, error) {
	org, target, err := s.destination(ctx, actor, ref, in)
	if err != nil {
		return relocation.Plan{}, err
	}
	return s.mover.Preflight(ctx, org.ID, org.Placement, target)
}

// Relocate moves an organization's documents to another place while they are in
// use. A second request for the same gives the operation of the first. The
// error is a journal.RunningError with the operation while it is under way. For
// operators.
func (s *Service) Relocate(ctx context.Context, actor app.Actor, ref string, in RelocateInput) (OperationView, error) {
	for {
		org, target, err := s.destination(ctx, actor, ref, in)
		if err != nil {
			return OperationView{}, err
		}
		id, err := s.relocateOnce(ctx, org, target, "")
		if s.outOfDate(ctx, org, app.AnyRevision, err) {
			ref = string(org.ID)
			continue
		}
		var t *app.TakenError
		if errors.As(err, &t) && t.Field == app.ConflictOpenChange {
			id, err = s.sameRelocation(ctx, org.ID, target)
		}
		var pending *journal.PendingError
		if err != nil && !errors.As(err, &pending) {
			return OperationView{}, fmt.Errorf("relocate organization: %w", stale(taken(err)))
		}
		return s.Operation(ctx, actor, string(id))
	}
}

// destination decides whether an organization may be moved there, and where
// exactly there is.
func (s *Service) destination(ctx context.Context, actor app.Actor, ref string, in RelocateInput) (org app.Organization, target app.Placement, err error) {
	if err := operatorOnly(actor); err != nil {
		return org, target, err
	}
	if err := s.clusters.meet(ctx, in.Cluster); err != nil {
		return org, target, err
	}
	if org, err = s.Resolve(ctx, actor, ref, app.UpdateOrganization); err != nil {
		return org, target, err
	}
	name, isolation := in.Cluster, in.Isolation
	if name == "" {
		name = org.Placement.Cluster
	}
	if isolation == "" {
		isolation = org.Placement.Isolation
	}
	place, there := s.clusters.get(name)
	switch {
	case !there:
		return org, target, app.Invalid("cluster", "unknown_cluster", "There is no cluster with this name.")
	case place.Closing:
		return org, target, app.Invalid("cluster", "cluster_closing", "This cluster takes nobody any more.")
	case !slices.Contains(app.Isolations(), isolation):
		return org, target, app.Invalid("isolation", "invalid_isolation", "The isolation is one of: "+words(app.Isolations())+".")
	case !place.Allows(isolation):
		return org, target, app.Invalid("isolation", "isolation_not_allowed",
			"This cluster allows organizations to be kept apart by: "+words(place.Isolations)+".")
	}
	if target, err = place.Locate(org.ID, org.Slug, isolation); err != nil {
		return org, target, err
	}
	target.Cluster = name
	now := org.Placement
	if now.Cluster == target.Cluster && now.Isolation == target.Isolation && now.Database == target.Database {
		return org, target, app.Fail(app.ErrConflict, "already_there", "The organization is there already. Name another cluster or isolation.")
	}
	target.Generation = now.Generation + 1
	return org, target, nil
}

// relocateOnce begins a relocation, for a drain or for an operator.
func (s *Service) relocateOnce(ctx context.Context, org app.Organization, target app.Placement, drain app.OperationID) (app.OperationID, error) {
	plan, err := s.mover.Preflight(ctx, org.ID, org.Placement, target)
	if err != nil {
		return "", err
	}
	recorded := func(bool) {}
	if org.Placement.Cluster != target.Cluster || !own(org.Placement.Isolation) {
		recorded, err = s.tallies.take(ctx, target.Cluster, target.Isolation)
		if err == nil && recorded == nil {
			err = app.Fail(app.ErrConflict, "namespace_budget_full", fmt.Sprintf("The cluster %s has as many collections and databases "+
				`as its max_namespaces allows. Take the isolation "shared" or another cluster.`, target.Cluster))
		}
		if err != nil {
			return "", err
		}
	}
	defer recorded(false)
	at := s.clock()
	op := s.newOperation(app.OperationRelocate, org, at)
	op.Relocation = &app.Relocation{Source: org.Placement, Target: target, Drain: drain, Phase: app.RelocationPreflight,
		Generation: target.Generation, Total: plan.Total, PhaseAt: at}
	err = s.runner.Run(ctx, s.relocatePlan(), op, func(ctx context.Context) error {
		err := s.registry.BeginRelocation(ctx, op)
		recorded(err == nil)
		return err
	})
	return op.ID, err
}

// sameRelocation gives the open operation where it is this very one.
func (s *Service) sameRelocation(ctx context.Context, org app.OrganizationID, target app.Placement) (app.OperationID, error) {
	op, err := s.openOperation(ctx, org)
	if err != nil {
		return "", err
	}
	r := op.Relocation
	if r == nil || r.Target.Cluster != target.Cluster || r.Target.Isolation != target.Isolation || op.State.Undoing() {
		return "", s.inTheWay(op)
	}
	if !r.Settled {
		return op.ID, &journal.RunningError{Operation: op.ID}
	}
	return op.ID, nil
}

// inTheWay says what to do about an open operation.
func (s *Service) inTheWay(op app.Operation) error {
	if op.Relocation == nil {
		return taken(app.Taken(app.ConflictOpenChange))
	}
	return app.Fail(app.ErrConflict, "relocation_in_progress", fmt.Sprintf("This organization is being moved to another place. "+
		"Wait for its operation %s to end, or have an operator cancel or complete it.", op.ID))
}

func (s *Service) relocatePlan() journal.Plan {
	return journal.Plan{Kind: app.OperationRelocate, Drive: s.mover.Drive, Lease: relocation.Lease}
}

// madeWay ends a relocation that has switched and that a change has met: its
// grace period is over with that. It reports whether the change is to be tried
// again; else the error says what is in the way.
func (s *Service) madeWay(ctx context.Context, org app.OrganizationID, err error) (bool, error) {
	var t *app.TakenError
	if !errors.As(err, &t) || t.Field != app.ConflictOpenChange {
		return false, err
	}
	op, reading := s.openOperation(ctx, org)
	if reading != nil || op.Relocation == nil {
		return false, err
	}
	if !op.Relocation.Revertible() {
		return false, s.inTheWay(op)
	}
	if err := s.turn(ctx, op, s.mover.Complete); err != nil {
		return false, s.inTheWay(op)
	}
	s.Forget(org)
	return true, nil
}

// CompleteOperation ends the grace period of a relocation that has switched:
// the source is removed. For operators.
func (s *Service) CompleteOperation(ctx context.Context, actor app.Actor, id string) (OperationView, error) {
	return s.turnRelocation(ctx, actor, id, s.mover.Complete)
}

// RevertOperation takes an organization back to where it was before a
// relocation that has switched; what was written since is kept. For operators.
func (s *Service) RevertOperation(ctx context.Context, actor app.Actor, id string) (OperationView, error) {
	return s.turnRelocation(ctx, actor, id, s.mover.Revert)
}

func (s *Service) turnRelocation(ctx context.Context, actor app.Actor, id string, turn func(context.Context, *app.Operation) error) (OperationView, error) {
	if err := operatorOnly(actor); err != nil {
		return OperationView{}, err
	}
	op, err := s.findOperation(ctx, actor, id)
	if err != nil {
		return OperationView{}, err
	}
	err = s.turn(ctx, op, turn)
	var running *journal.RunningError
	var pending *journal.PendingError
	switch {
	case errors.As(err, &running):
		return OperationView{}, err
	case err != nil && !errors.As(err, &pending):
		return OperationView{}, err
	}
	return s.Operation(ctx, actor, id)
}

// turn turns a relocation as soon as nobody works on it any more: who has just
// switched it is about to lay it down, and what a server that died has laid
// claim to is free before long.
func (s *Service) turn(ctx context.Context, op app.Operation, turn func(context.Context, *app.Operation) error) error {
	for end := time.Now().Add(2 * relocation.Lease); ; {
		err := s.runner.Turn(ctx, op.ID, turn)
		if !errors.Is(err, journal.ErrBusy) {
			return err
		}
		now, err := s.registry.Operation(ctx, op.ID)
		if err != nil {
			return err
		}
		settling := now.State.Open() && now.Relocation != nil && now.Relocation.Phase == app.RelocationSwitched && !now.Relocation.Settled
		if err := relocation.CheckTurn(now); err != nil && !settling {
			return err
		}
		if time.Now().After(end) {
			return errBusy()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

func errBusy() error {
	return &app.Error{Kind: app.ErrConflict, Code: "change_in_progress", RetryAfter: retryChange,
		Detail: "Another server works on this operation right now. Try again in a second."}
}

// cancelDriven gives a drain up, or a relocation that has not switched, and waits
// a while until it is undone.
func (s *Service) cancelDriven(ctx context.Context, op app.Operation) error {
	err := s.registry.AbortOperation(ctx, op.ID, app.OperationCancelling, "cancelled by an operator", s.clock())
	if errors.Is(err, app.ErrConflict) {
		if now, reading := s.registry.Operation(ctx, op.ID); reading == nil && now.State.Open() {
			return app.Fail(app.ErrConflict, "operation_not_cancellable",
				"This relocation has switched already. Revert it to go back; what was written since is kept.")
		}
		return errOperationEnded()
	}
	if err != nil {
		return err
	}
	// Whoever works on it notices. Nobody may.
	if _, err := s.runner.Resume(context.WithoutCancel(ctx), op.ID); err != nil {
		s.log.Warn("a cancelled operation is not undone yet", "operation_id", op.ID, "error", err)
	}
	if s.cfg.OperationWait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.OperationWait)
		defer cancel()
	}
	for {
		now, err := s.registry.Operation(ctx, op.ID)
		if err != nil || !now.State.Open() {
			return nil //nolint:nilerr // the caller reads it once more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookAgain):
		}
	}
}

// lookAgain is between looks whether an operation has ended.
const lookAgain = 50 * time.Millisecond
