package relocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tenantry/app"
)

// lapse waits until every server has heard of the flip, or knows that it has
// not: until then one may still read the place that was left, and a write must
// not be acknowledged that it would not see there.
func (r *run) lapse(ctx context.Context) error {
	if r.m.lapsing() == 0 {
		return nil
	}
	began := time.Now()
	if !sleep(ctx, r.m.lapsing()) {
		return context.Cause(ctx)
	}
	r.update(func(rel *app.Relocation) { rel.Held += time.Since(began) })
	return nil
}

// settling is for what writes wait for: a server that stops does it first.
func (r *run) settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), r.m.cfg.PlacementLease+noteTimeout)
}

// settle lets writes through at the target, which notes them, and closes the
// source. The grace period begins.
func (r *run) settle(ctx context.Context) error {
	ctx, cancel := r.settling(ctx)
	defer cancel()
	if err := r.lapse(ctx); err != nil {
		return err
	}
	if err := r.target.phase(ctx, app.PhaseRecording); err != nil {
		return fmt.Errorf("let writes through at the target: %w", err)
	}
	if err := r.source.phase(ctx, app.PhaseClosed); err != nil {
		return fmt.Errorf("close the source: %w", err)
	}
	now := r.m.clock()
	r.change(func(op *app.Operation) {
		op.Relocation.Settled, op.Relocation.SwitchedAt = true, now
		op.DueAt = now.Add(r.m.cfg.Grace)
	})
	return r.note(ctx)
}

// switched goes on after the flip.
func (r *run) switched(ctx context.Context) error {
	if !r.relocation().Settled {
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
	op := r.recorded()
	if op.Relocation.Completing || !op.DueAt.After(r.m.clock()) {
		return r.complete(ctx)
	}
	return nil
}

// complete drops the source. There is no way back from its first step on.
func (r *run) complete(ctx context.Context) error {
	r.update(func(rel *app.Relocation) { rel.Completing = true })
	if err := r.note(ctx); err != nil {
		return err
	}
	if err := r.source.Drop(ctx, r.source.ns); err != nil {
		return fmt.Errorf("remove the source: %w", err)
	}
	if err := r.target.phase(ctx, app.PhaseOpen); err != nil {
		return fmt.Errorf("open the target: %w", err)
	}
	return r.end(ctx, app.OperationCompleted, "")
}

// back takes the organization back to the source: only what was written at the
// target is copied.
func (r *run) back(ctx context.Context) error {
	if err := r.takeUp(ctx, r.target, r.source); err != nil {
		return err
	}
	if err := r.cutover(ctx, r.target, r.source); err != nil {
		return err
	}
	return r.returned(ctx)
}

// returned ends a relocation that is back at its source.
func (r *run) returned(ctx context.Context) error {
	if err := r.reopen(ctx); err != nil {
		return err
	}
	if err := r.target.Drop(ctx, r.target.ns); err != nil {
		return fmt.Errorf("remove the target: %w", err)
	}
	return r.end(ctx, app.OperationReverted, "")
}

// reopen lets writes through at the source.
func (r *run) reopen(ctx context.Context) error {
	ctx, cancel := r.settling(ctx)
	defer cancel()
	if err := r.lapse(ctx); err != nil {
		return err
	}
	if err := r.source.phase(ctx, app.PhaseOpen); err != nil {
		return fmt.Errorf("let writes through at the source: %w", err)
	}
	return nil
}

// undo leaves the source as it was and removes the target.
func (r *run) undo(ctx context.Context) error {
	if r.sourceErr != nil {
		return r.sourceErr
	}
	if err := r.source.phase(ctx, app.PhaseOpen); err != nil && !errors.Is(err, app.ErrNotFound) {
		return fmt.Errorf("open the source again: %w", err)
	}
	reason := r.recorded().Error
	if err := r.removeTarget(ctx); err != nil {
		if !r.leave {
			return err
		}
		r.m.log.Error("what a relocation has copied could not be removed; \"tenantry doctor\" shows it when its cluster is back",
			"operation_id", r.op.ID, "org_id", r.op.OrganizationID, "cluster", r.target.ns.Placement.Cluster, "error", err)
		reason += " (what was copied to " + r.target.ns.Placement.Cluster + " is still there)"
	}
	return r.end(ctx, r.op.State.Undone(), reason)
}

func (r *run) removeTarget(ctx context.Context) error {
	if r.targetErr != nil {
		return r.targetErr
	}
	phase, _, err := r.target.Phase(ctx, r.target.ns)
	switch {
	case errors.Is(err, app.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look at the target: %w", err)
	case phase == app.PhaseOpen || phase == app.PhaseRecording:
		return nil // not of this relocation
	}
	if err := r.target.Drop(ctx, r.target.ns); err != nil {
		return fmt.Errorf("remove the target: %w", err)
	}
	return nil
}

// end ends the operation.
func (r *run) end(ctx context.Context, state app.OperationState, reason string) error {
	done := r.alone()
	defer done()
	op := r.recorded()
	if state == app.OperationCompleted || state == app.OperationReverted {
		op.Step = ""
	}
	err := r.m.registry.EndRelocation(ctx, op, state, reason, r.m.clock())
	if errors.Is(err, app.ErrStale) || errors.Is(err, app.ErrConflict) {
		return errTakenOver
	}
	if err != nil {
		return fmt.Errorf("end the relocation: %w", err)
	}
	r.m.log.Info("a relocation has ended", "operation_id", op.ID, "org_id", op.OrganizationID, "state", state,
		"documents", op.Relocation.Copied.Documents, "held", op.Relocation.Held)
	return nil
}
