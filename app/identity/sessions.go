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
	registry Registry
	sessions *cache.Cache[app.SessionID, liveSession]
	stamps   *cache.Cache[app.UserID, *userStamp]
}

type liveSession struct {
	user    app.UserID
	org     app.OrganizationID
	expires time.Time
	stamp   *userStamp
}

// userStamp stands for a user as read at one moment. It has a size, so that no
// two have one address.
type userStamp struct{ _ byte }

func newLiveSessions(registry Registry) *liveSessions {
	return &liveSessions{
		registry: registry,
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

// get gives the session, or app.ErrNotFound when it, its user or their
// membership is gone.
func (l *liveSessions) get(ctx context.Context, id app.SessionID) (liveSession, error) {
	if live, kept := l.sessions.Peek(id); kept {
		if stamp, valid := l.stamps.Peek(live.user); valid && stamp == live.stamp {
			return live, nil
		}
		l.sessions.Drop(id)
	}
	return l.sessions.Get(ctx, id, func(ctx context.Context) (liveSession, error) { return l.load(ctx, id) })
}

func (l *liveSessions) load(ctx context.Context, id app.SessionID) (liveSession, error) {
	s, err := l.registry.Session(ctx, id)
	if err != nil {
		return liveSession{}, err
	}
	// The stamp first: what changes after it is taken is seen by its absence.
	stamp, err := l.stamps.Get(ctx, s.UserID, func(ctx context.Context) (*userStamp, error) {
		_, err := l.registry.User(ctx, s.UserID)
		return new(userStamp), err
	})
	if err != nil {
		return liveSession{}, err
	}
	if s, err = l.registry.Session(ctx, id); err != nil {
		return liveSession{}, err
	}
	if _, err := l.registry.Membership(ctx, s.OrganizationID, s.UserID); err != nil {
		return liveSession{}, err
	}
	return liveSession{user: s.UserID, org: s.OrganizationID, expires: s.ExpiresAt, stamp: stamp}, nil
}

// check decides whether a session still counts: session_ended, or
// organization_suspended.
func (s *Service) check(ctx context.Context, id app.SessionID) (liveSession, error) {
	live, err := s.sessions.get(ctx, id)
	if errors.Is(err, app.ErrNotFound) {
		return live, errSessionEnded()
	}
	if err != nil {
		return live, err
	}
	if !s.clock().Before(live.expires) {
		// Another server may have refreshed it, which is not announced.
		s.sessions.sessions.Drop(id)
		live, err = s.sessions.get(ctx, id)
		if errors.Is(err, app.ErrNotFound) || err == nil && !s.clock().Before(live.expires) {
			return live, errSessionEnded()
		}
		if err != nil {
			return live, err
		}
	}
	_, err = s.visible(ctx, live.org)
	return live, err
}

// visible gives the organization when its members may act in it, and otherwise
// session_ended or organization_suspended.
func (s *Service) visible(ctx context.Context, id app.OrganizationID) (app.Organization, error) {
	org, err := s.organizations.Organization(ctx, id)
	switch {
	case errors.Is(err, app.ErrNotFound) || err == nil && !org.State.Visible():
		return app.Organization{}, errSessionEnded()
	case err == nil && org.State == app.StateSuspended:
		return app.Organization{}, errSuspended()
	}
	return org, err
}
