package identity

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tenantry/app"
	"tenantry/app/cache"
)

const (
	keptOperatorKeys = 1024
	// useEvery is how often at most a key's last use is written down.
	useEvery = time.Minute
)

// operatorKeys looks operator keys up and notes when they were used.
type operatorKeys struct {
	registry operatorRegistry
	kept     *cache.Cache[[32]byte, *knownKey] // by hash

	mu   sync.Mutex
	used map[app.OperatorKeyID]time.Time // not written down yet
}

type knownKey struct {
	app.OperatorKey
	noted atomic.Int64 // the last use that was noted, in Unix milliseconds
}

// operatorRegistry is what operatorKeys reads and writes.
type operatorRegistry interface {
	app.OperatorKeys
	Trusted() bool
}

func newOperatorKeys(registry operatorRegistry) *operatorKeys {
	return &operatorKeys{
		registry: registry,
		kept:     cache.New[[32]byte, *knownKey](keptOperatorKeys, registry.Trusted),
		used:     make(map[app.OperatorKeyID]time.Time),
	}
}

func (o *operatorKeys) invalidate(i app.Invalidation) {
	if i.Everything {
		o.kept.Clear()
	}
	if i.OperatorKey != "" {
		o.kept.DropIf(func(_ [32]byte, k *knownKey) bool { return k.ID == i.OperatorKey })
	}
}

// find gives the key with this secret, or app.ErrNotFound. It is found by its
// hash, so how long that takes tells nothing of the secret.
func (o *operatorKeys) find(ctx context.Context, secret string) (*knownKey, error) {
	hash := [32]byte(hashToken(secret))
	if k, kept := o.kept.Peek(hash); kept {
		return k, nil
	}
	return o.kept.Get(ctx, hash, func(ctx context.Context) (*knownKey, error) {
		k, err := o.registry.OperatorKeyByHash(ctx, hash[:])
		known := &knownKey{OperatorKey: k}
		if !k.LastUsedAt.IsZero() {
			known.noted.Store(k.LastUsedAt.UnixMilli())
		}
		return known, err
	})
}

// note remembers a use, at most one a minute, to be written down by flush.
func (o *operatorKeys) note(k *knownKey, now time.Time) {
	last := k.noted.Load()
	if now.UnixMilli()-last < useEvery.Milliseconds() || !k.noted.CompareAndSwap(last, now.UnixMilli()) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.used[k.ID] = now
}

// flush writes the noted uses down. What fails is tried again with the next.
func (o *operatorKeys) flush(ctx context.Context) error {
	o.mu.Lock()
	used := o.used
	o.used = make(map[app.OperatorKeyID]time.Time)
	o.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	err := o.registry.TouchOperatorKeys(ctx, used)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		for id, at := range used {
			o.used[id] = app.Later(at, o.used[id])
		}
	}
	return err
}

// authenticateKey is Authenticate for operator keys.
func (s *Service) authenticateKey(ctx context.Context, secret string) (app.Actor, error) {
	if !wellFormedKey(secret) {
		return app.Actor{}, errKeyInvalid()
	}
	k, err := s.operator.find(ctx, secret)
	if errors.Is(err, app.ErrNotFound) {
		return app.Actor{}, errKeyInvalid()
	}
	if err != nil {
		return app.Actor{}, err
	}
	now := s.clock()
	if !k.RevokedAt.IsZero() || !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) {
		return app.Actor{}, errKeyInvalid()
	}
	s.operator.note(k, now)
	return app.Actor{Kind: app.AsOperator, KeyID: k.ID}, nil
}
