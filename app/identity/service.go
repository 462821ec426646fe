package identity

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tenantry/app"
	"tenantry/app/seal"
)

// Registry is what identity reads and writes.
type Registry interface {
	app.Users
	app.Sessions
	app.OperatorKeys
	app.SigningKeys
	Subscribe(func(app.Invalidation))
	Trusted() bool
}

// Organizations reads organizations in every state, through a cache that is
// true when it answers.
type Organizations interface {
	// Organization gives app.ErrNotFound for an unknown one.
	Organization(ctx context.Context, id app.OrganizationID) (app.Organization, error)
	// Reading is called before a read that brings an organization and a user's
	// role there, and the function that it gives after it.
	Reading(org app.OrganizationID, user app.UserID) (keep func(app.Organization, app.Role))
}

// Service signs people in and says who somebody is. It is safe for concurrent
// use.
type Service struct {
	cfg           Config
	registry      Registry
	organizations Organizations
	clock         app.Clock
	log           *slog.Logger

	hasher   *hasher
	keys     *keyring
	tokens   *tokenCache
	sessions *liveSessions
	operator *operatorKeys
	refresh  refreshTokens

	stop       context.CancelFunc
	background sync.WaitGroup
}

// New starts the service: it reads the signing keys, makes the first one, and
// begins the work in the background, which goes on until Close. The context
// bounds the start alone. The error says when key is not the seal key that the
// registry's keys were sealed with.
func New(ctx context.Context, registry Registry, organizations Organizations, key seal.Key, cfg Config,
	clock app.Clock, log *slog.Logger,
) (*Service, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	keys, err := openKeyring(ctx, registry, key, cfg, clock, log)
	if err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	running, stop := context.WithCancel(context.Background())
	s := &Service{
		cfg: cfg, registry: registry, organizations: organizations, clock: clock, log: log, stop: stop,
		hasher:   newHasher(cfg, log),
		keys:     keys,
		tokens:   newTokenCache(),
		sessions: newLiveSessions(registry, organizations),
		operator: newOperatorKeys(registry),
		refresh:  newRefreshTokens(key),
	}
	registry.Subscribe(func(i app.Invalidation) {
		s.sessions.invalidate(i)
		s.operator.invalidate(i)
	})
	s.background.Go(func() { s.keep(running) })
	return s, nil
}

// Close ends the work in the background and writes down what is still to be.
// Requests that wait for a password are refused.
func (s *Service) Close() {
	s.stop()
	s.hasher.Close()
	s.background.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.operator.flush(ctx); err != nil {
		s.log.Warn("the last uses of operator keys were not recorded", "error", err)
	}
}

// HashStats gives the figures of the password threads.
func (s *Service) HashStats() HashStats { return s.hasher.Stats() }
