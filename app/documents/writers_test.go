package documents_test

import (
	"fmt"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
)

func TestStaleRevisions(t *testing.T) {
	w := newWorld(t)
	o := w.acme
	w.create(o, "a", `{"n":1}`)
	_, err := w.Put(w.ctx, o.owner, o.slug, "a", documents.PutInput{Data: []byte(`{"n":2}`)}) // of any revision
	w.ok(err)
	for _, revision := range []int64{1, 3, -1, 1 << 62} {
		_, err := w.Put(w.ctx, o.owner, o.slug, "a", documents.PutInput{Data: []byte("{}"), IfRevision: revision})
		w.wantCode(err, app.ErrStale, "revision_mismatch")
		_, err = w.Patch(w.ctx, o.owner, o.slug, "a", documents.PatchInput{Patch: []byte("{}"), IfRevision: revision})
		w.wantCode(err, app.ErrStale, "revision_mismatch")
		w.wantCode(w.Delete(w.ctx, o.owner, o.slug, "a", revision), app.ErrStale, "revision_mismatch")
	}
	w.has(o, "a", `{"n":2}`, 2)
}

// TestWritersAtOnce: for each revision exactly one of 32 writers wins.
func TestWritersAtOnce(t *testing.T) {
	w := newWorld(t)
	o := w.acme
	w.create(o, "a", `{}`)
	for revision := int64(1); revision <= 5; revision++ {
		won := 0
		for i, err := range atOnce(32, func(i int) error {
			data := fmt.Appendf(nil, `{"writer":%d}`, i)
			var err error
			if i%2 == 0 {
				_, err = w.Put(w.ctx, o.owner, o.slug, "a", documents.PutInput{Data: data, IfRevision: revision})
			} else {
				_, err = w.Patch(w.ctx, o.owner, o.slug, "a", documents.PatchInput{Patch: data, IfRevision: revision})
			}
			return err
		}) {
			if err != nil {
				w.wantCode(err, app.ErrStale, "revision_mismatch")
				continue
			}
			won++
			w.has(o, "a", fmt.Sprintf(`{"writer":%d}`, i), revision+1)
		}
		if won != 1 {
			t.Errorf("revision %d: %d won", revision, won)
		}
	}
	// Patches of any revision all count.
	for i, err := range atOnce(32, func(i int) error {
		_, err := w.Patch(w.ctx, o.owner, o.slug, "a", documents.PatchInput{Patch: fmt.Appendf(nil, `{"k%d":%d}`, i, i)})
		return err
	}) {
		if err != nil {
			t.Errorf("patch %d: %v", i, err)
		}
	}
	d, err := w.Get(w.ctx, o.owner, o.slug, "a")
	if err != nil || d.Revision != 38 || strings.Count(string(d.Data), `"k`) != 32 {
		t.Errorf("revision %d: %s, %v", d.Revision, d.Data, err)
	}
	won := 0
	for _, err := range atOnce(32, func(int) error { return w.Delete(w.ctx, o.owner, o.slug, "a", 38) }) {
		if err == nil {
			won++
		} else {
			w.wantCode(err, app.ErrNotFound, "document_not_found")
		}
	}
	if won != 1 {
		t.Errorf("%d deleted it", won)
	}
	won = 0
	for _, err := range atOnce(32, func(int) error {
		_, err := w.Create(w.ctx, o.owner, o.slug, documents.CreateInput{ID: "a", Type: "note", Data: []byte("{}")})
		return err
	}) {
		if err == nil {
			won++
		} else {
			w.wantCode(err, app.ErrConflict, "document_id_taken")
		}
	}
	if won != 1 {
		t.Errorf("%d created it", won)
	}
}
