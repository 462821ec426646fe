package relocation

import "time"

// How long writes are held.
//
// What is promised is twice the lease and a second, or cutover_timeout where
// that is less. It is cut like this:
//
//	0          switchBy             thawBy    bound
//	├─────────────┼───────────────────┼─────────┤
//	│ frozen, the rest is copied, compared      │
//	│             ├─ one lease, and the flip and the opening of the target (opening)
//	│             │  copying may go on, to have less to copy the next time
//	│             │                   ├─ letting writes through again (thawing)
//
// A freeze ends at thawBy by itself, whatever is still under way then: writes
// are let through, and only after that it is waited for. Nothing is switched
// that would not be through by the bound, as fast as the stores have just been.
const (
	promise = time.Second
	opening = 700 * time.Millisecond
	thawing = 700 * time.Millisecond
)

// bound is for how long writes are held at most.
func (m *Mover) bound() time.Duration {
	return min(2*m.cfg.PlacementLease+promise, m.cfg.CutoverTimeout)
}

// lapsing is how long after a flip not every server has heard of it.
func (m *Mover) lapsing() time.Duration {
	if !m.registry.Shared() {
		return 0 // nobody else, and this one heard at once
	}
	return m.cfg.PlacementLease
}

// switchBy is for how long writes have been held at most when the registry is
// told of the new place.
func (m *Mover) switchBy() time.Duration {
	return max(m.bound()-m.lapsing()-opening, m.bound()/8)
}

// thawBy is for how long writes have been held at most when they are let through
// again where they were.
func (m *Mover) thawBy() time.Duration {
	return max(m.bound()-thawing, m.switchBy())
}

// inTime reports whether what was frozen then can be switched now. What is still
// to be done takes as long as the like of it took just now.
func (r *run) inTime(began time.Time) bool {
	held := time.Since(began)
	return held <= r.m.switchBy() && held+r.m.lapsing()+r.noting()+r.turning <= r.m.bound()
}
