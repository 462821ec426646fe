package relocation

import (
	"context"
	"fmt"
	"time"

	"tenantry/app"
)

const (
	// batch and batchBytes bound what is moved in one piece. It is one write at
	// the target, which the neighbours there wait for.
	batch      = 500
	batchBytes = 4 << 20
	// short is how many noted documents any cutover can do with, and long how many
	// none begins with.
	short, long = 64, 1000
)

// copy copies everything, in order of ids.
func (r *run) copy(ctx context.Context) error {
	pace := r.m.pace()
	pages := scan(ctx, r.source, r.relocation().CopiedTo, pace.batch)
	for {
		page, err := pages.next(ctx)
		if err != nil {
			return fmt.Errorf("read the source: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		size := sizeOf(page)
		if err := r.fill(ctx, r.target, page, nil); err != nil {
			return err
		}
		r.update(func(rel *app.Relocation) {
			rel.CopiedTo = page[len(page)-1].ID
			rel.Copied.Documents += int64(len(page))
			rel.Copied.Bytes += size
		})
		if err := pace.after(ctx, len(page), size, pages.took); err != nil {
			return err
		}
	}
}

// fill stores what was read elsewhere.
func (r *run) fill(ctx context.Context, to place, documents []app.Document, gone []app.DocumentID) error {
	err := to.Import(ctx, to.ns, documents, gone)
	switch {
	case err == nil:
		return nil
	case never(err) && len(documents) > 0:
		return failed("a document from %s to %s cannot be stored at the target: %w",
			documents[0].ID, documents[len(documents)-1].ID, err)
	}
	return fmt.Errorf("write to the target: %w", err)
}

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
	if err := r.fill(ctx, to, rest.documents, rest.gone); err != nil {
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

// replay copies what was noted at from, a piece of it, and says how many a
// second that were.
func (r *run) replay(ctx context.Context, from, to place) (rate float64, err error) {
	began := time.Now()
	rest, err := noted(ctx, from, batch, batchBytes)
	if err != nil {
		return 0, err
	}
	if err := r.fillRest(ctx, to, rest); err != nil {
		return 0, err
	}
	rate = float64(len(rest.changes)) / max(time.Since(began), time.Millisecond).Seconds()
	return rate, settle(ctx, from, rest)
}

// catchUp copies what was noted at from, until a cutover can do the rest in half
// of its time. It is not held back: it ends only if it is faster than the
// writers.
func (r *run) catchUp(ctx context.Context, from, to place) error {
	for until := short; ; {
		n, err := from.CountChanges(ctx, from.ns, until+1)
		if err != nil {
			return fmt.Errorf("count what was written meanwhile: %w", err)
		}
		if n <= until {
			return nil
		}
		rate, err := r.replay(ctx, from, to)
		if err != nil {
			return err
		}
		until = min(max(short, int(rate*r.m.budget().Seconds()/2)), long)
	}
}

// drain copies all that was noted at from, where nothing is written any more.
// The last piece stays noted: after the switch nobody asks, and if there is
// none, it is only copied once more.
func (r *run) drain(ctx context.Context, from, to place) error {
	for {
		rest, err := noted(ctx, from, 2*long, 2*batchBytes)
		if err != nil {
			return err
		}
		if err := r.fillRest(ctx, to, rest); err != nil || rest.all {
			return err
		}
		if err := settle(ctx, from, rest); err != nil {
			return err
		}
	}
}

func sizeOf(list []app.Document) int64 {
	size := int64(0)
	for _, d := range list {
		size += int64(len(d.Data))
	}
	return size
}

// pages reads a place in order of ids, one page ahead.
type pages struct {
	place place
	batch int
	ahead chan page
	// took is how long the reading of the last page took.
	took time.Duration
}

type page struct {
	documents []app.Document
	took      time.Duration
	err       error
}

func scan(ctx context.Context, p place, after app.DocumentID, batch int) *pages {
	s := &pages{place: p, batch: batch}
	s.fetch(ctx, after)
	return s
}

func (s *pages) fetch(ctx context.Context, after app.DocumentID) {
	ahead := make(chan page, 1)
	s.ahead = ahead
	go func() {
		began := time.Now()
		list, err := s.place.Scan(ctx, s.place.ns, app.DocumentQuery{After: after, Limit: s.batch, MaxBytes: batchBytes})
		ahead <- page{list, time.Since(began), err}
	}()
}

// next gives the next page; an empty one after the last.
func (s *pages) next(ctx context.Context) ([]app.Document, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case p := <-s.ahead:
		if p.err == nil && len(p.documents) > 0 {
			s.fetch(ctx, p.documents[len(p.documents)-1].ID)
		}
		s.took = p.took
		return p.documents, p.err
	}
}
