package tenancy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
)

const (
	// drainAtOnce is how many organizations are moved at one time: much of a move
	// is waiting.
	drainAtOnce = 4
	// drainNote is how often it is recorded how far it is, and looked whether it
	// was given up.
	drainNote = time.Second
	// drainTries is how often it is tried to move an organization whose move was
	// refused for a reason that may pass, and drainWaits how often it is looked
	// again where somebody else has to do something first.
	drainTries = 5
	drainWaits = 40
	// failuresKept is how many are recorded with their reasons.
	failuresKept = 100
	// Passes are between firstDrainPause and longestDrainPause apart.
	firstDrainPause   = 200 * time.Millisecond
	longestDrainPause = 5 * time.Second
)

// drainRun is one server's turn at a drain.
type drainRun struct {
	s *Service
	// d has what does not change: which cluster, where to, and how.
	d app.Drain

	mu sync.Mutex
	op app.Operation
	// tries and waits are counted by organization, and failed has the reasons of
	// those that are not tried any more.
	tries, waits map[app.OrganizationID]int
	failed       map[app.OrganizationID]app.DrainFailure
}

// errGivenUp: somebody cancelled it.
var errGivenUp = errors.New("the drain was given up")

// drain works on a drain until it has ended. See journal.Plan.
func (s *Service) drain(ctx context.Context, op app.Operation) error {
	if op.Drain == nil {
		return fmt.Errorf("operation %s says nothing of a drain: %w", op.ID, app.ErrInvalid)
	}
	r := &drainRun{s: s, d: *op.Drain, op: op, tries: map[app.OrganizationID]int{}, waits: map[app.OrganizationID]int{},
		failed: map[app.OrganizationID]app.DrainFailure{}}
	for pause := firstDrainPause; ; pause = min(2*pause, longestDrainPause) {
		moved, ended, err := r.turn(ctx)
		switch {
		case ended:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, app.ErrStale), errors.Is(err, app.ErrNotFound):
			return err // another server works on it, or it has ended
		case err != nil:
			s.log.Warn("a drain does not come on, and is tried again", "operation_id", op.ID, "cluster", op.Drain.Cluster, "error", err)
			r.refused(ctx, err)
		case moved > 0:
			pause = firstDrainPause
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// turn looks at everybody who lives there once.
func (r *drainRun) turn(ctx context.Context) (moved int, ended bool, err error) {
	switch err := r.note(ctx); {
	case errors.Is(err, errGivenUp):
		err := r.giveUp(ctx)
		return 0, err == nil, err
	case err != nil:
		return 0, false, err
	}
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		r.watch(working, cancel)
	}()
	moved, err = r.pass(working)
	why := context.Cause(working)
	cancel(nil)
	<-watching
	switch {
	case errors.Is(why, errGivenUp):
		err := r.giveUp(ctx)
		return moved, err == nil, err
	case why != nil && ctx.Err() == nil:
		return moved, false, why
	case err != nil:
		return moved, false, err
	}
	ended, err = r.finish(ctx)
	return moved, ended, err
}

// pass tries to move everybody who lives there and was not given up, a few at a
// time.
func (r *drainRun) pass(ctx context.Context) (moved int, err error) {
	var mu sync.Mutex
	var moving sync.WaitGroup
	places := make(chan struct{}, drainAtOnce)
	err = r.s.eachResident(ctx, r.d.Cluster, func(org app.Organization) error {
		if r.hasFailed(org.ID) {
			return nil
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		moving.Go(func() {
			defer func() { <-places }()
			err := r.move(ctx, org)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				mu.Lock()
				moved++
				mu.Unlock()
				return
			}
			r.notMoved(org, err)
		})
		return nil
	})
	moving.Wait()
	return moved, err
}

// waiting is why an organization cannot be moved before something else has
// happened.
type waiting struct{ reason string }

func (w *waiting) Error() string { return w.reason }

// move moves one organization, or follows it where it is moving already.
func (r *drainRun) move(ctx context.Context, org app.Organization) error {
	if !org.State.Visible() {
		if org.State == app.StateDeleted {
			return errors.New(stays(org))
		}
		return &waiting{stays(org)}
	}
	to, err := r.s.drainTarget(ctx, org, r.d, newcomers{})
	if err != nil {
		return err
	}
	target, err := r.s.locateFor(org, to)
	if err != nil {
		return err
	}
	id, err := r.s.relocateOnce(ctx, org, target, r.op.ID)
	var running *journal.RunningError
	var pending *journal.PendingError
	switch {
	case err == nil, errors.As(err, &running), errors.As(err, &pending):
		return r.follow(ctx, id)
	case isOpenChange(err):
		return r.followOther(ctx, org)
	}
	return err
}

func isOpenChange(err error) bool {
	var t *app.TakenError
	return errors.As(err, &t) && t.Field == app.ConflictOpenChange
}

// followOther is for an organization that something else is done to.
func (r *drainRun) followOther(ctx context.Context, org app.Organization) error {
	op, err := r.s.openOperation(ctx, org.ID)
	if err != nil {
		return &waiting{"something else was just done to it"}
	}
	rel := op.Relocation
	switch {
	case rel == nil:
		return &waiting{fmt.Sprintf("its %s (operation %s) is under way", op.Kind, op.ID)}
	case rel.Target.Cluster != r.d.Cluster:
		return r.follow(ctx, op.ID) // it leaves already
	case !rel.Revertible():
		return &waiting{fmt.Sprintf("it is being moved within the cluster, or into it, by operation %s", op.ID)}
	case r.d.Completing:
		return r.complete(ctx, op)
	}
	return fmt.Errorf("it has come here, or was moved within the cluster, by operation %s, whose grace period ends %s; complete that, or drain with --complete",
		op.ID, op.DueAt.Format(time.RFC3339))
}

// complete ends a grace period: there is something left to do then.
func (r *drainRun) complete(ctx context.Context, op app.Operation) error {
	err := r.s.turn(ctx, op, r.s.mover.Complete)
	var running *journal.RunningError
	if err != nil && !errors.As(err, &running) {
		return &waiting{reasonOf(err)}
	}
	return &waiting{"its grace period was just ended"}
}

// follow waits until an organization that leaves has switched, or ended.
func (r *drainRun) follow(ctx context.Context, id app.OperationID) error {
	for {
		op, err := r.s.registry.Operation(ctx, id)
		switch {
		case err != nil:
			return err
		case op.State == app.OperationCompleted:
			return nil
		case !op.State.Open():
			return fmt.Errorf("its relocation %s has %s: %s", op.ID, op.State, op.Error)
		case op.Relocation != nil && op.Relocation.Revertible():
			if r.d.Completing {
				r.endGrace(ctx, op)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lookAgain * 2):
		}
	}
}

// notMoved counts a refusal, and gives the organization up where there have been
// enough.
func (r *drainRun) notMoved(org app.Organization, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var wait *waiting
	passes := errors.Is(err, app.ErrUnavailable) || errors.Is(err, app.ErrStale) || errors.Is(err, app.ErrLimit) ||
		errors.Is(err, app.ErrNoSpace) || errors.Is(err, app.ErrNotFound)
	switch {
	case errors.As(err, &wait):
		if r.waits[org.ID]++; r.waits[org.ID] < drainWaits {
			return
		}
	case passes:
		if r.tries[org.ID]++; r.tries[org.ID] < drainTries {
			return
		}
	}
	r.s.log.Warn("an organization was not moved out of its cluster", "operation_id", r.op.ID, "org_id", org.ID, "error", err)
	r.failed[org.ID] = app.DrainFailure{Organization: org.ID, Slug: org.Slug, Reason: reasonOf(err)}
}

func (r *drainRun) hasFailed(id app.OrganizationID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, is := r.failed[id]
	return is
}

// finish ends the drain where everybody has left, or those who are left cannot be
// moved.
func (r *drainRun) finish(ctx context.Context) (ended bool, err error) {
	left := int64(0)
	still := map[app.OrganizationID]bool{}
	err = r.s.eachResident(ctx, r.d.Cluster, func(org app.Organization) error {
		if left++; r.hasFailed(org.ID) {
			still[org.ID] = true
		}
		return nil
	})
	if err != nil || left > int64(len(still)) {
		return false, err
	}
	r.mu.Lock()
	for id := range r.failed { // who has left after all
		if !still[id] {
			delete(r.failed, id)
		}
	}
	r.mu.Unlock()
	if left == 0 && r.d.Completing {
		if more, err := r.completeAll(ctx); err != nil || more {
			return false, err
		}
	}
	r.measure(left)
	state, reason := app.OperationCompleted, ""
	if left > 0 {
		state, reason = app.OperationFailed, fmt.Sprintf("%d organizations could not be moved", left)
	}
	err = r.s.registry.EndDrain(ctx, r.recorded(), state, reason, r.s.clock())
	if err == nil {
		r.s.log.Info("a drain has ended", "operation_id", r.op.ID, "cluster", r.d.Cluster, "state", state, "left", left)
	}
	return err == nil, err
}

// completeAll ends the grace periods of all that have left the cluster, and
// reports whether there are any that have not ended.
func (r *drainRun) completeAll(ctx context.Context) (more bool, err error) {
	var leaving []app.Operation
	err = eachRelocation(ctx, r.s.registry, func(op app.Operation) {
		if rel := op.Relocation; rel != nil && rel.Source.Cluster == r.d.Cluster && rel.Flips == 1 {
			leaving = append(leaving, op)
		}
	})
	for _, op := range leaving {
		if op.Relocation.Revertible() {
			r.endGrace(ctx, op)
		}
	}
	return len(leaving) > 0, err
}

// endGrace completes a relocation that has switched. What does not work now is
// tried again at the end of the drain.
func (r *drainRun) endGrace(ctx context.Context, op app.Operation) {
	err := r.s.turn(ctx, op, r.s.mover.Complete)
	var running *journal.RunningError
	if err != nil && !errors.As(err, &running) && ctx.Err() == nil {
		r.s.log.Warn("a relocation of a drain is not completed yet", "operation_id", op.ID, "error", err)
	}
}

// giveUp ends a drain that was cancelled. Those who have left stay where they
// are; those whom it has on their way stay where they were. What an operator has
// begun is the operator's.
func (r *drainRun) giveUp(ctx context.Context) error {
	err := eachRelocation(ctx, r.s.registry, func(op app.Operation) {
		rel := op.Relocation
		if rel == nil || rel.Drain != r.op.ID || rel.Flips > 0 {
			return
		}
		err := r.s.registry.AbortOperation(ctx, op.ID, app.OperationCancelling, "the drain of its cluster was cancelled", r.s.clock())
		if err != nil && !errors.Is(err, app.ErrConflict) {
			r.s.log.Warn("a relocation of a drain that was cancelled goes on", "operation_id", op.ID, "error", err)
		}
	})
	if err != nil {
		return err
	}
	if left, err := r.s.registry.CountOrganizations(ctx, app.OrganizationQuery{Cluster: r.d.Cluster}); err == nil {
		r.measure(left)
	}
	if err := r.s.setClosing(ctx, r.d.Cluster, false, ""); err != nil {
		return err
	}
	if err := r.s.clusters.keeper.Refresh(ctx); err != nil {
		return err
	}
	op := r.recorded()
	return r.s.registry.EndDrain(ctx, op, op.State.Undone(), op.Error, r.s.clock())
}
