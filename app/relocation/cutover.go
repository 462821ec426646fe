package relocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tenantry/app"
)

const (
	// slack is what a freeze may take beside one lease. Another lease passes after
	// the flip, and what is left of two leases and a second is for the flip itself
	// and for letting writes through again.
	slack = 300 * time.Millisecond
	// counting bounds the counting of both sides while writes are held.
	counting = 300 * time.Millisecond
	// firstBackOff and longestBackOff are between tries to switch.
	firstBackOff   = time.Second
	longestBackOff = 30 * time.Second
)

// errSlow: the rest could not be copied in the time that writes can be held.
var errSlow = errors.New("the cutover took too long and is tried again later")

// budget is how long writes are held up to the flip.
func (m *Mover) budget() time.Duration {
	return min(m.cfg.PlacementLease+slack, m.cfg.CutoverTimeout/2)
}

// cutover switches from one side to the other. What is not through within the
// budget is thawed, and tried again later.
func (r *run) cutover(ctx context.Context, from, to place) error {
	if r.wait > 0 && !sleep(ctx, r.wait) {
		return context.Cause(ctx)
	}
	for pause := firstBackOff; ; pause = min(2*pause, longestBackOff) {
		if err := r.catchUp(ctx, from, to); err != nil {
			return err
		}
		err := r.switchOver(ctx, from, to)
		if !errors.Is(err, errSlow) {
			return err
		}
		if err := r.note(ctx); err != nil {
			return err
		}
		if !sleep(ctx, pause) {
			return context.Cause(ctx)
		}
	}
}

// switchOver is one try.
func (r *run) switchOver(ctx context.Context, from, to place) error {
	began := time.Now()
	r.update(func(rel *app.Relocation) { rel.Cutovers++ })
	held, cancel := context.WithTimeout(ctx, r.m.budget())
	defer cancel()
	if err := r.rest(held, from, to); err != nil {
		if err := r.thaw(ctx, from, to, began); err != nil {
			return err
		}
		if held.Err() != nil && ctx.Err() == nil {
			return errors.Join(errSlow, err)
		}
		return err
	}
	// From here on it is not known whether it happened, until the registry says
	// so: nothing is thawed on the way out. See the package's comment.
	return r.flip(ctx, began)
}

// rest freezes the one side, copies the rest to the other and compares what is
// still to be compared.
func (r *run) rest(ctx context.Context, from, to place) error {
	if err := from.phase(ctx, app.PhaseFrozen); err != nil {
		return fmt.Errorf("hold the writes: %w", err)
	}
	if err := r.drain(ctx, from, to); err != nil {
		return err
	}
	differ, err := r.differing(ctx, from, to, r.relocation().Suspects)
	if err != nil {
		return fmt.Errorf("compare the rest: %w", err)
	}
	if len(differ) > 0 {
		return r.differ(differ)
	}
	if err := r.count(ctx, from, to); err != nil {
		return err
	}
	if err := to.phase(ctx, app.PhaseFrozen); err != nil {
		return fmt.Errorf("open the other side for reading: %w", err)
	}
	return nil
}

// count compares how many documents both sides have, if they can say so at
// once: the comparing of all has been done, and this is to find what was missed
// since.
func (r *run) count(ctx context.Context, from, to place) error {
	ctx, cancel := context.WithTimeout(ctx, counting)
	defer cancel()
	a, err := from.Stats(ctx, from.ns)
	if err != nil {
		return nil //nolint:nilerr // too many to count now
	}
	b, err := to.Stats(ctx, to.ns)
	if err != nil {
		return nil //nolint:nilerr // likewise
	}
	if a.Documents != b.Documents {
		return failed("there are %d documents to be moved, and %d that were", a.Documents, b.Documents)
	}
	return nil
}

// thaw lets writes through again where they were before. It is tried until it
// is done, or until it is another's to do.
func (r *run) thaw(ctx context.Context, from, to place, began time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	defer func() {
		held := time.Since(began)
		r.update(func(rel *app.Relocation) { rel.Held += held })
	}()
	for pause := firstPause / 10; ; pause *= 2 {
		err := from.phase(ctx, app.PhaseRecording)
		if err == nil {
			break
		}
		if errors.Is(err, app.ErrStale) || !sleep(ctx, min(pause, time.Second)) {
			return fmt.Errorf("let writes through again: %w", err)
		}
	}
	if err := to.phase(ctx, app.PhaseClosed); err != nil {
		return fmt.Errorf("close the other side again: %w", err)
	}
	return nil
}

// flip makes the other side the organization's place.
func (r *run) flip(ctx context.Context, began time.Time) error {
	done := r.alone()
	defer done()
	op := r.recorded()
	op.Relocation.Flips++
	op.Relocation.Settled = false
	op.Relocation.Held += time.Since(began)
	op.DueAt, op.Error, op.Step = time.Time{}, "", ""
	if op.Relocation.Flips == 1 {
		op.Relocation.Phase, op.Relocation.PhaseAt = app.RelocationSwitched, r.m.clock()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	_, err := r.m.registry.FlipRelocation(ctx, op, r.m.clock())
	switch {
	case err == nil:
		r.change(func(now *app.Operation) { *now = op })
		return nil
	case errors.Is(err, app.ErrStale):
		return errTakenOver
	case never(err):
		return failed("switch: %w", err)
	}
	return &unsure{err}
}

// unsure is a flip that may have happened.
type unsure struct{ err error }

func (u *unsure) Error() string { return "the switch did not answer: " + u.err.Error() }
func (u *unsure) Unwrap() error { return u.err }
