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
	// short is how many noted documents any cutover can do with.
	short = 64
	// leastPiece is how many noted documents are copied in one piece at least, and
	// pieceTime about how long one takes: what is broken off when a freeze ends is
	// done in vain.
	leastPiece = 32
	pieceTime  = 250 * time.Millisecond
	// everything is more than is ever noted.
	everything = 1 << 30
	// lookEvery is how often it is looked how much is noted.
	lookEvery = time.Second
	// looksInVain is after how many looks that found it no shorter catching up is
	// given up.
	looksInVain = 4
	// shorter is what share of what was noted before is less than that.
	shorter = 0.9
)

// errBehind: what is noted does not get less by copying it.
var errBehind = errors.New("more is written than can be copied")

// rest is what was noted, or a piece of it.
type rest struct {
	changes   []app.Change
	documents []app.Document
	gone      []app.DocumentID
	all       bool // there is no more of it
}

// noted reads what was noted at from, up to so many.
func noted(ctx context.Context, from place, limit, maxBytes int) (rest, error) {
	changes, err := from.Changes(ctx, from.ns, limit, maxBytes)
	if err != nil {
		return rest{}, fmt.Errorf("read what was written meanwhile: %w", err)
	}
	out := rest{changes: changes}
	for _, c := range changes {
		if c.Document == nil {
			out.gone = append(out.gone, c.ID)
		} else {
			out.documents = append(out.documents, *c.Document)
		}
	}
	out.all = len(changes) < limit && sizeOf(out.documents) <= int64(maxBytes)
	return out, nil
}

// fillRest stores it at the other side.
func (r *run) fillRest(ctx context.Context, to place, rest rest) error {
	if len(rest.changes) == 0 {
		return nil
	}
	if err := stored(to.Import(ctx, to.ns, rest.documents, rest.gone), rest.documents); err != nil {
		return err
	}
	r.update(func(rel *app.Relocation) {
		rel.CaughtUp.Documents += int64(len(rest.changes))
		rel.CaughtUp.Bytes += sizeOf(rest.documents)
	})
	return nil
}

func settle(ctx context.Context, from place, rest rest) error {
	if len(rest.changes) == 0 {
		return nil
	}
	if err := from.Settle(ctx, from.ns, rest.changes); err != nil {
		return fmt.Errorf("settle what was written meanwhile: %w", err)
	}
	return nil
}

// piece is how many noted documents are copied in one piece.
func (r *run) piece() int {
	if r.rate == 0 {
		return batch
	}
	return min(batch, max(leastPiece, int(r.rate*pieceTime.Seconds())))
}

// copied takes down how fast noted documents are copied.
func (r *run) copied(documents int, began time.Time) {
	if documents > 0 {
		r.rate = float64(documents) / max(time.Since(began), time.Millisecond).Seconds()
	}
}

// replay copies what was noted at from, a piece of it, and reports whether
// there was no more. It takes down how many a second that were.
func (r *run) replay(ctx context.Context, from, to place) (all bool, err error) {
	began := time.Now()
	rest, err := noted(ctx, from, r.piece(), pageBytes)
	if err != nil {
		return false, err
	}
	if err := r.fillRest(ctx, to, rest); err != nil {
		return false, err
	}
	if err := settle(ctx, from, rest); err != nil {
		return false, err
	}
	r.copied(len(rest.changes), began)
	return rest.all, nil
}

// replayFor copies what was noted at from for as long as this, or until there
// is no more.
func (r *run) replayFor(ctx context.Context, from, to place, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		if all, err := r.replay(ctx, from, to); err != nil || all {
			return err
		}
	}
	return nil
}

func countNoted(ctx context.Context, from place) (int, error) {
	n, err := from.CountChanges(ctx, from.ns, everything)
	if err != nil {
		return 0, fmt.Errorf("count what was written meanwhile: %w", err)
	}
	return n, nil
}

// fitting is how many noted documents a cutover can copy in half of its time,
// as fast as they were copied last.
func (r *run) fitting() int {
	return max(short, int(r.rate*r.m.switchBy().Seconds()/2))
}

// catchUp copies what was noted at from, until a cutover can do the rest.
// errBehind when that does not come nearer: then it ends only if the writers are
// held. It is not held back, as it has to be faster than they are.
func (r *run) catchUp(ctx context.Context, from, to place) error {
	least, inVain := math.MaxInt, 0
	for {
		began := time.Now()
		n, err := countNoted(ctx, from)
		if err != nil {
			return err
		}
		counting := time.Since(began)
		if n <= r.fitting() {
			return nil
		}
		if float64(n) < shorter*float64(least) {
			least, inVain = n, 0
		} else if inVain++; inVain > looksInVain {
			return errBehind
		}
		if err := r.replayFor(ctx, from, to, max(lookEvery, 10*counting)); err != nil {
			return err
		}
	}
}

// drain copies all that was noted at from, where nothing is written any more.
// How far it comes is kept, also when it is broken off. The last piece stays
// noted: after the switch nobody asks, and if there is none, it is only copied
// once more.
func (r *run) drain(ctx context.Context, from, to place) error {
	for {
		began := time.Now()
		rest, err := noted(ctx, from, r.piece(), pageBytes)
		if err != nil {
			return err
		}
		if err := r.fillRest(ctx, to, rest); err != nil || rest.all {
			return err
		}
		if err := settle(ctx, from, rest); err != nil {
			return err
		}
		r.copied(len(rest.changes), began)
	}
}
