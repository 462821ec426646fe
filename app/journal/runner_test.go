package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/journal"
)

func TestRun(t *testing.T) {
	s := newStage(t, nil)
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	s.want(app.OperationCompleted, "do two, do three, do four")
	if ended, err := s.run.Recover(t.Context()); ended != 0 || err != nil {
		t.Error(ended, err)
	}
	s.want(app.OperationCompleted, "")
}

func TestWhatCannotBeginIsNotRun(t *testing.T) {
	s := newStage(t, nil)
	err := s.run.Run(t.Context(), s.plan, s.op, func(context.Context) error { return errStep })
	if err != errStep { //nolint:errorlint // it is promised as it is
		t.Errorf("got %v", err)
	}
	s.want("", "")
}

func TestARefusedStepIsUndone(t *testing.T) {
	for step, did := range map[string]string{
		"do two":   "do two, undo two, undo one",
		"do three": "do two, do three, undo two, undo one",
		"do four":  "do two, do three, do four, undo two, undo one",
	} {
		s := newStage(t, nil)
		s.fail[step] = errStep
		err := s.begin()
		var pending *journal.PendingError
		if !errors.Is(err, errStep) || errors.As(err, &pending) {
			t.Errorf("%s: %v", step, err)
		}
		s.want(app.OperationFailed, did)
	}
}

func TestWhatCannotBeUndoneIsPending(t *testing.T) {
	s := newStage(t, nil)
	s.fail["do three"], s.fail["undo two"] = errStep, errors.New("away")
	err := s.begin()
	var pending *journal.PendingError
	if !errors.As(err, &pending) || pending.Operation != s.op.ID || !errors.Is(err, errStep) {
		t.Fatalf("got %v", err)
	}
	s.want(app.OperationAborting, "do two, do three, undo two")
	// Once begun, undoing is not turned back, whatever the plan says.
	if ended, err := s.run.Recover(t.Context()); ended != 0 || err == nil {
		t.Error(ended, err)
	}
	s.want(app.OperationAborting, "undo two")
	delete(s.fail, "undo two")
	if ended, err := s.run.Recover(t.Context()); ended != 1 || err != nil {
		t.Error(ended, err)
	}
	s.want(app.OperationFailed, "undo two, undo one")
}

func TestWhatGoesOnlyForwardIsPending(t *testing.T) {
	s := newStage(t, onlyForward)
	s.fail["do three"] = errStep
	err := s.begin()
	var pending *journal.PendingError
	if !errors.As(err, &pending) || !errors.Is(err, errStep) || !strings.Contains(err.Error(), string(s.op.ID)) {
		t.Fatalf("got %v", err)
	}
	s.want(app.OperationRunning, "do two, do three")
	if ended, err := s.run.Recover(t.Context()); ended != 0 || !errors.Is(err, errStep) {
		t.Error(ended, err)
	}
	s.want(app.OperationRunning, "do two, do three")
	delete(s.fail, "do three")
	if ended, err := s.run.Recover(t.Context()); ended != 1 || err != nil {
		t.Error(ended, err)
	}
	s.want(app.OperationCompleted, "do two, do three, do four")
}

func TestAnUnheardAnswerIsAsked(t *testing.T) {
	for name, change := range map[string]func(*journal.Plan){"both ways": nil, "only forward": onlyForward} {
		s := newStage(t, change)
		last := &s.plan.Steps[3]
		do := last.Do
		last.Do = func(ctx context.Context, op app.Operation) error {
			return errors.Join(do(ctx, op), errors.New("the answer was lost"))
		}
		if err := s.begin(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s.want(app.OperationCompleted, "do two, do three, do four")
	}
}

// unread is a book that cannot be read the first time.
type unread struct {
	*book
	asked bool
}

func (u *unread) Operation(ctx context.Context, id app.OperationID) (app.Operation, error) {
	if !u.asked {
		u.asked = true
		return app.Operation{}, app.ErrUnavailable
	}
	return u.book.Operation(ctx, id)
}

// The answer to the last step is lost, and the journal is away when it is asked:
// the act is done, and its caller is told so.
func TestAnUnheardAnswerIsAskedAgain(t *testing.T) {
	s := newStage(t, nil)
	last := &s.plan.Steps[3]
	do := last.Do
	last.Do = func(ctx context.Context, op app.Operation) error {
		return errors.Join(do(ctx, op), errors.New("the answer was lost"))
	}
	s.run = journal.NewRunner(&unread{book: s.book}, app.Now, slog.New(slog.DiscardHandler), 0, s.plan)
	if err := s.begin(); err != nil {
		t.Error(err)
	}
	s.want(app.OperationCompleted, "do two, do three, do four")
}

// TestAnActOutlivesItsRequest cancels the request in the middle.
func TestAnActOutlivesItsRequest(t *testing.T) {
	s := newStage(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	two := &s.plan.Steps[1]
	do := two.Do
	two.Do = func(ctx context.Context, op app.Operation) error {
		cancel()
		if ctx.Err() != nil {
			t.Error("the request's end reached a step")
		}
		return do(ctx, op)
	}
	err := s.run.Run(ctx, s.plan, s.op, func(context.Context) error {
		s.book.set(s.op, app.OperationRunning)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.want(app.OperationCompleted, "do two, do three, do four")
}
