package documents_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
)

func ids(list []app.Document) []string {
	out := []string{}
	for _, d := range list {
		out = append(out, string(d.ID))
	}
	return out
}

// all pages through a list.
func (w *world) all(o tenant, in documents.ListInput) []string {
	w.t.Helper()
	var out []string
	for {
		page, err := w.List(w.ctx, o.owner, o.slug, in)
		w.ok(err)
		if len(page.Items) > in.Limit || page.NextCursor != "" && len(page.Items) != in.Limit {
			w.t.Fatalf("a page of %d has %d, next %q", in.Limit, len(page.Items), page.NextCursor)
		}
		out = append(out, ids(page.Items)...)
		if page.NextCursor == "" {
			return out
		}
		in.Cursor = page.NextCursor
	}
}

func TestList(t *testing.T) {
	w := newWorld(t)
	page, err := w.List(w.ctx, w.acme.owner, w.acme.slug, documents.ListInput{})
	if err != nil || len(page.Items) != 0 || page.NextCursor != "" {
		t.Errorf("an empty list: %+v, %v", page, err)
	}
	var want, notes []string
	for i := range 300 { // enough for the index by type
		id, typ := fmt.Sprintf("d%03d", (i*7)%300), []string{"note", "letter", "note"}[i%3]
		_, err := w.Create(w.ctx, w.acme.owner, w.acme.slug, documents.CreateInput{ID: id, Type: typ, Data: []byte("{}")})
		w.ok(err)
		want = append(want, id)
		if typ == "note" {
			notes = append(notes, id)
		}
	}
	w.create(w.other, "d-of-another", "{}")
	slices.Sort(want)
	slices.Sort(notes)
	for _, limit := range []int{1, 7, 50, 100, 150, 199, 200} {
		if limit == 1 && testing.Short() {
			continue
		}
		if got := w.all(w.acme, documents.ListInput{Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("limit %d: %d documents", limit, len(got))
		}
		if got := w.all(w.acme, documents.ListInput{Limit: limit, Type: "note"}); !slices.Equal(got, notes) {
			t.Errorf("limit %d: %d notes", limit, len(got))
		}
	}
	page, err = w.List(w.ctx, w.acme.owner, w.acme.slug, documents.ListInput{})
	if err != nil || len(page.Items) != documents.DefaultLimit {
		t.Errorf("%d by default, %v", len(page.Items), err)
	}
	page, err = w.List(w.ctx, w.acme.owner, w.acme.slug, documents.ListInput{Type: "no' OR 1=1 --"})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("a type that nothing has: %d, %v", len(page.Items), err)
	}
	for _, limit := range []int{-1, 201, 1 << 30} {
		_, err := w.List(w.ctx, w.acme.owner, w.acme.slug, documents.ListInput{Limit: limit})
		w.wantCode(err, app.ErrInvalid, "invalid_limit")
	}
}

// TestPagesOfLargeDocuments: a page is bounded by bytes, too, and the list is
// whole nevertheless.
func TestPagesOfLargeDocuments(t *testing.T) {
	w := newWorld(t)
	sizes := []int{100, documents.MaxData, 100, 3 << 20, 3 << 20, 3 << 20, documents.MaxData - 200, 100, 100, 100}
	for i, n := range sizes {
		w.create(w.acme, fmt.Sprint(i), `{"a":"`+strings.Repeat("x", n-8)+`"}`)
	}
	var got []string
	in := documents.ListInput{Limit: 200}
	for pages := 0; ; pages++ {
		page, err := w.List(w.ctx, w.acme.owner, w.acme.slug, in)
		w.ok(err)
		size := 0
		for _, d := range page.Items {
			size += len(d.Data)
		}
		if len(page.Items) == 0 || size > documents.MaxData {
			t.Fatalf("page %d has %d documents of %d bytes", pages, len(page.Items), size)
		}
		got = append(got, ids(page.Items)...)
		if in.Cursor = page.NextCursor; in.Cursor == "" {
			break
		}
	}
	if !slices.Equal(got, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}) {
		t.Errorf("got %v", got)
	}
}

