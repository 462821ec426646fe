package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
)

// impatient makes the stage's runner wait for a second only.
func (s *stage) impatient() {
	s.run = journal.NewRunner(s.book, app.Now, slog.New(slog.DiscardHandler), time.Second, s.plan)
}

// slow makes a step take longer than the runner waits.
func (s *stage) slow(step int, then func()) {
	do := s.plan.Steps[step].Do
	s.plan.Steps[step].Do = func(ctx context.Context, op app.Operation) error {
		time.Sleep(3 * time.Second) // of the bubble's time
		if then != nil {
			then()
		}
		return do(ctx, op)
	}
}

func TestWhatTakesLongGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		s.slow(1, nil)
		s.impatient()
		err := s.begin()
		var running *journal.RunningError
		if !errors.As(err, &running) || running.Operation != s.op.ID {
			t.Fatalf("got %v", err)
		}
		if ended, err := s.run.Recover(t.Context()); ended != 0 || err != nil {
			t.Error("recovered what runs:", ended, err)
		}
		if err := s.run.Cancel(t.Context(), s.op.ID, "no"); !errors.Is(err, journal.ErrNotCancellable) {
			t.Error("cancelled what is being worked on:", err)
		}
		s.run.Wait()
		s.want(app.OperationCompleted, "do two, do three, do four")
	})
}

func TestWhatTakesLongAndIsRefusedIsUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		s.fail["do three"] = errStep
		s.slow(1, nil)
		s.impatient()
		var running *journal.RunningError
		if err := s.begin(); !errors.As(err, &running) {
			t.Fatalf("got %v", err)
		}
		s.run.Wait()
		s.want(app.OperationFailed, "do two, do three, undo two, undo one")
	})
}

func TestWhatEndsInTimeIsAnswered(t *testing.T) {
	for name, want := range map[string]error{"done": nil, "refused": errStep} {
		s := newStage(t, nil)
		s.fail["do four"] = want
		s.impatient()
		if err := s.begin(); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		s.run.Wait()
	}
	s := newStage(t, nil)
	s.impatient()
	if err := s.run.Run(t.Context(), s.plan, s.op, func(context.Context) error { return errStep }); !errors.Is(err, errStep) {
		t.Errorf("what cannot begin: %v", err)
	}
	s.want("", "")
}

// TestAPanicInTheBackgroundIsNoCrash: nobody else would catch it there.
func TestAPanicInTheBackgroundIsNoCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, backward)
		s.slow(1, func() { panic("a fault of ours") })
		s.impatient()
		_ = s.begin()
		s.run.Wait()
		s.want(app.OperationRunning, "")
		if ended, err := s.run.Recover(t.Context()); ended != 1 || err != nil {
			t.Error(ended, err)
		}
		s.want(app.OperationFailed, "undo two, undo one")
	})
}

func TestCancel(t *testing.T) {
	s := newStage(t, nil)
	s.fail["do three"], s.fail["undo two"] = errStep, errStep
	_ = s.begin()
	s.did = nil
	var pending *journal.PendingError
	if err := s.run.Cancel(t.Context(), s.op.ID, "enough"); !errors.As(err, &pending) {
		t.Errorf("what cannot be undone now: %v", err)
	}
	// It was failing before somebody gave it up, and stays that.
	s.want(app.OperationAborting, "undo two")

	s = newStage(t, nil)
	s.book.set(s.op, app.OperationRunning) // a server died
	if err := s.run.Cancel(t.Context(), s.op.ID, "enough"); err != nil {
		t.Error(err)
	}
	if op, _ := s.book.Operation(t.Context(), s.op.ID); op.Error != "enough" {
		t.Errorf("the reason is %q", op.Error)
	}
	s.did = nil
	for _, state := range []app.OperationState{app.OperationCompleted, app.OperationFailed, app.OperationCancelled} {
		s.book.set(s.op, state)
		if err := s.run.Cancel(t.Context(), s.op.ID, "enough"); !errors.Is(err, app.ErrConflict) {
			t.Errorf("what is %s: %v", state, err)
		}
		s.want(state, "")
	}
	if err := s.run.Cancel(t.Context(), "unknown", ""); !errors.Is(err, app.ErrNotFound) {
		t.Error(err)
	}
	s = newStage(t, onlyForward)
	s.book.set(s.op, app.OperationRunning)
	if err := s.run.Cancel(t.Context(), s.op.ID, ""); !errors.Is(err, journal.ErrNotCancellable) {
		t.Errorf("what goes only forward: %v", err)
	}
	s.want(app.OperationRunning, "")
}

// TestWhatIsNotDueWaits: recovery leaves alone what is to be done later, and
// Finish does not.
func TestWhatIsNotDueWaits(t *testing.T) {
	s := newStage(t, onlyForward)
	s.op.DueAt = app.Now().Add(time.Hour)
	s.book.set(s.op, app.OperationRunning)
	if ended, err := s.run.Recover(t.Context()); ended != 0 || err != nil {
		t.Error("recovered too early:", ended, err)
	}
	if did, err := s.run.Resume(t.Context(), s.op.ID); did || err != nil {
		t.Error("resumed too early:", did, err)
	}
	s.want(app.OperationRunning, "")
	s.fail["do three"] = errStep
	var pending *journal.PendingError
	if did, err := s.run.Finish(t.Context(), s.op.ID); did || !errors.As(err, &pending) {
		t.Error("what cannot be finished now:", did, err)
	}
	s.want(app.OperationRunning, "do two, do three")
	delete(s.fail, "do three")
	if did, err := s.run.Finish(t.Context(), s.op.ID); !did || err != nil {
		t.Error(did, err)
	}
	s.want(app.OperationCompleted, "do two, do three, do four")
	if did, err := s.run.Finish(t.Context(), s.op.ID); did || err != nil {
		t.Error("finished twice:", did, err)
	}
	s.want(app.OperationCompleted, "")
}

func TestRefusalsAreNoted(t *testing.T) {
	s := newStage(t, onlyForward)
	s.fail["do three"] = errStep
	_ = s.begin()
	_, _ = s.run.Recover(t.Context())
	op, err := s.book.Operation(t.Context(), s.op.ID)
	if err != nil || op.Step != "three" || op.Attempts != 2 {
		t.Errorf("%+v, %v", op, err)
	}
	if got := s.run.Steps(kind); !reflect.DeepEqual(got, []string{"one", "two", "three", "four"}) {
		t.Errorf("the steps are %q", got)
	}
	if got := s.run.Steps("unknown"); len(got) != 0 {
		t.Errorf("the steps of what is not known are %q", got)
	}
}
