package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"tenantry/app"
)

// stepTimeout bounds one step. Steps outlive the request that began them: an
// answer nobody waits for is no reason to leave half a thing.
const stepTimeout = time.Minute

// Runner runs and recovers operations.
type Runner struct {
	journal app.Journal
	clock   app.Clock
	log     *slog.Logger
	plans   map[app.OperationKind]Plan

	// wait is how long Run waits for the end; zero is until the end.
	wait time.Duration

	leases *leases // nil: nobody else runs operations

	mu      sync.Mutex
	running map[app.OperationID]bool
	rest    sync.WaitGroup // what goes on after Run returned

	driving context.Context // of what plans with a Drive do
	stop    context.CancelFunc
}

// NewRunner makes a Runner that can recover the kinds of the plans. Run waits
// for the end of an operation as long as wait says; zero waits until the end.
func NewRunner(journal app.Journal, clock app.Clock, log *slog.Logger, wait time.Duration, plans ...Plan) *Runner {
	r := &Runner{
		journal: journal, clock: clock, log: log, wait: wait,
		plans:   make(map[app.OperationKind]Plan, len(plans)),
		running: make(map[app.OperationID]bool),
	}
	r.driving, r.stop = context.WithCancel(context.Background())
	for _, p := range plans {
		r.plans[p.Kind] = p
	}
	return r
}

// PendingError says that an operation was begun, could not be finished now,
// and will be. It wraps what stopped it.
type PendingError struct {
	Operation app.OperationID
	Err       error
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("operation %s goes on in the background: %v", e.Operation, e.Err)
}

// Unwrap gives what stopped it.
func (e *PendingError) Unwrap() error { return e.Err }

// RunningError says that an operation takes longer than its caller wants to
// wait. It goes on, and ends by itself.
type RunningError struct{ Operation app.OperationID }

func (e *RunningError) Error() string {
	return "operation " + string(e.Operation) + " is still running"
}

// Run calls begin, which records the operation, and then does the plan's
// steps. The error of begin is returned as it is: nothing was begun. After the
// error of a step everything was undone, unless it is a PendingError. A
// RunningError comes when the steps take longer than the runner waits.
func (r *Runner) Run(ctx context.Context, p Plan, op app.Operation, begin func(context.Context) error) error {
	r.claim(op.ID)
	if err := begin(ctx); err != nil {
		r.release(op.ID)
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if r.wait == 0 {
		defer r.release(op.ID)
		if p.Drive != nil {
			return r.drive(p, op)
		}
		return r.do(ctx, p, op)
	}
	return r.background(ctx, p, op)
}

// background does the work in a goroutine, releases the claim that the caller
// has when it is done, and waits for that as long as the runner does.
func (r *Runner) background(ctx context.Context, p Plan, op app.Operation) error {
	ended := make(chan error, 1)
	r.rest.Go(func() {
		err := r.guarded(ctx, p, op)
		r.release(op.ID) // before whoever waits goes on with it
		ended <- err
	})
	wait := make(<-chan time.Time)
	if r.wait > 0 {
		timer := time.NewTimer(r.wait)
		defer timer.Stop()
		wait = timer.C
	}
	select {
	case err := <-ended:
		return err
	case <-wait:
		return &RunningError{Operation: op.ID}
	}
}

// guarded is do for a goroutine of our own, where nobody else would catch a
// panic: the operation stays open, and recovery takes it up.
func (r *Runner) guarded(ctx context.Context, p Plan, op app.Operation) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			r.log.Error("panic in an operation", "operation_id", op.ID, "kind", op.Kind,
				"panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
			err = &PendingError{Operation: op.ID, Err: errors.New("panic")}
		}
	}()
	if p.Drive != nil {
		return r.drive(p, op)
	}
	return r.do(ctx, p, op)
}

// Wait waits for what goes on after Run returned. What is driven is told to
// stop, and is taken up again by whoever runs the journal next.
func (r *Runner) Wait() {
	r.stop()
	r.rest.Wait()
}

func (r *Runner) do(ctx context.Context, p Plan, op app.Operation) error {
	done := r.holding(ctx, op, func() {})
	defer done()
	for _, step := range p.Steps {
		if step.Do == nil {
			continue
		}
		err := bounded(ctx, op, step.Do)
		if err == nil {
			continue
		}
		// A commit can fail to answer and yet have happened.
		if r.completed(ctx, op.ID) {
			return nil
		}
		r.refused(ctx, op, step.Name, err)
		if p.OnlyForward {
			return &PendingError{Operation: op.ID, Err: err}
		}
		if undoErr := r.undo(ctx, p, op, app.OperationAborting, step.Name+": "+err.Error()); undoErr != nil {
			// The journal may have been away when it was asked.
			if errors.Is(undoErr, app.ErrConflict) && r.completed(ctx, op.ID) {
				return nil
			}
			return &PendingError{Operation: op.ID, Err: fmt.Errorf("%w\n%v", err, undoErr)} //nolint:errorlint // why it cannot be undone is not what was refused
		}
		return err
	}
	return nil
}

// completed reports whether an operation is known to have ended well.
func (r *Runner) completed(ctx context.Context, id app.OperationID) bool {
	now, err := r.journal.Operation(ctx, id)
	return err == nil && now.State == app.OperationCompleted
}

// refused records that a step was refused. That it cannot be recorded is no
// reason to stop: it is for people.
func (r *Runner) refused(ctx context.Context, op app.Operation, step string, err error) {
	r.log.Warn("a step was refused", "operation_id", op.ID, "kind", op.Kind,
		"org_id", op.OrganizationID, "step", step, "error", err)
	if noteErr := r.journal.NoteOperation(ctx, op.ID, step, step+": "+err.Error(), r.clock()); noteErr != nil {
		r.log.Warn("a refused step was not recorded", "operation_id", op.ID, "error", noteErr)
	}
}

// undo takes back what the operation did. to says why: it failed, or somebody
// gave it up; one that is being undone already stays what it is.
func (r *Runner) undo(ctx context.Context, p Plan, op app.Operation, to app.OperationState, reason string) error {
	if err := r.journal.AbortOperation(ctx, op.ID, to, reason, r.clock()); err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	if !op.State.Undoing() {
		op.State, op.Error = to, reason
	}
	for i := len(p.Steps) - 1; i >= 0; i-- {
		step := p.Steps[i]
		if step.Undo == nil {
			continue
		}
		if err := bounded(ctx, op, step.Undo); err != nil {
			r.refused(ctx, op, step.Name, err)
			return fmt.Errorf("undo %s: %w", step.Name, err)
		}
	}
	return nil
}

func bounded(ctx context.Context, op app.Operation, f func(context.Context, app.Operation) error) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return f(ctx, op)
}

func (r *Runner) claim(id app.OperationID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[id] {
		return false
	}
	r.running[id] = true
	return true
}

func (r *Runner) release(id app.OperationID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, id)
}