// TestCursorsOfOtherLists: a cursor is worth something in its own list alone.
func TestCursorsOfOtherLists(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.create(w.acme, fmt.Sprint("mine-", i), "{}")
		w.create(w.other, fmt.Sprint("theirs-", i), "{}")
	}
	first, err := w.List(w.ctx, w.acme.owner, w.acme.slug, documents.ListInput{Limit: 2})
	w.ok(err)
	typed, err := w.List(w.ctx, w.acme.owner, w.acme.slug, documents.ListInput{Limit: 2, Type: "note"})
	w.ok(err)
	theirs, err := w.List(w.ctx, w.other.owner, w.other.slug, documents.ListInput{Limit: 2})
	w.ok(err)
	made := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	mine := string(w.acme.owner.OrganizationID)
	for name, in := range map[string]documents.ListInput{
		"another organization's":  {Cursor: theirs.NextCursor},
		"of a type":               {Cursor: typed.NextCursor},
		"of no type":              {Cursor: first.NextCursor, Type: "note"},
		"garbage":                 {Cursor: "garbage"},
		"not base64":              {Cursor: "%%%"},
		"not JSON":                {Cursor: made("x")},
		"empty":                   {Cursor: made("{}")},
		"no id":                   {Cursor: made(`{"o":"` + mine + `","a":""}`)},
		"an id that cannot be":    {Cursor: made(`{"o":"` + mine + `","a":"a' OR 1=1"}`)},
		"wrong kind of value":     {Cursor: made(`{"o":"` + mine + `","a":1}`)},
		"cut":                     {Cursor: first.NextCursor[:len(first.NextCursor)-3]},
		"a list and not a cursor": {Cursor: made(`[]`)},
	} {
		in.Limit = 2
		page, err := w.List(w.ctx, w.acme.owner, w.acme.slug, in)
		if t.Run(name, func(*testing.T) { w.wantCode(err, app.ErrInvalid, "invalid_cursor") }); len(page.Items) > 0 {
			t.Errorf("%s: shows %v", name, ids(page.Items))
		}
	}
	// The place that a cursor names may be gone, and the list goes on behind it.
	w.ok(w.Delete(w.ctx, w.acme.owner, w.acme.slug, "mine-1", app.AnyRevision))
	page, err := w.List(w.ctx, w.acme.owner, w.acme.slug, documents.ListInput{Limit: 2, Cursor: first.NextCursor})
	if err != nil || !slices.Equal(ids(page.Items), []string{"mine-2", "mine-3"}) {
		t.Errorf("%v, %v", ids(page.Items), err)
	}
}

// TestListWhileOthersWrite: what is there all the time is listed once, in
// order, whatever comes and goes beside it.
func TestListWhileOthersWrite(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("%02d-stays", i))
		w.create(w.acme, want[i], "{}")
	}
	var stop atomic.Bool
	for _, err := range atOnce(4, func(i int) error {
		if i == 0 {
			defer stop.Store(true)
			for range 15 {
				got := w.all(w.acme, documents.ListInput{Limit: 6})
				if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
					return fmt.Errorf("out of order or twice: %v", got)
				}
				stays := slices.DeleteFunc(got, func(id string) bool { return id[2:] != "-stays" })
				if !slices.Equal(stays, want) {
					return fmt.Errorf("left out: %v", stays)
				}
			}
			return nil
		}
		for n := 0; !stop.Load(); n++ {
			id := fmt.Sprintf("%02d-goes-%d", n%40, i)
			if _, err := w.Create(w.ctx, w.acme.owner, w.acme.slug, documents.CreateInput{ID: id, Type: "note", Data: []byte("{}")}); err != nil {
				return err
			}
			if err := w.Delete(w.ctx, w.acme.owner, w.acme.slug, id, app.AnyRevision); err != nil {
				return err
			}
		}
		return nil
	}) {
		w.ok(err)
	}
}
