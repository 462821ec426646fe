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
	// listed bounds the differences that are told.
	listed = 100
)

// verify reads both sides in order of ids and compares every document whole.
// One that differs was written since it was copied, and is noted: it will be
// copied once more. Nothing is copied meanwhile, so that one that differs and is
// not noted is really different.
func (r *run) verify(ctx context.Context) error {
	pace := r.m.pace()
	after := r.relocation().VerifiedTo
	both := &merge{a: scan(ctx, r.source, after, pace), b: scan(ctx, r.target, after, pace)}
	for len(r.relocation().Differences) < listed {
		compared, differ, err := both.next(ctx)
		if err != nil {
			return fmt.Errorf("compare: %w", err)
		}
		if len(compared) == 0 && len(differ) == 0 {
			break
		}
		size := sizeOf(compared)
		seen, err := r.source.look(ctx, differ)
		if err != nil {
			return fmt.Errorf("compare: %w", err)
		}
		excused, wrong := excuses(seen)
		r.update(func(rel *app.Relocation) {
			rel.Suspects = lastOf(slices.Concat(rel.Suspects, excused), suspectsKept)
			rel.Differences = slices.Concat(rel.Differences, wrong)
			rel.VerifiedTo = both.done
			rel.Verified.Documents += int64(len(compared))
			rel.Verified.Bytes += size
		})
		if err := pace.after(ctx, len(compared), size, both.a.took); err != nil {
			return err
		}
	}
	return r.differ(r.relocation().Differences)
}

func lastOf(ids []app.DocumentID, n int) []app.DocumentID {
	return slices.Clone(ids[max(0, len(ids)-n):])
}

// excuses tells documents that are noted, and will be copied once more, from the
// others.
func excuses(list []app.Sight) (excused, wrong []app.DocumentID) {
	for _, seen := range list {
		if seen.Noted {
			excused = append(excused, seen.ID)
		} else {
			wrong = append(wrong, seen.ID)
		}
	}
	return excused, wrong
}

// reconsider looks again at documents that differed and have been copied since,
// so that little is left to look at while writes are held.
func (r *run) reconsider(ctx context.Context, from, to place) error {
	different, err := differing(ctx, from, to, r.relocation().Suspects)
	if err != nil {
		return fmt.Errorf("compare what was written meanwhile: %w", err)
	}
	suspects, wrong := excuses(different)
	r.update(func(rel *app.Relocation) { rel.Suspects = suspects })
	return r.differ(wrong)
}

// compareRest looks at them for the last time, when nothing is written and all
// is copied.
func (r *run) compareRest(ctx context.Context, from, to place) error {
	different, err := differing(ctx, from, to, r.relocation().Suspects)
	if err != nil {
		return fmt.Errorf("compare the rest: %w", err)
	}
	var wrong []app.DocumentID
	for _, seen := range different {
		wrong = append(wrong, seen.ID)
	}
	return r.differ(wrong)
}

// differing are those of the documents that are not the same on both sides, as
// they are at from. The target is read first, which nobody else writes.
func differing(ctx context.Context, from, to place, ids []app.DocumentID) ([]app.Sight, error) {
	theirs, err := to.look(ctx, ids)
	if err != nil {
		return nil, err
	}
	ours, err := from.look(ctx, ids)
	if err != nil {
		return nil, err
	}
	var different []app.Sight
	for i, seen := range ours {
		if !same(seen.Document, theirs[i].Document) {
			different = append(different, seen)
		}
	}
	return different, nil
}

// differ fails the relocation for documents that are not the same, if there are
// any.
func (r *run) differ(ids []app.DocumentID) error {
	if len(ids) == 0 {
		return nil
	}
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
