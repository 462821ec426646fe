package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
)

// book is a journal in memory; the real ones pass the conformance suite.
type book struct {
	app.Journal
	mu   sync.Mutex
	ops  map[app.OperationID]app.Operation
	away error // what every call answers, if set
}

func newBook() *book { return &book{ops: map[app.OperationID]app.Operation{}} }

func (b *book) Operation(_ context.Context, id app.OperationID) (app.Operation, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	op, there := b.ops[id]
	switch {
	case b.away != nil:
		return app.Operation{}, b.away
	case !there:
		return app.Operation{}, app.ErrNotFound
	}
	return op, nil
}

func (b *book) OpenOperations(_ context.Context, due time.Time) ([]app.Operation, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away != nil {
		return nil, b.away
	}
	var open []app.Operation
	for _, op := range b.ops {
		if op.Due(due) {
			open = append(open, op)
		}
	}
	slices.SortFunc(open, func(a, b app.Operation) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return open, nil
}

func (b *book) AbortOperation(_ context.Context, id app.OperationID, to app.OperationState, reason string, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away != nil {
		return b.away
	}
	op := b.ops[id]
	switch op.State {
	case app.OperationRunning:
		op.State, op.Error = to, reason
		b.ops[id] = op
	case app.OperationAborting, app.OperationCancelling:
	default:
		return fmt.Errorf("it is %s: %w", op.State, app.ErrConflict)
	}
	return nil
}

func (b *book) NoteOperation(_ context.Context, id app.OperationID, step, _ string, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away != nil {
		return b.away
	}
	op := b.ops[id]
	op.Step, op.Attempts = step, op.Attempts+1
	b.ops[id] = op
	return nil
}

func (b *book) ClaimOperation(_ context.Context, id app.OperationID, from, to app.Lease) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	op, there := b.ops[id]
	switch {
	case b.away != nil:
		return b.away
	case !there:
		return app.ErrNotFound
	case !op.State.Open() || op.Lease != from:
		return app.ErrStale
	}
	op.Lease = to
	b.ops[id] = op
	return nil
}

func (b *book) set(op app.Operation, state app.OperationState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	op.State = state
	b.ops[op.ID] = op
}

func (b *book) state(id app.OperationID) app.OperationState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ops[id].State
}

// stage is a plan of three steps over a book, and what was done of it.
type stage struct {
	t    *testing.T
	book *book
	op   app.Operation
	did  []string
	fail map[string]error // by what is done: "do two", "undo one"
	run  *journal.Runner
	plan journal.Plan
}

const kind = app.OperationKind("test")

func newStage(t *testing.T, change func(p *journal.Plan)) *stage {
	s := &stage{t: t, book: newBook(), fail: map[string]error{},
		op: app.Operation{ID: app.NewID[app.OperationID](), Kind: kind, State: app.OperationRunning}}
	act := func(what string, then func(op app.Operation)) func(context.Context, app.Operation) error {
		return func(ctx context.Context, op app.Operation) error {
			if _, bounded := ctx.Deadline(); !bounded || op.ID != s.op.ID {
				t.Errorf("%s of %s without a deadline", what, op.ID)
			}
			s.did = append(s.did, what)
			if err := s.fail[what]; err != nil {
				return err
			}
			if then != nil {
				then(op)
			}
			return nil
		}
	}
	s.plan = journal.Plan{Kind: kind, Steps: []journal.Step{
		{Name: "one", Undo: act("undo one", func(op app.Operation) { s.book.set(op, op.State.Undone()) })},
		{Name: "two", Do: act("do two", nil), Undo: act("undo two", nil)},
		{Name: "three", Do: act("do three", nil)},
		{Name: "four", Do: act("do four", func(op app.Operation) { s.book.set(op, app.OperationCompleted) })},
	}}
	if change != nil {
		change(&s.plan)
	}
	s.run = journal.NewRunner(s.book, app.Now, slog.New(slog.DiscardHandler), 0, s.plan)
	return s
}

func (s *stage) begin() error {
	return s.run.Run(s.t.Context(), s.plan, s.op, func(context.Context) error {
		s.book.set(s.op, app.OperationRunning)
		return nil
	})
}

func (s *stage) want(state app.OperationState, did string) {
	s.t.Helper()
	if got := strings.Join(s.did, ", "); got != did || s.book.state(s.op.ID) != state {
		s.t.Errorf("%s; it is %s. Want %s; %s", got, s.book.state(s.op.ID), did, state)
	}
	s.did = nil
}

func backward(p *journal.Plan)    { p.Interrupted = journal.Backward }
func onlyForward(p *journal.Plan) { p.OnlyForward = true }

var errStep = errors.New("refused")
