package relocation_test

import (
	"context"
	"sync"
	"time"

	"tenantry/app"
)

// book is the registry of one organization and its relocation, in memory.
type book struct {
	mu  sync.Mutex
	org app.Organization
	op  app.Operation
}

// registry is the book as one server sees it.
type registry struct {
	*book
	wire *wire
}

func (registry) Shared() bool { return true }

func (r registry) locked(ctx context.Context, f func() error) error {
	return send(ctx, r.wire, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		return f()
	})
}

// now is a copy of what is recorded.
func (b *book) now() (app.Organization, app.Operation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.org, copyOf(b.op)
}

func copyOf(op app.Operation) app.Operation {
	rel := *op.Relocation
	op.Relocation = &rel
	return op
}

func (r registry) Organization(ctx context.Context) (app.Organization, error) {
	return over(ctx, r.wire, func() (app.Organization, error) { org, _ := r.now(); return org, nil })
}

func (r registry) Operation(ctx context.Context, _ app.OperationID) (app.Operation, error) {
	return over(ctx, r.wire, func() (app.Operation, error) { _, op := r.now(); return op, nil })
}

func (r registry) AbortOperation(ctx context.Context, _ app.OperationID, to app.OperationState, reason string, _ time.Time) error {
	return r.locked(ctx, func() error {
		switch {
		case r.op.State.Undoing():
			return nil
		case !r.op.State.Open() || r.op.Relocation.Flips > 0:
			return app.ErrConflict
		}
		r.op.State, r.op.Error = to, reason
		return nil
	})
}

func (registry) BeginRelocation(context.Context, app.Operation) error { return app.ErrConflict }

func (r registry) NoteRelocation(ctx context.Context, op app.Operation, from int64, _ time.Time) (app.Operation, error) {
	op = copyOf(op)
	return over(ctx, r.wire, func() (app.Operation, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.op.State.Open() || r.op.Relocation.Generation != from || r.op.Relocation.Flips != op.Relocation.Flips {
			return app.Operation{}, app.ErrStale
		}
		op.State = r.op.State
		r.op = copyOf(op)
		return copyOf(op), nil
	})
}

func (r registry) FlipRelocation(ctx context.Context, op app.Operation, _ time.Time) (app.Organization, error) {
	op = copyOf(op)
	return over(ctx, r.wire, func() (app.Organization, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		switch now := r.op.Relocation; {
		case r.op.State != app.OperationRunning:
			return app.Organization{}, app.ErrConflict
		case now.Generation != op.Relocation.Generation || now.Flips+1 != op.Relocation.Flips:
			return app.Organization{}, app.ErrStale
		}
		op.State = r.op.State
		r.op = copyOf(op)
		r.org.Placement = op.Relocation.Place()
		r.org.Revision++
		return r.org, nil
	})
}

func (r registry) EndRelocation(ctx context.Context, op app.Operation, state app.OperationState, _ string, _ time.Time) error {
	op = copyOf(op)
	return r.locked(ctx, func() error {
		switch {
		case r.op.State == state:
			return nil
		case !r.op.State.Open():
			return app.ErrConflict
		case r.op.Relocation.Generation != op.Relocation.Generation || r.op.Relocation.Flips != op.Relocation.Flips:
			return app.ErrStale
		}
		r.op = op
		r.op.State = state
		r.org.Placement.Generation = op.Relocation.Generation
		return nil
	})
}
