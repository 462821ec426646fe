package tenancy

import (
	"context"
	"fmt"

	"tenantry/app"
)

// Owner gives an organization's first owner to its owners, its admins and
// operators.
func (s *Service) Owner(ctx context.Context, actor app.Actor, ref string) (app.User, error) {
	org, err := s.Resolve(ctx, actor, ref, app.ReadPlacement)
	if err != nil {
		return app.User{}, err
	}
	user, err := s.registry.User(ctx, org.OwnerID)
	if err != nil {
		return app.User{}, fmt.Errorf("owner of organization %s: %w", org.ID, err)
	}
	return user, nil
}

// UpdateOwner gives the first owner another email address or password; nil
// leaves as it is. For that owner and for operators. A new password ends all
// of the owner's sessions.
func (s *Service) UpdateOwner(ctx context.Context, actor app.Actor, ref string, email, password *string) (app.User, error) {
	org, err := s.Resolve(ctx, actor, ref, app.UpdateOrganization)
	if err != nil {
		return app.User{}, err
	}
	if !actor.Operator() && actor.UserID != org.OwnerID {
		return app.User{}, app.Fail(app.ErrForbidden, "role_insufficient",
			"Only the owner and an operator may change the owner's email address and password.")
	}
	id := string(org.ID)
	if _, err := s.Update(ctx, actor, id, UpdateInput{Email: email, Password: password}); err != nil {
		return app.User{}, err
	}
	user, err := s.registry.User(ctx, org.OwnerID)
	if err != nil {
		return app.User{}, fmt.Errorf("owner of organization %s: %w", org.ID, err)
	}
	return user, nil
}
