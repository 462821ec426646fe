package relocation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tenantry/app"
)

// run is one server's turn at a relocation, with a generation of its own.
type run struct {
	m                    *Mover
	source, target       place
	sourceErr, targetErr error // why there is no cluster to the place
	turn

	// recording is full while something is recorded, so that what is older never
	// comes after what is newer.
	recording chan struct{}

	// rate is how many noted documents a second were copied last.
	rate float64
	// turning is how long the target took for its last change of phase.
	turning time.Duration
	// thawed is how long the source took to let writes through again.
	thawed time.Duration

	mu sync.Mutex
	op app.Operation
	// noted is how long the registry took to record something last.
	noted time.Duration
}

// turn is what one turn is told of those before it.
type turn struct {
	// leave: what cannot be removed when undoing is left where it is.
	leave bool
	// wait is for how long not to switch.
	wait time.Duration
}

// relocation gives what is known of it now.
func (r *run) relocation() app.Relocation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *r.op.Relocation
}

func (r *run) recorded() app.Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	op := r.op
	rel := *op.Relocation
	op.Relocation = &rel
	return op
}

// update changes what is known; what reads it meanwhile has a copy.
func (r *run) update(f func(rel *app.Relocation)) {
	r.change(func(op *app.Operation) { f(op.Relocation) })
}

func (r *run) change(f func(op *app.Operation)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rel := *r.op.Relocation
	r.op.Relocation = &rel
	f(&r.op)
}

// alone waits until nobody else records something, and gives what ends that.
func (r *run) alone() (done func()) {
	r.recording <- struct{}{}
	return func() { <-r.recording }
}

// note records what is known.
func (r *run) note(ctx context.Context) error {
	done := r.alone()
	defer done()
	op := r.recorded()
	began := time.Now()
	now, err := r.m.registry.NoteRelocation(ctx, op, op.Relocation.Generation, r.m.clock())
	r.took(time.Since(began))
	switch {
	case errors.Is(err, app.ErrStale), errors.Is(err, app.ErrNotFound):
		return errTakenOver
	case err != nil:
		return fmt.Errorf("record how far the relocation came: %w", err)
	case now.State != op.State:
		return errTurned
	}
	return nil
}

func (r *run) took(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noted = d
}

// noting is how long the registry takes to record something.
func (r *run) noting() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.noted
}

// tell records why it does not come on for now, where nothing is refused.
func (r *run) tell(ctx context.Context, why error) error {
	r.change(func(op *app.Operation) {
		op.Step, op.Attempts, op.Error = string(op.Relocation.Phase), op.Attempts+1, why.Error()
	})
	return r.note(ctx)
}

// watch records now and then how far it came, and ends the work when somebody
// gave it up or another server took it over.
func (r *run) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	for sleep(ctx, noteEvery) {
		if err := r.note(ctx); errors.Is(err, errTakenOver) || errors.Is(err, errTurned) {
			cancel(err)
			return
		}
	}
}

// refused records why it does not come on, and gives that back; or errTakenOver
// where the reason was that another server has come on instead. That it cannot
// be recorded is no reason to stop.
func (r *run) refused(ctx context.Context, err error) error {
	r.change(func(op *app.Operation) {
		op.Step, op.Attempts = string(op.Relocation.Phase), op.Attempts+1
		if !op.State.Undoing() {
			op.Error = op.Step + ": " + err.Error()
		}
	})
	if taken := r.note(ctx); errors.Is(taken, errTakenOver) {
		return taken
	}
	return err
}

// enter begins a phase, durably.
func (r *run) enter(ctx context.Context, phase app.RelocationPhase) error {
	now := r.m.clock()
	r.change(func(op *app.Operation) {
		op.Relocation.Phase, op.Relocation.PhaseAt = phase, now
		op.Step, op.Error = "", ""
	})
	return r.note(ctx)
}

// work goes on from wherever the relocation stands.
func (r *run) work(ctx context.Context) error {
	rel := r.relocation()
	switch {
	case r.op.State.Undoing():
		return r.undo(ctx)
	case rel.Flips == 0:
		return r.forward(ctx)
	}
	if err := errors.Join(r.sourceErr, r.targetErr); err != nil {
		return err
	}
	switch {
	case rel.Flips > 1:
		return r.returned(ctx)
	case rel.Phase == app.RelocationReverting:
		return r.back(ctx)
	}
	return r.switched(ctx)
}

