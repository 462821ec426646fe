package relocation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tenantry/app"
)

const (
	// batch bounds what is stored in one piece. It is one write at the target,
	// which the neighbours there wait for.
	batch = 1000
	// page and pageBytes bound what is read in one piece: more, since some stores
	// look for the beginning of a page for as long as they read it.
	page      = 10_000
	pageBytes = 4 << 20
)

// copy copies everything, in order of ids.
func (r *run) copy(ctx context.Context) error {
	pace := r.m.pace()
	pages := scan(ctx, r.source, r.relocation().CopiedTo, pace)
	for {
		page, err := pages.next(ctx)
		if err != nil {
			return fmt.Errorf("read the source: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		for list := range slices.Chunk(page, batch) {
			if err := stored(r.target.Fill(ctx, r.target.ns, list), list); err != nil {
				return err
			}
			r.update(func(rel *app.Relocation) {
				rel.CopiedTo = list[len(list)-1].ID
				rel.Copied.Documents += int64(len(list))
				rel.Copied.Bytes += sizeOf(list)
			})
		}
		if err := pace.after(ctx, len(page), sizeOf(page), pages.took); err != nil {
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
	pace  *pace
	ahead chan read
	ended bool
	// took is how long the reading of the last page took.
	took time.Duration
}

type read struct {
	documents []app.Document
	took      time.Duration
	err       error
}

func scan(ctx context.Context, p place, after app.DocumentID, pace *pace) *pages {
	s := &pages{place: p, pace: pace}
	s.fetch(ctx, after)
	return s
}

func (s *pages) fetch(ctx context.Context, after app.DocumentID) {
	ahead := make(chan read, 1)
	s.ahead = ahead
	go func() {
		began := time.Now()
		list, err := s.place.Scan(ctx, s.place.ns, app.DocumentQuery{After: after, Limit: s.pace.page, MaxBytes: s.pace.pageBytes})
		ahead <- read{list, time.Since(began), err}
	}()
}

// next gives the next page; an empty one after the last.
func (s *pages) next(ctx context.Context) ([]app.Document, error) {
	if s.ended {
		return nil, nil
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case p := <-s.ahead:
		if p.err != nil {
			return nil, p.err
		}
		// One that could have had more was the last: what has come since is noted.
		s.ended = len(p.documents) < s.pace.page && sizeOf(p.documents) <= int64(s.pace.pageBytes)
		if !s.ended {
			s.fetch(ctx, p.documents[len(p.documents)-1].ID)
		}
		s.took = p.took
		return p.documents, nil
	}
}
