package tenancy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
)

// Suspend closes an organization to its members at once; data and names stay.
// Suspending a suspended one changes nothing.
func (s *Service) Suspend(ctx context.Context, actor app.Actor, ref string) (app.Organization, error) {
	return s.setState(ctx, actor, ref, app.StateSuspended)
}

// Resume opens a suspended organization again.
func (s *Service) Resume(ctx context.Context, actor app.Actor, ref string) (app.Organization, error) {
	return s.setState(ctx, actor, ref, app.StateActive)
}

func (s *Service) setState(ctx context.Context, actor app.Actor, ref string, state app.OrganizationState) (app.Organization, error) {
	if err := operatorOnly(actor); err != nil {
		return app.Organization{}, err
	}
	org, err := s.Resolve(ctx, actor, ref, app.UpdateOrganization)
	if err != nil || org.State == state {
		return org, err
	}
	changed, err := s.registry.ChangeOrganization(ctx, app.OrganizationChange{
		OrganizationID: org.ID, State: &state, At: app.Later(s.clock(), org.UpdatedAt),
	})
	if err != nil {
		return app.Organization{}, fmt.Errorf("change state: %w", stale(taken(err)))
	}
	return changed, nil
}

// Deletion says how far the deletion of an organization is.
type Deletion struct {
	Operation app.OperationID
	// PurgeAt is when the data is removed, until when an operator can restore
	// the organization. Zero: it is removed at once.
	PurgeAt time.Time
	// Done: the data is removed and the names are free.
	Done bool
}

// Delete deletes an organization: none of its members sees it from the first
// moment on, and its tokens are worthless. Its data is removed and its names
// are free when the call returns, or, with a retention, when that has passed;
// an operator who deletes it once more does not wait for that. A removal that
// does not succeed now goes on in the background.
func (s *Service) Delete(ctx context.Context, actor app.Actor, ref string, ifRevision int64) (Deletion, error) {
	for {
		org, err := s.Resolve(ctx, actor, ref, app.DeleteOrganization)
		if err != nil {
			return Deletion{}, err
		}
		d, err := s.deleteOnce(ctx, org, ifRevision)
		if err == nil {
			return d, nil
		}
		again := s.outOfDate(ctx, org, ifRevision, err)
		if !again {
			again, err = s.madeWay(ctx, org.ID, err)
		}
		if !again {
			return Deletion{}, fmt.Errorf("delete organization: %w", stale(taken(err)))
		}
		ref = string(org.ID)
	}
}

// outOfDate reports whether a change was refused because the organization that
// it was made from is not the one there is, and the caller has not asked for
// that one: to them it is no matter, and the change is to be made anew.
func (s *Service) outOfDate(ctx context.Context, org app.Organization, ifRevision int64, err error) bool {
	if !errors.Is(err, app.ErrStale) {
		return false
	}
	s.Forget(org.ID)
	if ifRevision == app.AnyRevision {
		return true
	}
	now, err := s.Organization(ctx, org.ID)
	return err == nil && now.Revision == ifRevision && now.Placement != org.Placement
}

func (s *Service) deleteOnce(ctx context.Context, org app.Organization, ifRevision int64) (Deletion, error) {
	plan := s.deletePlan()
	var op app.Operation
	var err error
	switch {
	case org.State == app.StateDeleted:
		if op, err = s.openOperation(ctx, org.ID); err == nil {
			_, err = s.runner.Finish(ctx, op.ID)
		}
	case s.cfg.DeletionRetention > 0:
		op = s.newOperation(plan.Kind, org, app.Later(s.clock(), org.UpdatedAt))
		op.DueAt = op.CreatedAt.Add(s.cfg.DeletionRetention)
		err = s.registry.BeginDelete(ctx, op, ifRevision)
		if err == nil {
			return Deletion{Operation: op.ID, PurgeAt: op.DueAt}, nil
		}
	default:
		op = s.newOperation(plan.Kind, org, app.Later(s.clock(), org.UpdatedAt))
		err = s.runner.Run(ctx, plan, op, func(ctx context.Context) error {
			return s.registry.BeginDelete(ctx, op, ifRevision)
		})
	}
	var pending *journal.PendingError
	var running *journal.RunningError
	if errors.As(err, &pending) || errors.As(err, &running) {
		return Deletion{Operation: op.ID}, nil
	}
	return Deletion{Operation: op.ID, Done: err == nil}, err
}

// Restore takes a deletion back that is not past its retention. For operators.
func (s *Service) Restore(ctx context.Context, actor app.Actor, ref string) (app.Organization, error) {
	if err := operatorOnly(actor); err != nil {
		return app.Organization{}, err
	}
	org, err := s.Resolve(ctx, actor, ref, app.ReadOrganization)
	if err != nil {
		return app.Organization{}, err
	}
	if org.State != app.StateDeleted {
		return app.Organization{}, app.Fail(app.ErrConflict, "organization_not_deleted",
			"This organization is not deleted, so there is nothing to restore.")
	}
	op, err := s.openOperation(ctx, org.ID)
	if err != nil {
		return app.Organization{}, err
	}
	org, err = s.registry.RestoreOrganization(ctx, op, s.clock())
	if err != nil {
		return app.Organization{}, fmt.Errorf("restore organization: %w", stale(taken(err)))
	}
	return org, nil
}

func (s *Service) deletePlan() journal.Plan {
	return journal.Plan{
		Kind:        app.OperationDelete,
		Interrupted: journal.Forward,
		OnlyForward: true,
		Steps: []journal.Step{
			{Name: "close", Do: func(ctx context.Context, op app.Operation) error {
				if op.DueAt.IsZero() {
					return nil // closed when it was recorded
				}
				return s.registry.BeginPurge(ctx, op, s.clock())
			}},
			{Name: "drop", Do: s.drop},
			{Name: "purge", Do: func(ctx context.Context, op app.Operation) error {
				return s.registry.FinishDelete(ctx, op, s.clock())
			}},
		},
	}
}

func operatorOnly(actor app.Actor) error {
	switch actor.Kind {
	case app.AsOperator:
		return nil
	case app.Anonymous:
		return app.Fail(app.ErrUnauthenticated, "token_required",
			"Send an operator key as \"Authorization: Bearer …\".")
	}
	return app.Fail(app.ErrForbidden, "operator_only", "Only an operator of this server may do this.")
}

// stale turns an engine's refusals about the state into sentences.
func stale(err error) error {
	var told *app.Error
	switch {
	case errors.As(err, &told):
		return err
	case errors.Is(err, app.ErrStale):
		return app.Fail(app.ErrStale, "revision_mismatch",
			"The organization has changed since you read it. Read it again and repeat your change.")
	case errors.Is(err, app.ErrNotFound):
		return errUnknown()
	}
	return err
}
