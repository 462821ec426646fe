package identity

import (
	"context"
	"errors"

	"tenantry/app"
)

// Me gives the user who asks and their memberships in visible organizations,
// oldest first. app.ErrUnauthenticated without a token; app.ErrForbidden,
// user_required, for an operator, who is nobody in particular.
func (s *Service) Me(ctx context.Context, actor app.Actor) (app.User, []app.Membership, error) {
	switch actor.Kind {
	case app.AsUser:
	case app.AsOperator:
		return app.User{}, nil, app.Fail(app.ErrForbidden, "user_required",
			"An operator key belongs to no user. Sign in with email and password.")
	default:
		return app.User{}, nil, errTokenRequired()
	}
	user, err := s.registry.User(ctx, actor.UserID)
	if errors.Is(err, app.ErrNotFound) {
		return app.User{}, nil, errSessionEnded()
	}
	if err != nil {
		return app.User{}, nil, err
	}
	memberships, err := s.registry.Memberships(ctx, actor.UserID)
	return user, memberships, err
}
