package storagetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tenantry/app"
)

func replacing(s clusterSuite) {
	s.test("ReplaceDocument/StoresWithTheNextRevision", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		want := k.insert(ns, "a", "note", `{"n":1}`)
		other := k.insert(ns, "b", "note", `{"n":1}`)
		for i, r := range []struct {
			expected int64
			app.Replacement
		}{
			{app.AnyRevision, app.Replacement{Type: "type of 'x'", Data: []byte(`{"n":2.0,"$x":{"a.b":1e400},"":"\u0000"}`), At: want.UpdatedAt.Add(time.Second)}},
			{2, app.Replacement{Data: []byte(`{"$set":{"a":"$b"},"$$ROOT":1}`), At: want.UpdatedAt.Add(time.Minute)}},
			{app.AnyRevision, app.Replacement{Type: "task", Data: []byte(`{"big":"` + strings.Repeat("0123456789abcdef", 60_000) + `"}`), At: want.UpdatedAt.Add(time.Hour)}},
		} {
			got, err := k.ReplaceDocument(k.ctx, ns, "a", r.expected, r.Replacement)
			must(t, err)
			want.Data, want.UpdatedAt, want.Revision = r.Data, r.At, int64(i+2)
			if r.Type != "" {
				want.Type = r.Type
			}
			equal(t, "answer", got, want)
			equal(t, "document", k.document(ns, "a"), want)
		}
		equal(t, "the other document", k.document(ns, "b"), other)
		list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Type: "task", Limit: 5})
		must(t, err)
		equal(t, "documents of the new type", list, []app.Document{want})
	})

	s.test("ReplaceDocument/TimeDoesNotGoBack", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		want := k.insert(ns, "a", "note", `{}`)
		got, err := k.ReplaceDocument(k.ctx, ns, "a", 1, app.Replacement{Data: []byte(`{"n":1}`), At: want.UpdatedAt.Add(-time.Hour)})
		must(t, err)
		want.Data, want.Revision = []byte(`{"n":1}`), 2
		equal(t, "answer", got, want)
		equal(t, "document", k.document(ns, "a"), want)
	})

	s.test("ReplaceDocument/UnknownIsNotFound", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		for _, expected := range []int64{app.AnyRevision, 1} {
			_, err := k.ReplaceDocument(k.ctx, ns, "a", expected, app.Replacement{Data: []byte(`{}`), At: beginning})
			is(t, err, app.ErrNotFound)
		}
		equal(t, "documents", k.all(ns), []app.Document{})
	})

	s.test("ReplaceDocument/StaleChangesNothing", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		for _, expected := range []int64{2, -1, 99} {
			_, err := k.ReplaceDocument(k.ctx, ns, "a", expected, app.Replacement{Type: "other", Data: []byte(`{"stale":true}`), At: beginning})
			is(t, err, app.ErrStale)
		}
		equal(t, "document", k.document(ns, "a"), d)
	})

	s.test("ReplaceDocument/ConcurrentWritersOneWins", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		winner := oneWinner(t, race(16, func(i int) error {
			_, err := k.ReplaceDocument(k.ctx, ns, "a", 1, app.Replacement{Data: fmt.Appendf(nil, `{"writer":%d}`, i), At: beginning})
			return err
		}), app.ErrStale)
		got := k.document(ns, "a")
		equal(t, "revision", got.Revision, int64(2))
		equal(t, "data", string(got.Data), fmt.Sprintf(`{"writer":%d}`, winner))
	})

	s.test("ReplaceDocument/EachOfManyAtOnceHasARevisionOfItsOwn", func(t *testing.T, k *kingdom) {
		const writers, rounds = 16, 4
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		revisions := make([][]int64, writers)
		for _, err := range race(writers, func(i int) error {
			for range rounds {
				d, err := k.ReplaceDocument(k.ctx, ns, "a", app.AnyRevision, app.Replacement{Data: []byte(`{}`), At: beginning})
				if err != nil {
					return err
				}
				revisions[i] = append(revisions[i], d.Revision)
			}
			return nil
		}) {
			must(t, err)
		}
		seen := map[int64]bool{}
		for _, of := range revisions {
			for _, r := range of {
				if seen[r] || r < 2 || r > writers*rounds+1 {
					t.Fatalf("revision %d was given twice, or is none of these", r)
				}
				seen[r] = true
			}
		}
		equal(t, "revision", k.document(ns, "a").Revision, int64(writers*rounds+1))
	})

	// Against deletions: what was acknowledged is what is there.
	s.test("ReplaceDocument/BesideADeletionOneOfBothIsLast", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		for i := range 10 {
			id := app.DocumentID(fmt.Sprintf("d-%d", i))
			k.insert(ns, id, "note", `{}`)
			answers := race(2, func(i int) error {
				if i == 0 {
					return k.DeleteDocument(k.ctx, ns, id, 1)
				}
				_, err := k.ReplaceDocument(k.ctx, ns, id, 1, app.Replacement{Data: []byte(`{"n":1}`), At: beginning})
				return err
			})
			_, err := k.Document(k.ctx, ns, id)
			switch {
			case answers[0] == nil:
				is(t, answers[1], app.ErrNotFound)
				is(t, err, app.ErrNotFound)
			case errors.Is(answers[0], app.ErrStale):
				must(t, answers[1])
				must(t, err)
			default:
				t.Fatalf("the deletion: %v", answers[0])
			}
		}
	})
}
