package storagetest

import (
	"fmt"
	"slices"
	"testing"

	"tenantry/app"
)

func listingDocuments(s clusterSuite) {
	s.test("ListDocuments/InByteOrderOfIDs", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		ids := []app.DocumentID{"b", "B", "a", "A", "10", "9", "1", "_", "-", "~", ".", "aa", "a-", "a~", "Z", "z"}
		for i, id := range ids {
			k.insert(ns, id, []string{"note", "task", "Note"}[i%3], `{}`)
		}
		slices.Sort(ids)
		for _, kind := range []string{"", "note", "task", "Note", "unknown", "not", "%"} {
			var want []app.DocumentID
			for _, id := range ids {
				if kind == "" || k.document(ns, id).Type == kind {
					want = append(want, id)
				}
			}
			for limit := 1; limit <= len(ids)+1; limit += 3 {
				equal(t, fmt.Sprintf("type %q in pages of %d", kind, limit),
					idsOf(k.documentPages(ns, app.DocumentQuery{Type: kind, Limit: limit}, nil)), want)
			}
		}
	})

	s.test("ListDocuments/EndsWithTheDocumentThatIsTooMuch", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		for _, id := range []app.DocumentID{"a", "b", "c", "d"} {
			k.insert(ns, id, "note", `"12345678"`) // ten bytes
		}
		for most, want := range map[int]int{0: 4, 1: 1, 9: 1, 10: 2, 19: 2, 20: 3, 39: 4, 40: 4, 100: 4} {
			list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Limit: 10, MaxBytes: most})
			must(t, err)
			equal(t, fmt.Sprintf("documents for %d bytes", most), len(list), want)
		}
		list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Limit: 2, MaxBytes: 100, After: "a", Type: "note"})
		must(t, err)
		equal(t, "documents", idsOf(list), []app.DocumentID{"b", "c"})
	})

	s.test("ListDocuments/ReturnsWholeDocuments", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		want := []app.Document{k.insert(ns, "a", "note", `{"b":1,"a":1.0}`), k.insert(ns, "b", "task", `{"ü":"🚀"}`)}
		equal(t, "documents", k.all(ns), want)
		list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Type: "task", Limit: 5})
		must(t, err)
		equal(t, "documents of a type", list, want[1:])
	})

	s.test("ListDocuments/CursorEdges", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		for _, id := range []app.DocumentID{"b", "d"} {
			k.insert(ns, id, "note", `{}`)
		}
		for after, want := range map[app.DocumentID][]app.DocumentID{
			"": {"b", "d"}, "a": {"b", "d"}, "b": {"d"}, "c": {"d"}, "d": nil, "e": nil, "B": {"b", "d"}, "b-": {"d"}, "~": nil,
		} {
			for _, kind := range []string{"", "note"} {
				list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Type: kind, After: after, Limit: 5})
				must(t, err)
				equal(t, fmt.Sprintf("type %q after %q", kind, after), idsOf(list), want)
			}
		}
	})

	s.test("ListDocuments/LeavesNothingOutWhileOthersComeAndGo", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		var stay []app.DocumentID
		for i := range 20 {
			id := app.DocumentID(fmt.Sprintf("k-%02d", i))
			k.insert(ns, id, "note", `{}`)
			if i%5 != 3 {
				stay = append(stay, id)
			}
		}
		n := 0
		got := idsOf(k.documentPages(ns, app.DocumentQuery{Type: "note", Limit: 3}, func() {
			k.insert(ns, app.DocumentID(fmt.Sprintf("k-%02d-late", n)), "note", `{}`)
			if id := app.DocumentID(fmt.Sprintf("k-%02d", n)); n%5 == 3 {
				must(t, k.DeleteDocument(k.ctx, ns, id, app.AnyRevision))
			}
			n++
		}))
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("not in order or twice: %v", got)
		}
		for _, id := range stay {
			if !slices.Contains(got, id) {
				t.Fatalf("%s was there all the time and is not listed: %v", id, got)
			}
		}
	})
}

func idsOf(list []app.Document) []app.DocumentID {
	var ids []app.DocumentID
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	return ids
}

// documentPages lists a query to its end, calling between after each page.
func (k *kingdom) documentPages(ns app.Namespace, q app.DocumentQuery, between func()) []app.Document {
	k.t.Helper()
	var all []app.Document
	for range 1000 {
		page, err := k.ListDocuments(k.ctx, ns, q)
		must(k.t, err)
		if len(page) > q.Limit {
			k.t.Fatalf("a page of %d where at most %d were asked for", len(page), q.Limit)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		q.After = page[len(page)-1].ID
		if between != nil {
			between()
		}
	}
	k.t.Fatal("the list has no end")
	return nil
}
