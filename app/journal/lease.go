package journal

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"tenantry/app"
)

// leases is what a runner knows of who works on which operation, where several
// servers run them. Nobody's clock is compared with another's: an operation is
// taken over when its lease has stood still, before the eyes of who takes it,
// for as long as leases are given. A server that was only slow loses nothing by
// it, since steps can be done twice.
type leases struct {
	holder string // this runner
	length time.Duration
	seen   map[app.OperationID]sighting
	// laidDown are operations that this runner does not come on with, and until
	// when it leaves them to others.
	laidDown map[app.OperationID]time.Time
}

// claimTimeout bounds one try to take an operation over. It is one write; who
// waits longer waits for what a dead server's transaction holds, and tries
// again later.
const claimTimeout = 5 * time.Second

// sightingKept is how long a sighting is kept of what nobody looks at any more.
const sightingKept = time.Minute

type sighting struct {
	lease app.Lease
	since time.Time // by the monotonic clock, as looked
	// looked is when somebody looked last.
	looked time.Time
}

// Share tells the runner that others run operations of the same journal. An
// operation that none of them has worked on for the length of a lease is taken
// over. Call it before anything runs.
func (r *Runner) Share(length time.Duration) {
	r.leases = &leases{holder: uuid.NewString(), length: length, seen: make(map[app.OperationID]sighting), laidDown: make(map[app.OperationID]time.Time)}
}

// Lease is what a new operation of a kind is recorded with: the runner's own
// claim, or none where nobody else could make one.
func (r *Runner) Lease(kind app.OperationKind) app.Lease {
	if r.leases == nil {
		return app.Lease{}
	}
	return app.Lease{Holder: r.leases.holder, Until: r.clock().Add(r.leaseOf(kind))}
}

func (r *Runner) leaseOf(kind app.OperationKind) time.Duration {
	if length := r.plans[kind].Lease; length > 0 {
		return length
	}
	return r.leases.length
}

// take claims an open operation that nobody works on, and reports whether it
// did. The caller has the claim within this process.
func (r *Runner) take(ctx context.Context, op *app.Operation) (bool, error) {
	if r.leases == nil {
		return true, nil
	}
	if !r.standsStill(*op) {
		return false, nil
	}
	lease := r.Lease(op.Kind)
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	err := r.journal.ClaimOperation(ctx, op.ID, op.Lease, lease)
	if errors.Is(err, app.ErrStale) || errors.Is(err, app.ErrNotFound) {
		return false, nil
	}
	op.Lease = lease
	return err == nil, err
}

func (r *Runner) standsStill(op app.Operation) bool {
	if op.Lease.Holder == "" || op.Lease.Holder == r.leases.holder {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	seen, known := r.leases.seen[op.ID]
	if !known || seen.lease != op.Lease {
		seen = sighting{lease: op.Lease, since: now}
	}
	seen.looked = now
	r.leases.seen[op.ID] = seen
	return now.Sub(seen.since) >= r.leaseOf(op.Kind)
}

// layDown leaves an operation to others, for as long as it takes them to see
// that nobody works on it.
func (r *Runner) layDown(op app.Operation) {
	if r.leases == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leases.laidDown[op.ID] = time.Now().Add(r.leaseOf(op.Kind))
}

// left reports whether this runner leaves an operation to others for now.
func (r *Runner) left(id app.OperationID) bool {
	if r.leases == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	until, is := r.leases.laidDown[id]
	if is && time.Now().After(until) {
		delete(r.leases.laidDown, id)
		return false
	}
	return is
}

// forget drops what was seen of operations that are not in the list, unless
// somebody else has just looked at them: one that is not due is not listed, and
// may be waited for to be turned.
func (r *Runner) forget(open []app.Operation) {
	if r.leases == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	listed := make(map[app.OperationID]bool, len(open))
	for _, op := range open {
		listed[op.ID] = true
	}
	for id, seen := range r.leases.seen {
		if !listed[id] && time.Since(seen.looked) > sightingKept {
			delete(r.leases.seen, id)
		}
	}
	for id := range r.leases.laidDown {
		if !listed[id] {
			delete(r.leases.laidDown, id)
		}
	}
}

// holding renews the lease while the operation is worked on, until the
// returned function is called, which gives the lease as it is then. One that
// ends soon costs no write. lost is called when the operation has ended or
// another has taken it over.
func (r *Runner) holding(ctx context.Context, op app.Operation, lost func()) (done func() app.Lease) {
	if r.leases == nil {
		return func() app.Lease { return op.Lease }
	}
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(r.leaseOf(op.Kind) / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			next := r.Lease(op.Kind)
			err := r.journal.ClaimOperation(ctx, op.ID, op.Lease, next)
			switch {
			case err == nil:
				op.Lease = next
			case errors.Is(err, app.ErrStale), errors.Is(err, app.ErrNotFound):
				lost()
				return
			}
		}
	}()
	return func() app.Lease {
		cancel()
		<-stopped
		return op.Lease
	}
}