// forward takes the organization to the target.
func (r *run) forward(ctx context.Context) error {
	if err := errors.Join(r.sourceErr, r.targetErr); err != nil {
		return err
	}
	phases := app.RelocationPhases()
	reached := slices.Index(phases, r.relocation().Phase)
	if reached <= slices.Index(phases, app.RelocationProvisioning) {
		if err := r.provision(ctx); err != nil {
			return err
		}
	} else if err := r.takeUp(ctx, r.source, r.target); err != nil {
		return err
	}
	for _, step := range []struct {
		phase app.RelocationPhase
		do    func(context.Context) error
	}{
		{app.RelocationCopying, r.copy},
		{app.RelocationCatchingUp, func(ctx context.Context) error {
			err := r.catchUp(ctx, r.source, r.target)
			if errors.Is(err, errBehind) {
				return nil // the cutover sees to it
			}
			return err
		}},
		{app.RelocationVerifying, r.verify},
		{app.RelocationCutover, func(ctx context.Context) error { return r.cutover(ctx, r.source, r.target) }},
	} {
		if reached > slices.Index(phases, step.phase) {
			continue
		}
		if r.relocation().Phase != step.phase {
			if err := r.enter(ctx, step.phase); err != nil {
				return err
			}
		}
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return r.switched(ctx)
}

// provision makes the target, empty, and lets the source note what is written
// from now on.
func (r *run) provision(ctx context.Context) error {
	r.update(func(rel *app.Relocation) {
		rel.CopiedTo, rel.VerifiedTo, rel.Suspects, rel.Differences = "", "", nil, nil
		rel.Copied, rel.CaughtUp, rel.Verified = app.NamespaceStats{}, app.NamespaceStats{}, app.NamespaceStats{}
	})
	if err := r.enter(ctx, app.RelocationProvisioning); err != nil {
		return err
	}
	err := r.m.admitted(ctx, r.target.ns.Placement.Cluster)
	switch {
	case errors.Is(err, app.ErrConflict):
		return failed("go to %s: %w", r.target.ns.Placement.Cluster, err)
	case err != nil:
		return err
	}
	phase, _, err := r.target.Phase(ctx, r.target.ns)
	switch {
	case errors.Is(err, app.ErrNotFound):
	case err != nil:
		return fmt.Errorf("look at the target: %w", err)
	case phase == app.PhaseOpen || phase == app.PhaseRecording:
		return failed("at the target there is data of this organization already, in use; \"tenantry doctor\" shows it")
	default: // left by a relocation that was cut short
		if err := r.target.Drop(ctx, r.target.ns); err != nil {
			return fmt.Errorf("clear the target: %w", err)
		}
	}
	if err := r.target.Receive(ctx, r.target.ns); err != nil {
		if never(err) {
			return failed("make the target: %w", err)
		}
		return fmt.Errorf("make the target: %w", err)
	}
	err = r.source.phase(ctx, app.PhaseRecording)
	switch {
	case errors.Is(err, app.ErrNotFound):
		return failed("the organization's data is not where the registry says: %w", err)
	case errors.Is(err, app.ErrStale):
		// Another has come by meanwhile, and may have ended it all: then nobody
		// would ever look for what was just made. It is newer if it is not ours.
		_ = r.target.Drop(ctx, r.target.ns)
	}
	return err
}

// takeUp goes on after another turn: writes are taken again at once, by which
// the one before is shut out, and then the other side can be filled.
func (r *run) takeUp(ctx context.Context, from, to place) error {
	if err := from.phase(ctx, app.PhaseRecording); err != nil {
		return fmt.Errorf("take the source up: %w", err)
	}
	err := to.phase(ctx, app.PhaseClosed)
	if errors.Is(err, app.ErrNotFound) {
		return failed("what was copied is gone: %w", err)
	}
	if err != nil {
		return fmt.Errorf("take the target up: %w", err)
	}
	return nil
}
