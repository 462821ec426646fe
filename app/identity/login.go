package identity

import (
	"context"
	"errors"
	"time"

	"tenantry/app"
)

// LoginInput is what somebody signs in with.
type LoginInput struct {
	Email, Password string
	// Organization is the id or slug of the one to sign in to. Who is a member
	// of a single one need not name it.
	Organization string
}

// SignIn is what a sign-in or a refresh gives.
type SignIn struct {
	AccessToken  string
	ExpiresIn    time.Duration // of the access token, from now
	RefreshToken string
	UserID       app.UserID
	Organization app.Organization
	Role         app.Role
	SessionID    app.SessionID
}

// ChooseOrganizationError says that the user, whose password was right, is a
// member of several organizations and must name one. It is an app.ErrConflict
// with code organization_required.
type ChooseOrganizationError struct {
	// Choices are the user's organizations, the oldest membership first.
	// Suspended ones are among them.
	Choices []app.Organization
}

func (e *ChooseOrganizationError) Error() string { return e.failure().Error() }

// Is makes errors.Is see app.ErrConflict.
func (e *ChooseOrganizationError) Is(target error) bool { return target == app.ErrConflict }

// As lets errors.As find the code and sentence as an *app.Error.
func (e *ChooseOrganizationError) As(target any) bool {
	failure, ok := target.(**app.Error)
	if ok {
		*failure = e.failure()
	}
	return ok
}

func (e *ChooseOrganizationError) failure() *app.Error {
	return app.Fail(app.ErrConflict, "organization_required",
		"You are a member of several organizations. Say in \"organization\" to which one you want to sign in.")
}

// Login checks email and password and opens a session. Errors:
//
//   - app.ErrUnauthenticated, credentials_invalid: the email is unknown or the
//     password is wrong, with the same answer in the same time for both.
//   - app.ErrUnavailable, sign_in_busy: too many sign in at once; RetryAfter is
//     set. It comes before anything is looked at and tells nothing.
//
// Only who showed the right password learns more:
//
//   - *ChooseOrganizationError.
//   - app.ErrNotFound, organization_not_found: the organization that was named
//     does not exist, or the user is not a member.
//   - app.ErrForbidden, organization_suspended.
//   - app.ErrUnauthenticated, membership_required: a member of nothing.
func (s *Service) Login(ctx context.Context, in LoginInput) (SignIn, error) {
	if err := s.hasher.admission(ctx); err != nil {
		return SignIn{}, err
	}
	password := normalPassword(in.Password)
	// The hash can change while we compare: by a new password, or by another
	// sign-in that replaced it with one of today's cost. CreateSession refuses a
	// session for a hash that is not in force any more, and the password is
	// compared once more with what is.
	for range 3 {
		account, err := s.prove(ctx, in, password)
		if err != nil {
			return SignIn{}, err
		}
		place, err := choose(account, in.Organization)
		if err != nil {
			return SignIn{}, err
		}
		user := account.User
		session, token := s.refresh.open(user.ID, place.Organization.ID, s.clock(), s.cfg.RefreshTokenTTL)
		err = s.registry.CreateSession(ctx, session, place.Proof)
		if errors.Is(err, app.ErrUnauthenticated) {
			continue
		}
		if err != nil {
			return SignIn{}, err
		}
		if costOf(user.PasswordHash) != s.cfg.BcryptCost {
			s.rehash(user, password)
		}
		return s.signIn(session, token, place.Organization, place.Role)
	}
	return SignIn{}, errCredentials()
}

// readFloor is how long the search for an account takes at least. It takes
// longer where there is one, since the organizations come with it, and nobody
// must learn from that which addresses are known.
const readFloor = 5 * time.Millisecond

// prove finds the account that email and password belong to, or
// credentials_invalid.
func (s *Service) prove(ctx context.Context, in LoginInput, password string) (app.Account, error) {
	var account app.Account
	level := time.After(readFloor)
	_, key, err := ParseEmail(in.Email)
	if err == nil {
		account, err = s.registry.Account(ctx, app.AccountQuery{EmailKey: key, Organization: in.Organization, Limit: maxChoices})
	}
	if err != nil && !errors.Is(err, app.ErrNotFound) && !errors.Is(err, app.ErrInvalid) {
		return app.Account{}, err
	}
	select {
	case <-level:
	case <-ctx.Done():
		return app.Account{}, ctx.Err()
	}
	// An unknown user has no hash, which takes as long to compare as any.
	same, err := s.hasher.Compare(ctx, account.User.PasswordHash, password)
	if err != nil {
		return app.Account{}, err
	}
	if !same {
		return app.Account{}, errCredentials()
	}
	return account, nil
}

// maxChoices bounds the organizations that are listed for a user to choose
// from: somebody may be in thousands.
const maxChoices = 100

// choose finds the organization to sign in to.
func choose(account app.Account, named string) (app.Place, error) {
	switch places := account.Places; {
	case len(places) == 0 && named != "":
		return app.Place{}, app.Fail(app.ErrNotFound, "organization_not_found",
			"There is no organization with this id or slug that you are a member of.")
	case len(places) == 0:
		return app.Place{}, app.Fail(app.ErrUnauthenticated, "membership_required",
			"You are not a member of any organization. Ask an owner of yours to let you in again.")
	case len(places) > 1:
		choices := make([]app.Organization, len(places))
		for i, p := range places {
			choices[i] = p.Organization
		}
		return app.Place{}, &ChooseOrganizationError{Choices: choices}
	case places[0].Organization.State == app.StateSuspended:
		return app.Place{}, errSuspended()
	}
	return account.Places[0], nil
}

func (s *Service) signIn(session app.Session, refresh string, org app.Organization, role app.Role) (SignIn, error) {
	access, err := s.issue(session, role)
	if err != nil {
		return SignIn{}, err
	}
	return SignIn{
		AccessToken: access, ExpiresIn: s.cfg.AccessTokenTTL, RefreshToken: refresh,
		UserID: session.UserID, Organization: org, Role: role, SessionID: session.ID,
	}, nil
}

// rehash replaces a hash of another cost, in the background: the password is
// at hand only now, and the user need not wait for it. When the threads are
// busy the next sign-in does it.
func (s *Service) rehash(user app.User, password string) {
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*s.cfg.MaxWait)
		defer cancel()
		hash, err := s.hasher.Hash(ctx, password)
		if err == nil {
			err = s.registry.ReplacePasswordHash(ctx, user.ID, user.PasswordHash, hash)
		}
		if err != nil {
			s.log.Info("a password hash of another cost was not replaced yet", "user_id", user.ID, "error", err)
		}
	})
}
