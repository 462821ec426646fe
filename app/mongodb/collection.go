package mongodb

import (
	"context"
	"errors"
	"fmt"

	"tenantry/app"
)

// errNowhere says that a write found no document to write, where the documents
// are known to be.
var errNowhere = errors.New("no such document to write")

// find reads the organization's documents. f says whether it found anything;
// it is called again, and then nothing of the call before counts.
//
// Its first try is where the documents were last. What it finds there is
// right, since every filter has the organization's id. When it finds nothing,
// it is looked up where they are now, and while they are being renamed they are
// looked for in both places, in the direction of the move; that nothing is
// there counts only if the namespace is the same after looking.
func (c *Cluster) find(ctx context.Context, ns app.Namespace, f func(ctx context.Context, s shelf) (found bool, err error)) error {
	if err := c.ready(ctx, ns); err != nil {
		return err
	}
	ctx, cancel := c.reading(ctx)
	defer cancel()
	if known, ok := c.names.get(keyIn(ns)); ok && known.Pending == nil && known.phase() != app.PhaseClosed &&
		known.Generation >= ns.Placement.Generation {
		found, err := f(ctx, c.shelf(known, known.Collection))
		if found && err == nil || err != nil && !isMoved(err) {
			return c.answer(ctx, err)
		}
	}
	return c.findNow(ctx, ns, func(d namespaceDoc) error {
		if d.phase() == app.PhaseClosed {
			return fmt.Errorf("namespace %s is closed: %w", d.ID, app.ErrMoved)
		}
		return nil
	}, f)
}

// findNow is find, without a first try, in a namespace that may is nil about.
func (c *Cluster) findNow(ctx context.Context, ns app.Namespace, may func(namespaceDoc) error,
	f func(ctx context.Context, s shelf) (found bool, err error),
) error {
	d, err := c.resolve(ctx, keyIn(ns))
	for try := 0; err == nil; try++ {
		if err = may(d); err != nil {
			break
		}
		places := []string{d.Collection}
		if d.Pending != nil && d.Pending.Collection != d.Collection {
			places = append(places, d.Pending.Collection)
		}
		moved := false
		for _, place := range places {
			found, err := f(ctx, c.shelf(d, place))
			if found && err == nil {
				return nil
			}
			if err != nil && !isMoved(err) {
				return c.answer(ctx, err)
			}
			moved = moved || err != nil
		}
		before := d
		if d, err = c.resolve(ctx, d.ID); err != nil {
			break
		}
		if d.same(before) && !moved {
			return c.answer(ctx, c.whole(ctx, d)) // there is nothing
		}
		if !pause(ctx, try) {
			return c.unavailable(ctx.Err())
		}
	}
	return c.answer(ctx, err)
}

// ready refuses what cannot be begun with.
func (c *Cluster) ready(ctx context.Context, ns app.Namespace) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.check(ns); err != nil {
		return err
	}
	if err := c.wholeness.get(keyIn(ns)); err != nil {
		return err
	}
	return c.here()
}

// answer words an error; a request that was given up is told so.
func (c *Cluster) answer(ctx context.Context, err error) error {
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	return c.translate(err)
}

// isMoved reports that a collection was moved or dropped while it was read.
func isMoved(err error) bool {
	return hasCode(err, codeCursorNotFound, codeQueryPlanKilled, codeCursorKilled, codeNamespaceNotFound)
}

// mayWrite refuses a document's write where there is none now.
func mayWrite(d namespaceDoc) error {
	switch d.phase() {
	case app.PhaseClosed:
		return fmt.Errorf("namespace %s is closed: %w", d.ID, app.ErrMoved)
	case app.PhaseFrozen:
		return fmt.Errorf("namespace %s: %w", d.ID, app.ErrFrozen)
	}
	return nil
}

// The namespace is put in force anew when who knows the newest of it is refused
// some times, or finds for longer that a change of it is not in force.
const (
	patience  = 20
	refusal   = 5
	unsettled = 1
)

