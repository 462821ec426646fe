package mongodb

import (
	"context"
	"errors"
	"sync"
	"time"

	"tenantry/app"
)

const (
	// lookAgain is how often a server that knows its registry to be closed looks
	// whether it still is.
	lookAgain = time.Second
	// lookTimeout bounds a look at what a refusal means.
	lookTimeout = 3 * time.Second
)

// seenMark is what this server knows of the registry's mark.
type seenMark struct {
	mu     sync.Mutex
	closed error // nil while it is open
	at     time.Time
}

func (s *seenMark) get() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// set notes what was seen. It reports whether it was not known that the registry
// is open or closed, and whether there is something else to say of it, such as
// that it has been moved by now.
func (s *seenMark) set(closed error) (turned, news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	turned = (s.closed == nil) != (closed == nil)
	news = turned || closed != nil && errors.Unwrap(closed).Error() != errors.Unwrap(s.closed).Error()
	s.closed, s.at = closed, time.Now()
	return turned, news
}

// due reports whether it is time to look again, for the one who asks first.
func (s *seenMark) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil || time.Since(s.at) < lookAgain {
		return false
	}
	s.at = time.Now()
	return true
}

// lookAtMark finds out whether the registry is open.
func (r *Registry) lookAtMark(ctx context.Context) error {
	m, err := r.Mark(ctx)
	if err != nil {
		return err
	}
	closed := closedTo(m)
	if closed == nil {
		newer, err := r.shutOut(ctx)
		if err != nil {
			return err
		}
		if newer != nil {
			closed = closedBecause(newer, "This server runs an older version of the program than the one that the registry was brought up to date by. "+
				"Its operator must install tenantry "+newer.Wrote+" or newer.")
		}
	}
	turned, news := r.mark.set(closed)
	switch {
	case news && closed != nil:
		r.log.Error("the registry is closed to this server", "error", errors.Unwrap(closed))
	case news:
		r.log.Info("the registry is open to this server again")
	}
	if turned {
		r.publish(app.Invalidation{Everything: true})
	}
	return nil
}

// closedTo is what callers are told while the registry is not open, or nil.
func closedTo(m app.RegistryMark) error {
	closed := m.Closed()
	if closed == nil {
		return nil
	}
	return closedBecause(closed, "The registry is closed to this server: it is being moved to another place, or was. Ask the operator.")
}

// Closed says why nothing can be done with the registry, or nil. It is asked
// before each call: see package circuit. While it is not known whether the
// registry is open, since nothing was heard for a lease, it looks.
func (r *Registry) Closed() error {
	if r.feed.fresh() && !r.mark.due() {
		return r.mark.get()
	}
	// It may take as long as the call that waits for it could: where there is no
	// primary for a moment, one waits for the other.
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
	defer cancel()
	if err := r.lookAtMark(ctx); err != nil {
		return err
	}
	return r.mark.get()
}

// translate turns a driver's error into one of package app's. What a validator
// refused was sent to a registry that has been closed.
func (r *Registry) translate(err error) error {
	if err == nil || !hasCode(err, codeInvalid) {
		return r.server.translate(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	if look := r.lookAtMark(ctx); look != nil {
		return errors.Join(look, err)
	}
	if closed := r.mark.get(); closed != nil {
		return closed
	}
	return r.server.translate(err)
}
