package journal

import (
	"context"
	"time"

	"tenantry/app"
)

// Direction is what becomes of an operation whose process died.
type Direction int

const (
	// Forward: what was begun is finished.
	Forward Direction = iota
	// Backward: what was begun is undone. The caller never had an answer, tries
	// again, and must not be refused by the remains of its own first try.
	Backward
)

// Step is one idempotent part of an operation.
type Step struct {
	// Name is for logs and for people.
	Name string
	// Do may be nil for what recording the operation did already.
	Do func(ctx context.Context, op app.Operation) error
	// Undo may be nil where there is nothing to undo. It must accept that Do
	// never ran or ran half.
	Undo func(ctx context.Context, op app.Operation) error
}

// Plan is how one kind of operation is done.
type Plan struct {
	Kind app.OperationKind
	// Steps are done in order and undone in reverse. The last Do completes the
	// operation; the first Undo fails it.
	Steps []Step
	// Interrupted is what recovery does with a running one.
	Interrupted Direction
	// OnlyForward: a refused step is not undone but tried again later.
	OnlyForward bool
	// Drive, in the place of steps, works on an operation that takes as long as
	// it takes, in whichever state it is, being undone included. When it returns
	// nil there is nothing to do until the operation is due. With an
	// app.ErrUnavailable it says that this server does not come on, and another
	// may: this one does not take the operation up again by itself until others
	// have had the time to. The context ends when the process stops or another
	// server takes the operation over.
	Drive func(ctx context.Context, op app.Operation) error
	// Lease is how long an operation of this kind may stand still before another
	// server takes it over; zero: as long as the others.
	Lease time.Duration
}
