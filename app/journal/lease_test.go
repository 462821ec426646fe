package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
)

// Two servers on one journal.
func TestALeaseKeepsOthersAwayUntilItStandsStill(t *testing.T) {
	const length = 60 * time.Millisecond
	s := newStage(t, nil)
	other := journal.NewRunner(s.book, app.Now, slog.New(slog.DiscardHandler), 0, s.plan)
	s.run.Share(length)
	other.Share(length)
	s.op.Lease = s.run.Lease(kind)
	s.book.set(s.op, app.OperationRunning)

	if did, err := other.Resume(t.Context(), s.op.ID); did || err != nil {
		t.Fatalf("taken over at first sight: %v (%v)", did, err)
	}
	if err := other.Cancel(t.Context(), s.op.ID, "why"); !errors.Is(err, journal.ErrNotCancellable) {
		t.Fatalf("cancelled what another works on: %v", err)
	}
	// It moves.
	time.Sleep(length)
	from, to := s.op.Lease, s.run.Lease(kind)
	if err := s.book.ClaimOperation(t.Context(), s.op.ID, from, to); err != nil {
		t.Fatal(err)
	}
	if did, err := other.Resume(t.Context(), s.op.ID); did || err != nil {
		t.Fatalf("taken over although it moved: %v (%v)", did, err)
	}
	// It stands still.
	time.Sleep(length)
	if did, err := other.Resume(t.Context(), s.op.ID); !did || err != nil {
		t.Fatalf("not taken over although it stood still: %v (%v)", did, err)
	}
	if got := s.book.state(s.op.ID); got.Open() {
		t.Fatalf("it is %s", got)
	}
}

func TestOnesOwnIsTakenUpAtOnce(t *testing.T) {
	s := newStage(t, nil)
	s.run.Share(time.Hour)
	s.op.Lease = s.run.Lease(kind)
	s.book.set(s.op, app.OperationRunning)
	if did, err := s.run.Resume(t.Context(), s.op.ID); !did || err != nil {
		t.Fatalf("not taken up: %v (%v)", did, err)
	}
}

func TestAloneThereAreNoLeases(t *testing.T) {
	s := newStage(t, nil)
	if got := s.run.Lease(kind); got != (app.Lease{}) {
		t.Fatalf("got %+v", got)
	}
}

// holding is a journal that waits where something is held, as a database does
// whose document a dead server's transaction has written.
type holding struct {
	*book
	held app.OperationID
}

func (h holding) ClaimOperation(ctx context.Context, id app.OperationID, from, to app.Lease) error {
	if id == h.held {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.book.ClaimOperation(ctx, id, from, to)
}

func TestWhatIsHeldKeepsNothingElseWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		held := app.Operation{ID: "0", Kind: kind, State: app.OperationRunning} // the first in order
		s.book.set(held, app.OperationRunning)
		s.book.set(s.op, app.OperationRunning)
		s.run = journal.NewRunner(holding{s.book, held.ID}, app.Now, slog.New(slog.DiscardHandler), 0, s.plan)
		s.run.Share(time.Minute)
		began := time.Now()
		var waited time.Duration // of the bubble's time
		do := s.plan.Steps[3].Do
		s.plan.Steps[3].Do = func(ctx context.Context, op app.Operation) error {
			waited = time.Since(began)
			return do(ctx, op)
		}
		ended, err := s.run.Recover(t.Context())
		if ended != 1 || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "operation 0") {
			t.Error(ended, err)
		}
		s.want(app.OperationCompleted, "do two, do three, do four")
		if waited != 0 {
			t.Errorf("it was ended after %s", waited)
		}
		if whole := time.Since(began); whole > 10*time.Second {
			t.Errorf("what is held was waited for for %s", whole)
		}
	})
}

// What is open and not due, no recovery looks at; whoever asks for it again and
// again takes it over all the same when its server is gone.
func TestWhatIsNotDueCanBeTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		other := journal.NewRunner(s.book, app.Now, slog.New(slog.DiscardHandler), 0, s.plan)
		s.run.Share(3 * time.Second)
		other.Share(3 * time.Second)
		s.op.Lease, s.op.DueAt = s.run.Lease(kind), app.Now().Add(time.Hour)
		s.book.set(s.op, app.OperationRunning)
		for began := time.Now(); ; time.Sleep(time.Second) {
			did, err := other.Finish(t.Context(), s.op.ID)
			if err != nil {
				t.Fatal(err)
			}
			if did {
				if after := time.Since(began); after != 3*time.Second {
					t.Errorf("it was taken over after %s", after)
				}
				return
			}
			if time.Since(began) > 10*time.Second {
				t.Fatal("it was never taken over")
			}
			if _, err := other.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A server that does not come on with what it drives leaves it to others, and
// takes it up again itself when none of them has.
func TestWhatIsLaidDownIsLeftToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const length = 3 * time.Second
		drivenBy := make(chan string, 1)
		runner := func(s *stage, name string) *journal.Runner {
			r := journal.NewRunner(s.book, app.Now, slog.New(slog.DiscardHandler), time.Second, journal.Plan{Kind: kind,
				Drive: func(context.Context, app.Operation) error {
					drivenBy <- name
					return app.Unavailable("The store", nil)
				}})
			r.Share(length)
			return r
		}
		s := newStage(t, nil)
		one, other := runner(s, "one"), runner(s, "other")
		recovers := func(r *journal.Runner) string {
			t.Helper()
			if _, err := r.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			select {
			case name := <-drivenBy:
				return name
			default:
				return ""
			}
		}
		s.book.set(s.op, app.OperationRunning)
		var running *journal.RunningError
		err := one.Turn(t.Context(), s.op.ID, func(context.Context, *app.Operation) error { return nil })
		if !errors.As(err, &running) || <-drivenBy != "one" {
			t.Fatalf("who asked for it was answered %v", err)
		}
		if by := recovers(one); by != "" {
			t.Error("it was taken up at once by who has laid it down")
		}
		if by := recovers(other); by != "other" {
			t.Errorf("it was taken up by %q", by)
		}
		time.Sleep(length + time.Millisecond)
		if by := recovers(one); by != "one" {
			t.Errorf("when nobody came on with it, it was taken up by %q", by)
		}
		one.Wait()
		other.Wait()
	})
}

// What is driven does not stand still for much longer than its lease when its
// server dies, however seldom the others look for work.
func TestWhatIsDrivenIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const length, every = 3 * time.Second, 10 * time.Second
		taken := make(chan struct{})
		s := newStage(t, nil)
		s.run.Share(length)
		s.op.Lease = s.run.Lease(kind)
		s.book.set(s.op, app.OperationRunning)
		other := journal.NewRunner(s.book, app.Now, slog.New(slog.DiscardHandler), time.Second, journal.Plan{Kind: kind,
			Drive: func(_ context.Context, op app.Operation) error {
				close(taken)
				s.book.set(op, app.OperationCompleted)
				return nil
			}})
		other.Share(length)
		ctx, stop := context.WithCancel(t.Context())
		var reconciling sync.WaitGroup
		reconciling.Go(func() { other.Reconcile(ctx, every) })
		from := s.op.Lease
		for range 15 { // it is worked on
			to := s.run.Lease(kind)
			if err := s.book.ClaimOperation(ctx, s.op.ID, from, to); err != nil {
				t.Fatal(err)
			}
			from = to
			time.Sleep(time.Second)
		}
		died := time.Now()
		<-taken
		if after := time.Since(died); after > length+time.Second/2 {
			t.Errorf("it was taken over after %v", after)
		}
		stop()
		reconciling.Wait()
		other.Wait()
	})
}
