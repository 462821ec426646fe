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
	// short is how many noted documents any cutover can do with.
	short = 64
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

// replay copies what was noted at from, a piece of it, and says how much that
// was.
func (r *run) replay(ctx context.Context, from, to place) (int, error) {
	changes, err := from.Changes(ctx, from.ns, batch, batchBytes)
	if err != nil {
		return 0, fmt.Errorf("read what was written meanwhile: %w", err)
	}
	if len(changes) == 0 {
		return 0, nil
	}
	var documents []app.Document
	var gone []app.DocumentID
	for _, c := range changes {
		if c.Document == nil {
			gone = append(gone, c.ID)
		} else {
			documents = append(documents, *c.Document)
		}
	}
	if err := r.fill(ctx, to, documents, gone); err != nil {
		return 0, err
	}
	if err := from.Settle(ctx, from.ns, changes); err != nil {
		return 0, fmt.Errorf("settle what was written meanwhile: %w", err)
	}
	r.update(func(rel *app.Relocation) {
		rel.CaughtUp.Documents += int64(len(changes))
		rel.CaughtUp.Bytes += sizeOf(documents)
	})
	return len(changes), nil
}

// catchUp copies what was noted at from, until a cutover can do the rest in half
// of its time. It is not held back: it ends only if it is faster than the
// writers.
func (r *run) catchUp(ctx context.Context, from, to place) error {
	until := short
	for {
		n, err := from.CountChanges(ctx, from.ns, until+1)
		if err != nil {
			return fmt.Errorf("count what was written meanwhile: %w", err)
		}
		if n <= until {
			return nil
		}
		began := time.Now()
		if n, err = r.replay(ctx, from, to); err != nil {
			return err
		}
		rate := float64(n) / max(time.Since(began), time.Millisecond).Seconds()
		until = max(short, int(rate*r.m.budget().Seconds()/2))
	}
}

// drain copies all that was noted at from, where nothing is written any more.
func (r *run) drain(ctx context.Context, from, to place) error {
	for {
		if n, err := r.replay(ctx, from, to); err != nil || n == 0 {
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