// write writes to the organization's documents, in a namespace that may is nil
// about. f reports whether it has written anything; it is called again where
// the store refused it, and where it found nothing to write but looked in the
// wrong place. errNowhere: it found nothing in the right one.
func (c *Cluster) write(ctx context.Context, ns app.Namespace, may func(namespaceDoc) error,
	f func(ctx context.Context, s shelf) (written bool, err error),
) error {
	if err := c.ready(ctx, ns); err != nil {
		return err
	}
	ctx, cancel := c.writing(ctx)
	defer cancel()
	key := keyIn(ns)
	at, known := c.names.get(key)
	known = known && at.Generation >= ns.Placement.Generation && !c.lacks.validators && !at.Plain
	tried := 0
	for try := 0; ; try++ {
		fresh := !known
		if fresh {
			var err error
			if at, err = c.resolve(ctx, key); err != nil {
				return c.translate(err)
			}
			if err := may(at); err != nil {
				return err
			}
			if at.Plain != c.lacks.validators {
				if err := c.adopt(ctx, at); err != nil {
					return c.translate(err)
				}
				if !pause(ctx, try) {
					return c.unavailable(ctx.Err())
				}
				continue
			}
		}
		stamp, written, err := c.through(ctx, &at, may, f)
		switch {
		case hasCode(err, codeInvalid):
			if known = c.renewed(ctx, at, stamp); known {
				continue
			}
			tried += refusal
		case errors.Is(err, errUnsettled):
			if tried += unsettled; at.Born == 0 && at.Stamp == 0 {
				tried = patience // nobody is changing it: it is from before there were stamps
			}
		case err != nil:
			return c.translate(err)
		case written:
			if counts, err := c.acknowledged(ctx, at); err != nil || counts {
				return c.translate(err)
			}
		case fresh:
			same, err := c.unmoved(ctx, at)
			if err == nil && same {
				err = c.whole(ctx, at)
			}
			if err != nil || same {
				return errors.Join(c.translate(err), nowhere(err))
			}
		}
		known = false
		if !fresh || at.Pending != nil {
			tried = 0
		}
		if tried >= patience {
			tried = 0
			if err := c.mend(ctx, at); err != nil {
				return c.translate(err)
			}
		}
		if fresh && !pause(ctx, try) {
			return c.unavailable(fmt.Errorf("the namespace is being moved: %w", context.DeadlineExceeded))
		}
	}
}

// errUnsettled says that a write was not sent: what is known of the namespace
// is to be read again.
var errUnsettled = errors.New("the namespace is being changed")

// through writes while this process does not move the namespace, and knows
// what has become of it meanwhile.
func (c *Cluster) through(ctx context.Context, at *namespaceDoc, may func(namespaceDoc) error,
	f func(context.Context, shelf) (bool, error),
) (stamp int64, written bool, err error) {
	gate := c.gates.of(at.org())
	try, leave := gate.TryRLock, gate.RUnlock
	if c.lacks.validators {
		try, leave = gate.TryLock, gate.Unlock // what lacks those may lack atomic updates, too
	}
	if !wait(ctx, try) {
		return 0, false, ctx.Err()
	}
	defer leave()
	if now, ok := c.names.get(at.ID); ok && now.newer(*at) {
		*at = now
	}
	s := c.shelf(*at, at.Collection)
	if at.Pending != nil || s.stamp == 0 || may(*at) != nil || !at.fresh() {
		return s.stamp, false, errUnsettled
	}
	written, err = f(ctx, s)
	return s.stamp, written, err
}

// renewed reports whether all that is wrong with a write to the shared
// collection is its stamp, after reading the newest.
func (c *Cluster) renewed(ctx context.Context, at namespaceDoc, stamp int64) bool {
	if !at.shared() {
		return false
	}
	if c.stampOf(at) == stamp {
		if _, err := c.epochs.refresh(ctx, c.db); err != nil {
			return false
		}
	}
	now := c.stampOf(at)
	return now != 0 && now != stamp
}

func nowhere(err error) error {
	if err == nil {
		return errNowhere
	}
	return nil
}

// unmoved reports whether the namespace is still as it was read.
func (c *Cluster) unmoved(ctx context.Context, at namespaceDoc) (bool, error) {
	now, err := c.resolve(ctx, at.ID)
	return err == nil && now.same(at), err
}
