package identity

import (
	"context"
	"strings"

	"tenantry/app"
)

// Authenticate says who shows this access token or operator key (what follows
// "Bearer "; nothing else is taken). The error is app.ErrUnauthenticated with
// code token_invalid, token_expired, session_ended or key_invalid,
// app.ErrForbidden with code organization_suspended, or the registry's.
func (s *Service) Authenticate(ctx context.Context, bearer string) (app.Actor, error) {
	if strings.HasPrefix(bearer, operatorKeyPrefix) {
		return s.authenticateKey(ctx, bearer)
	}
	v, err := s.verify(ctx, bearer)
	if err != nil {
		return app.Actor{}, err
	}
	if err := s.check(ctx, v); err != nil {
		return app.Actor{}, err
	}
	return app.Actor{Kind: app.AsUser, UserID: v.user, OrganizationID: v.org, SessionID: v.session}, nil
}
