package web

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// limiter bounds requests per address by the generic cell rate algorithm: an
// address has one time, until which its requests are paid for.
type limiter struct {
	cost   time.Duration // of one request
	burst  time.Duration // what may be owed
	limit  int
	seed   maphash.Seed
	shards [limiterShards]limiterShard
}

const limiterShards = 16

type limiterShard struct {
	mu   sync.Mutex
	max  int
	paid map[netip.Addr]time.Time
}

// verdict is what the RateLimit headers say.
type verdict struct {
	ok        bool
	limit     int
	remaining int
	reset     time.Duration // until all is allowed again
	retry     time.Duration // until the next is allowed, when not ok
}

func newLimiter(o RateLimit) *limiter {
	if !o.Enabled {
		return nil
	}
	l := &limiter{
		cost:  max(1, o.Window/time.Duration(o.Requests)),
		limit: o.Requests,
		seed:  maphash.MakeSeed(),
	}
	l.burst = l.cost * time.Duration(o.Requests)
	for i := range l.shards {
		l.shards[i].max = (o.MaxAddresses + limiterShards - 1) / limiterShards
		l.shards[i].paid = make(map[netip.Addr]time.Time)
	}
	return l
}

// take counts a request of the address.
func (l *limiter) take(addr netip.Addr, now time.Time) verdict {
	key := limiterKey(addr)
	s := &l.shards[maphash.Comparable(l.seed, key)%limiterShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	paid, known := s.paid[key]
	if paid.Before(now) {
		paid = now
	}
	v := verdict{limit: l.limit}
	next := paid.Add(l.cost)
	if over := next.Sub(now) - l.burst; over > 0 {
		v.retry, v.reset = over, paid.Sub(now)
		return v
	}
	if !known && len(s.paid) >= s.max {
		s.makeRoom(now)
	}
	s.paid[key] = next
	v.ok, v.reset = true, next.Sub(now)
	v.remaining = int((l.burst - v.reset) / l.cost)
	return v
}

// makeRoom looks at a few addresses and removes those that owe nothing, or,
// where all do, one of them: memory is bounded, and who comes from that many
// addresses is not stopped by counting per address.
func (s *limiterShard) makeRoom(now time.Time) {
	looked, removed := 0, false
	var last netip.Addr
	for addr, paid := range s.paid {
		last = addr
		if paid.Before(now) {
			delete(s.paid, addr)
			removed = true
		}
		if looked++; looked == 32 {
			break
		}
	}
	if !removed {
		delete(s.paid, last)
	}
}

// limiterKey is the address, or for IPv6 its /64: one customer's line has at
// least that many.
func limiterKey(addr netip.Addr) netip.Addr {
	if addr.Is6() && !addr.Is4In6() {
		prefix, err := addr.WithZone("").Prefix(64)
		if err == nil {
			return prefix.Addr()
		}
	}
	return addr.Unmap()
}
