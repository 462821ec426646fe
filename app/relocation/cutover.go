package relocation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tenantry/app"
)

const (
	// counting bounds the counting of both sides while writes are held.
	counting = 300 * time.Millisecond
	// firstBackOff and longestBackOff are between tries to switch.
	firstBackOff   = time.Second
	longestBackOff = 30 * time.Second
	// longestBreath is how long writes are let through between two freezes of those
	// that come one after the other, at most.
	longestBreath = time.Second
	// breathsInVain is after how many of them that left it no shorter it is given
	// up for a while.
	breathsInVain = 5
)

var (
	// errSlow: the switch would have taken longer than writes can be held.
	errSlow = errors.New("the cutover took too long and is tried again later")
	// errUndrained: likewise, as there was too much to copy.
	errUndrained = fmt.Errorf("what was written last was not copied in time: %w", errSlow)
)

// cutover switches from one side to the other. What is not through within its
// time is thawed, and tried again later.
//
// Where the writers are faster than the copying, it ends only if they are held.
// So they are, again and again for as long as a cutover may, and let through for
// a moment in between: what is copied while they wait is more than what they
// write in that moment, or else it is given up for a while.
func (r *run) cutover(ctx context.Context, from, to place) error {
	if r.wait > 0 && !sleep(ctx, r.wait) {
		return context.Cause(ctx)
	}
	for pause := firstBackOff; ; pause = min(2*pause, longestBackOff) {
		err := r.catchUp(ctx, from, to)
		if err == nil {
			err = r.switchOver(ctx, from, to)
		}
		if errors.Is(err, errBehind) || errors.Is(err, errUndrained) {
			err = r.press(ctx, from, to)
		}
		if !errors.Is(err, errSlow) {
			return err
		}
		if err := r.tell(ctx, err); err != nil {
			return err
		}
		if !sleep(ctx, pause) {
			return context.Cause(ctx)
		}
	}
}

// press tries to switch over and over, as long as that leaves less and less to
// copy.
func (r *run) press(ctx context.Context, from, to place) error {
	least, breath := math.MaxInt, longestBreath
	for inVain := 0; ; {
		n, err := countNoted(ctx, from)
		if err != nil {
			return err
		}
		switch {
		case float64(n) < shorter*float64(least):
			least, inVain = n, 0
		case inVain == breathsInVain:
			return fmt.Errorf("%d documents are noted and %.0f a second copied, and it does not get less while writes are held now and then. "+
				"It goes on by itself when less is written: %w", n, r.rate, errUndrained)
		default:
			inVain, breath = inVain+1, max(breath/2, r.shortestBreath())
		}
		if err := r.tell(ctx, fmt.Errorf("%w: %d documents are noted, and %.0f a second were copied. "+
			"So writes are held now and then, each time for at most %v", errBehind, n, r.rate, r.m.bound())); err != nil {
			return err
		}
		if err := r.switchOver(ctx, from, to); !errors.Is(err, errUndrained) {
			return err
		}
		thawed := time.Now()
		if err := r.replayFor(ctx, from, to, breath); err != nil {
			return err
		}
		if !sleep(ctx, breath-time.Since(thawed)) {
			return context.Cause(ctx)
		}
	}
}

// shortestBreath is how long writes are let through at least between two
// freezes. All that were held must get through, so that none is held twice: they
// look every 50 ms whether they may, read the organization, and write.
func (r *run) shortestBreath() time.Duration {
	return min(100*time.Millisecond+4*r.thawed+2*r.noting(), longestBreath)
}

