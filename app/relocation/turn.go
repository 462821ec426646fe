package relocation

import (
	"context"
	"errors"
	"time"

	"tenantry/app"
)

// Complete records that a relocation which has switched is to be completed now,
// whatever is left of its grace period. See journal.Runner.Turn.
func (m *Mover) Complete(ctx context.Context, op *app.Operation) error {
	return m.ask(ctx, op, func(rel *app.Relocation) { rel.Completing = true })
}

// Revert records that a relocation which has switched is to be taken back.
func (m *Mover) Revert(ctx context.Context, op *app.Operation) error {
	return m.ask(ctx, op, func(rel *app.Relocation) {
		rel.Phase, rel.PhaseAt, rel.Settled = app.RelocationReverting, m.clock(), false
	})
}

func (m *Mover) ask(ctx context.Context, op *app.Operation, f func(*app.Relocation)) error {
	if err := CheckTurn(*op); err != nil {
		return err
	}
	rel := *op.Relocation
	f(&rel)
	op.Relocation, op.DueAt = &rel, time.Time{}
	_, err := m.registry.NoteRelocation(ctx, *op, rel.Generation, m.clock())
	if errors.Is(err, app.ErrStale) {
		return errNotSwitched()
	}
	return err
}

// CheckTurn says why a relocation cannot be completed or reverted now.
func CheckTurn(op app.Operation) error {
	switch {
	case !op.State.Open():
		return app.Fail(app.ErrConflict, "operation_ended", "This operation has ended already.")
	case op.Relocation == nil:
		return app.Fail(app.ErrConflict, "not_a_relocation", "Only a relocation can be completed or reverted.")
	case !op.Relocation.Revertible():
		return errNotSwitched()
	}
	return nil
}

func errNotSwitched() error {
	return app.Fail(app.ErrConflict, "relocation_not_switched",
		"This relocation has not switched yet, or is being completed or reverted already. Before it has switched it can be cancelled.")
}
