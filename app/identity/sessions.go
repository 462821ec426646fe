package identity

import (
	"context"
	"errors"
	"time"

	"tenantry/app"
	"tenantry/app/cache"
)

const (
	keptSessions = 16_384
	keptUsers    = 16_384
)

// liveSessions knows which sessions count now.
//
// A user's change must end what hangs on it at once, and a user may have many
// sessions while the cache holds those of thousands, so it is not searched.
// Instead each kept session carries its user's stamp, and an invalidation of
// the user takes the stamp out of use.
type liveSessions struct {
	registry      Registry
	organizations Organizations

	sessions *cache.Cache[app.SessionID, liveSession]
	stamps   *cache.Cache[app.UserID, *userStamp]
}

type liveSession struct {
	user    app.UserID
	expires time.Time
	stamp   *userStamp
}

// userStamp stands for a user as read at one moment. It has a size, so that no
// two have one address.
type userStamp struct{ _ byte }

func newLiveSessions(registry Registry, organizations Organizations) *liveSessions {
	return &liveSessions{
		registry: registry, organizations: organizations,
		sessions: cache.New[app.SessionID, liveSession](keptSessions, registry.Trusted),
		stamps:   cache.New[app.UserID, *userStamp](keptUsers, registry.Trusted),
	}
}

func (l *liveSessions) invalidate(i app.Invalidation) {
	if i.Everything {
		l.sessions.Clear()
		l.stamps.Clear()
	}
	if i.Session != "" {
		l.sessions.Drop(i.Session)
	}
	if i.User != "" {
		l.stamps.Drop(i.User)
	}
}

// get gives the session that a token names, or app.ErrNotFound when it, its
// user or their membership is gone; with the organization where that was read
// as well, just now.
func (l *liveSessions) get(ctx context.Context, v verified) (live liveSession, org *app.Organization, err error) {
	if live, kept := l.sessions.Peek(v.session); kept {
		if stamp, valid := l.stamps.Peek(live.user); valid && stamp == live.stamp {
			return live, nil, nil
		}
		l.sessions.Drop(v.session)
	}
	live, err = l.sessions.Get(ctx, v.session, func(ctx context.Context) (live liveSession, err error) {
		live, org, err = l.load(ctx, v)
		return live, err
	})
	return live, org, err
}

func (l *liveSessions) load(ctx context.Context, v verified) (liveSession, *app.Organization, error) {
	// Stamp and keep first: what changes after they are taken is seen by them.
	stamp, err := l.stamps.Get(ctx, v.user, func(context.Context) (*userStamp, error) { return new(userStamp), nil })
	if err != nil {
		return liveSession{}, nil, err
	}
	keep := l.organizations.Reading(v.org, v.user)
	s, err := l.registry.Session(ctx, v.session)
	if err != nil {
		return liveSession{}, nil, err
	}
	if s.UserID != v.user || s.OrganizationID != v.org { // only if the registry was tampered with
		return liveSession{}, nil, app.ErrNotFound
	}
	keep(s.Organization, s.Role)
	return liveSession{user: s.UserID, expires: s.ExpiresAt, stamp: stamp}, &s.Organization, nil
}

// check decides whether a token's session still counts: session_ended, or
// organization_suspended.
func (s *Service) check(ctx context.Context, v verified) error {
	live, org, err := s.sessions.get(ctx, v)
	if err == nil && !s.clock().Before(live.expires) {
		// Another server may have refreshed it, which is not announced.
		s.sessions.sessions.Drop(v.session)
		live, org, err = s.sessions.get(ctx, v)
		if err == nil && !s.clock().Before(live.expires) {
			err = app.ErrNotFound
		}
	}
	if err == nil && org == nil {
		var now app.Organization
		now, err = s.organizations.Organization(ctx, v.org)
		org = &now
	}
	switch {
	case errors.Is(err, app.ErrNotFound) || err == nil && !org.State.Visible():
		return errSessionEnded()
	case err == nil && org.State == app.StateSuspended:
		return errSuspended()
	}
	return err
}
