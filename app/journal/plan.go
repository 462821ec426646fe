package journal

import (
	"context"

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
}
