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
		if err := stored(r.target.Fill(ctx, r.target.ns, page), page); err != nil {
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

// stored words why documents could not be stored at the target.
func stored(err error, documents []app.Document) error {
	switch {
	case err == nil:
		return nil
	case never(err) && len(documents) > 0:
		return failed("a document from %s to %s cannot be stored at the target: %w",
			documents[0].ID, documents[len(documents)-1].ID, err)
	}
	return fmt.Errorf("write to the target: %w", err)
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
