package journal_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
)

func TestRecoverGoesThePlansWay(t *testing.T) {
	tests := []struct {
		name   string
		change func(*journal.Plan)
		found  app.OperationState
		end    app.OperationState
		did    string
	}{
		{"forward", nil, app.OperationRunning, app.OperationCompleted, "do two, do three, do four"},
		{"backward", backward, app.OperationRunning, app.OperationFailed, "undo two, undo one"},
		{"aborting, forward", nil, app.OperationAborting, app.OperationFailed, "undo two, undo one"},
		{"aborting, backward", backward, app.OperationAborting, app.OperationFailed, "undo two, undo one"},
		{"only forward", onlyForward, app.OperationRunning, app.OperationCompleted, "do two, do three, do four"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, tt.change)
			s.op.Error = "as it was"
			s.book.set(s.op, tt.found)
			if ended, err := s.run.Recover(t.Context()); ended != 1 || err != nil {
				t.Error(ended, err)
			}
			s.want(tt.end, tt.did)
			if op, _ := s.book.Operation(t.Context(), s.op.ID); op.Error != "as it was" {
				t.Errorf("the reason has become %q", op.Error)
			}
		})
	}
}

func TestRecoveringBackwardSaysWhy(t *testing.T) {
	s := newStage(t, backward)
	s.book.set(s.op, app.OperationRunning)
	if _, err := s.run.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if op, _ := s.book.Operation(t.Context(), s.op.ID); op.Error == "" {
		t.Error("an operation was undone for no reason")
	}
}

// TestWhatRecoveryUndoesIsEnded: a refusal while finishing is an end, too.
func TestWhatRecoveryUndoesIsEnded(t *testing.T) {
	s := newStage(t, nil)
	s.book.set(s.op, app.OperationRunning)
	s.fail["do three"] = errStep
	if ended, err := s.run.Recover(t.Context()); ended != 1 || err != nil {
		t.Error(ended, err)
	}
	s.want(app.OperationFailed, "do two, do three, undo two, undo one")
}

func TestRecoverGoesOnAfterAFailure(t *testing.T) {
	s := newStage(t, nil)
	unknown := app.Operation{ID: "0", Kind: "from the future", State: app.OperationRunning}
	s.book.set(unknown, app.OperationRunning)
	s.book.set(s.op, app.OperationRunning)
	ended, err := s.run.Recover(t.Context())
	if ended != 1 || err == nil || !strings.Contains(err.Error(), "from the future") {
		t.Error(ended, err)
	}
	s.want(app.OperationCompleted, "do two, do three, do four")
	if s.book.state("0") != app.OperationRunning {
		t.Error("what this version does not know was touched")
	}
	s.book.away = errors.New("away")
	if ended, err := s.run.Recover(t.Context()); ended != 0 || !errors.Is(err, s.book.away) {
		t.Error(ended, err)
	}
}

// TestRecoverLeavesAloneWhatRuns looks for open operations in the middle of
// one, and ends nothing twice.
func TestRecoverLeavesAloneWhatRuns(t *testing.T) {
	s := newStage(t, backward)
	two := &s.plan.Steps[1]
	do := two.Do
	two.Do = func(ctx context.Context, op app.Operation) error {
		if ended, err := s.run.Recover(ctx); ended != 0 || err != nil {
			t.Error("recovered what runs:", ended, err)
		}
		return do(ctx, op)
	}
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	s.want(app.OperationCompleted, "do two, do three, do four")
}

// TestAPanicLeavesItToRecovery: whoever catches it, the operation is not
// claimed for ever.
func TestAPanicLeavesItToRecovery(t *testing.T) {
	s := newStage(t, backward)
	s.plan.Steps[2].Do = func(context.Context, app.Operation) error { panic("a fault of ours") }
	func() {
		defer func() { _ = recover() }()
		_ = s.begin()
	}()
	s.want(app.OperationRunning, "do two")
	if ended, err := s.run.Recover(t.Context()); ended != 1 || err != nil {
		t.Error(ended, err)
	}
	s.want(app.OperationFailed, "undo two, undo one")
}

func TestReconcileEndsWithItsContext(t *testing.T) {
	s := newStage(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.run.Reconcile(ctx, time.Hour) // or the test does not end
}
