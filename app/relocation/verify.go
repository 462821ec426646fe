package relocation

import (
	"context"
	"fmt"
	"slices"

	"tenantry/app"
)

const (
	// suspectsKept bounds how many documents wait to be looked at again.
	suspectsKept = 200
	// looks is how often a document that differs is looked at again while it is
	// in use, before the cutover has to.
	looks = 5
	// listed bounds the differences that are told.
	listed = 100
)

// verify reads both sides in order of ids and compares every document whole.
// One that differs is a suspect: it may have been written since it was copied,
// and is looked at again when that has been copied too. Those still different
// then are left to the cutover, where nothing is written.
func (r *run) verify(ctx context.Context) error {
	pace := r.m.pace()
	after := r.relocation().VerifiedTo
	both := &merge{a: scan(ctx, r.source, after, pace.batch), b: scan(ctx, r.target, after, pace.batch)}
	for {
		compared, differ, err := both.next(ctx)
		if err != nil {
			return fmt.Errorf("compare: %w", err)
		}
		if len(compared) == 0 && len(differ) == 0 {
			return nil
		}
		size := sizeOf(compared)
		suspects := slices.Concat(r.relocation().Suspects, differ)
		for look := 0; len(suspects) > 0 && look < looks; look++ {
			if _, err := r.replay(ctx, r.source, r.target); err != nil {
				return err
			}
			if suspects, err = r.differing(ctx, r.source, r.target, suspects); err != nil {
				return err
			}
		}
		if len(suspects) > suspectsKept {
			return r.differ(suspects)
		}
		r.update(func(rel *app.Relocation) {
			rel.Suspects = suspects
			rel.VerifiedTo = both.done
			rel.Verified.Documents += int64(len(compared))
			rel.Verified.Bytes += size
		})
		if err := pace.after(ctx, len(compared), size, both.a.took); err != nil {
			return err
		}
	}
}

// differing are those of the documents that are not the same on both sides. The
// target is read first, which nobody else writes: what differs then was either
// written and is noted, or is really different.
func (r *run) differing(ctx context.Context, from, to place, ids []app.DocumentID) ([]app.DocumentID, error) {
	var differ []app.DocumentID
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		b, err := to.document(ctx, id)
		if err != nil {
			return nil, err
		}
		a, err := from.document(ctx, id)
		if err != nil {
			return nil, err
		}
		if !same(a, b) {
			differ = append(differ, id)
		}
	}
	return differ, nil
}

// differ fails the relocation for documents that are not the same.
func (r *run) differ(ids []app.DocumentID) error {
	r.update(func(rel *app.Relocation) { rel.Differences = slices.Clone(ids[:min(len(ids), listed)]) })
	return failed("%d documents are not the same on both sides, the first of them %s", len(ids), ids[0])
}

// merge reads two places side by side.
type merge struct {
	a, b         *pages
	as, bs       []app.Document
	aEnds, bEnds bool
	done         app.DocumentID // up to here everything is compared
}

// next compares what is read of both, and gives the documents of a that were
// compared and the ids of those that differ. Nothing of either: that was all.
func (m *merge) next(ctx context.Context) (compared []app.Document, differ []app.DocumentID, err error) {
	if len(m.as) == 0 && !m.aEnds {
		if m.as, err = m.a.next(ctx); err != nil {
			return nil, nil, err
		}
		m.aEnds = len(m.as) == 0
	}
	if len(m.bs) == 0 && !m.bEnds {
		if m.bs, err = m.b.next(ctx); err != nil {
			return nil, nil, err
		}
		m.bEnds = len(m.bs) == 0
	}
	for (len(m.as) > 0 || m.aEnds) && (len(m.bs) > 0 || m.bEnds) && len(m.as)+len(m.bs) > 0 {
		switch {
		case len(m.bs) == 0 || len(m.as) > 0 && m.as[0].ID < m.bs[0].ID:
			m.done = m.as[0].ID
			compared, differ = append(compared, m.as[0]), append(differ, m.as[0].ID)
			m.as = m.as[1:]
		case len(m.as) == 0 || m.bs[0].ID < m.as[0].ID:
			m.done = m.bs[0].ID
			differ = append(differ, m.bs[0].ID)
			m.bs = m.bs[1:]
		default:
			m.done = m.as[0].ID
			if !same(&m.as[0], &m.bs[0]) {
				differ = append(differ, m.as[0].ID)
			}
			compared = append(compared, m.as[0])
			m.as, m.bs = m.as[1:], m.bs[1:]
		}
	}
	return compared, differ, nil
}