// switchOver is one try. The freeze ends when its time is over, also where what
// was to be done in it does not.
func (r *run) switchOver(ctx context.Context, from, to place) error {
	if err := r.reconsider(ctx, from, to); err != nil {
		return err
	}
	began := time.Now()
	r.update(func(rel *app.Relocation) { rel.Cutovers++ })
	held, cancel := context.WithTimeoutCause(ctx, r.m.thawBy(), errSlow)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.rest(held, began, from, to) }()
	var err error
	select {
	case err = <-done:
		if err == nil {
			// From here on it is not known whether it happened, until the registry says
			// so: nothing is thawed on the way out. See the package's comment.
			return r.flip(ctx, began)
		}
		done <- nil
	case <-held.Done():
		err = context.Cause(held)
	}
	thawed := r.thaw(ctx, from, began)
	// What was still under way is done as it would be without the freeze, and is
	// over before anything else is done.
	if late := <-done; late != nil {
		err = late
	}
	if thawed != nil {
		return thawed
	}
	var unsure *unsure
	if errors.As(err, &unsure) {
		return err // what holds the writes may yet arrive: it must be shut out
	}
	if err := r.shut(ctx, to); err != nil {
		return err
	}
	if held.Err() != nil && ctx.Err() == nil && !errors.Is(err, errSlow) {
		return fmt.Errorf("%w: %w", errSlow, err)
	}
	return err
}

// rest freezes the one side, copies the rest to the other and compares what is
// still to be compared.
func (r *run) rest(ctx context.Context, began time.Time, from, to place) error {
	if err := from.phase(ctx, app.PhaseFrozen); err != nil {
		return unanswered(fmt.Errorf("hold the writes: %w", err))
	}
	switch err := r.drain(ctx, from, to); {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("%w: %w", errUndrained, err)
	case err != nil:
		return err
	case time.Since(began) > r.m.switchBy():
		return errUndrained
	}
	if err := r.compareRest(ctx, from, to); err != nil {
		return err
	}
	if err := r.count(ctx, from, to); err != nil {
		return err
	}
	turning := time.Now()
	if err := to.phase(ctx, app.PhaseFrozen); err != nil {
		return unanswered(fmt.Errorf("open the other side for reading: %w", err))
	}
	r.turning = time.Since(turning)
	if !r.inTime(began) {
		return fmt.Errorf("the stores answer too slowly to switch within %v: %w", r.m.bound(), errSlow)
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
func (r *run) thaw(ctx context.Context, from place, began time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), thawTimeout)
	defer cancel()
	defer func() {
		held := time.Since(began)
		r.update(func(rel *app.Relocation) { rel.Held += held })
	}()
	var before error
	for pause := firstPause / 10; ; pause *= 2 {
		thawing := time.Now()
		err := from.phase(ctx, app.PhaseRecording)
		if r.thawed = time.Since(thawing); err == nil {
			return unanswered(before)
		}
		before = err
		switch {
		case errors.Is(err, app.ErrStale):
			return fmt.Errorf("let writes through again: %w", err)
		case !sleep(ctx, min(pause, time.Second)):
			return &stuck{fmt.Errorf("let writes through again: %w", err)}
		}
	}
}

// shut closes the other side again.
func (r *run) shut(ctx context.Context, to place) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
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
	op.Relocation.Suspects = nil
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

// unanswered is for what changes a phase and did not answer. It may yet arrive,
// when it is not meant any more: a higher generation shuts it out.
func unanswered(err error) error {
	if err == nil || errors.Is(err, app.ErrStale) || errors.Is(err, app.ErrNotFound) {
		return err
	}
	return &unsure{err}
}

// unsure is a change of a phase or a flip that may have happened, or may yet.
type unsure struct{ err error }

func (u *unsure) Error() string { return "a store did not answer: " + u.err.Error() }
func (u *unsure) Unwrap() error { return u.err }

// stuck is that writes are held at a place that was not reached for a while, and
// that another server must let them through if it can.
type stuck struct{ err error }

func (s *stuck) Error() string { return s.err.Error() }
func (s *stuck) Unwrap() error { return s.err }

// Is makes errors.Is see app.ErrUnavailable, whatever the store said last.
func (s *stuck) Is(target error) bool { return target == app.ErrUnavailable }
