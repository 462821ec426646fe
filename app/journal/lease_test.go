package journal_test

import (
	"errors"
	"log/slog"
	"testing"
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
	s.op.Lease = s.run.Lease()
	s.book.set(s.op, app.OperationRunning)

	if did, err := other.Resume(t.Context(), s.op.ID); did || err != nil {
		t.Fatalf("taken over at first sight: %v (%v)", did, err)
	}
	if err := other.Cancel(t.Context(), s.op.ID, "why"); !errors.Is(err, journal.ErrNotCancellable) {
		t.Fatalf("cancelled what another works on: %v", err)
	}
	// It moves.
	time.Sleep(length)
	from, to := s.op.Lease, s.run.Lease()
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
	s.op.Lease = s.run.Lease()
	s.book.set(s.op, app.OperationRunning)
	if did, err := s.run.Resume(t.Context(), s.op.ID); !did || err != nil {
		t.Fatalf("not taken up: %v (%v)", did, err)
	}
}

func TestAloneThereAreNoLeases(t *testing.T) {
	s := newStage(t, nil)
	if got := s.run.Lease(); got != (app.Lease{}) {
		t.Fatalf("got %+v", got)
	}
}
