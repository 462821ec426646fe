package tenancy

import (
	"context"
	"errors"
	"fmt"

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

// Delete purges an organization: nobody sees it from the first moment on, its
// tokens are worthless, its data is dropped, and its names are free when the
// call returns. A journal.PendingError in the error says that the dropping
// goes on in the background.
func (s *Service) Delete(ctx context.Context, actor app.Actor, ref string, ifRevision int64) error {
	org, err := s.Resolve(ctx, actor, ref, app.DeleteOrganization)
	if err != nil {
		return err
	}
	plan := s.deletePlan()
	op := newOperation(plan.Kind, org, app.Later(s.clock(), org.UpdatedAt))
	err = s.runner.Run(ctx, plan, op, func(ctx context.Context) error {
		return s.registry.BeginDelete(ctx, op, ifRevision)
	})
	if err != nil {
		return fmt.Errorf("delete organization: %w", stale(taken(err)))
	}
	return nil
}

func (s *Service) deletePlan() journal.Plan {
	return journal.Plan{
		Kind:        app.OperationDelete,
		Interrupted: journal.Forward,
		OnlyForward: true,
		Steps: []journal.Step{
			{Name: "close"},
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
