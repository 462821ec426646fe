// Package cache keeps what was read from the registry until the registry says
// that it changed.
//
// The registry's invalidations (app.Registry.Subscribe) arrive before the
// change that caused them is answered, so whoever has been told of a change
// never sees what was before it.
package cache

import (
	"context"
	"hash/maphash"
	"sync"
)

const shards = 16

// Cache holds up to a bounded number of values. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	seed    maphash.Seed
	trusted func() bool
	worth   func(V) bool // nil: all are
	shards  [shards]shard[K, V]
}

type shard[K comparable, V any] struct {
	mu      sync.RWMutex
	max     int
	entries map[K]V
	// drops counts invalidations, so that a value read before one is not kept
	// after it.
	drops uint64
}

// New makes a cache for up to about max values. While trusted says no, values
// are loaded each time: invalidations are late, and what is kept may be old. It
// is still right once they have come. When a part of it is full, an
// arbitrary value of that part goes: cheaper than keeping an order, and a hot
// value is back with the next request.
func New[K comparable, V any](max int, trusted func() bool) *Cache[K, V] {
	c := &Cache[K, V]{seed: maphash.MakeSeed(), trusted: trusted}
	for i := range c.shards {
		c.shards[i].max = (max + shards - 1) / shards
		c.shards[i].entries = make(map[K]V)
	}
	return c
}

// Keeping makes the cache keep only values for which worth says yes: it counts
// values, and a few large ones must not fill the memory. It returns c, and must
// come before any use.
func (c *Cache[K, V]) Keeping(worth func(V) bool) *Cache[K, V] {
	c.worth = worth
	return c
}

func (c *Cache[K, V]) shard(key K) *shard[K, V] {
	return &c.shards[maphash.Comparable(c.seed, key)%shards]
}

// Get gives the kept value or what load returns, and keeps that unless it is
// an error or the key was dropped while it loaded.
func (c *Cache[K, V]) Get(ctx context.Context, key K, load func(context.Context) (V, error)) (V, error) {
	s := c.shard(key)
	s.mu.RLock()
	v, ok := s.entries[key]
	before := s.drops
	s.mu.RUnlock()
	if ok && c.trusted() {
		return v, nil
	}
	v, err := load(ctx)
	if err == nil {
		c.keep(s, key, v, before)
	}
	return v, err
}

// keep keeps a value that was read when the shard had seen so many drops.
func (c *Cache[K, V]) keep(s *shard[K, V], key K, v V, before uint64) {
	if c.worth != nil && !c.worth(v) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drops == before {
		s.put(key, v)
	}
}

// Reading is for a read that is about to begin and brings the key's value
// beside others: keep keeps that unless the key was dropped meanwhile.
func (c *Cache[K, V]) Reading(key K) (keep func(V)) {
	s := c.shard(key)
	s.mu.RLock()
	before := s.drops
	s.mu.RUnlock()
	return func(v V) { c.keep(s, key, v, before) }
}

// Peek gives the kept value without loading.
func (c *Cache[K, V]) Peek(key K) (V, bool) {
	s := c.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.entries[key]
	if !ok || !c.trusted() {
		var none V
		return none, false
	}
	return v, true
}

// Put keeps a value that no invalidation concerns.
func (c *Cache[K, V]) Put(key K, v V) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(key, v)
}

func (s *shard[K, V]) put(key K, v V) {
	if _, there := s.entries[key]; !there && len(s.entries) >= s.max {
		for victim := range s.entries {
			delete(s.entries, victim)
			break
		}
	}
	s.entries[key] = v
}

// Drop forgets the key, and what is being loaded for it now.
func (c *Cache[K, V]) Drop(key K) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, key)
	s.drops++
}

// DropIf forgets every value for which f says so, and what is being loaded now.
func (c *Cache[K, V]) DropIf(f func(K, V) bool) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for k, v := range s.entries {
			if f(k, v) {
				delete(s.entries, k)
			}
		}
		s.drops++
		s.mu.Unlock()
	}
}

// Clear forgets everything, and what is being loaded now.
func (c *Cache[K, V]) Clear() {
	c.DropIf(func(K, V) bool { return true })
}

// Len counts the values kept.
func (c *Cache[K, V]) Len() int {
	n := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}
