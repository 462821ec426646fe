package storagetest

import (
	"fmt"
	"testing"
	"time"

	"tenantry/app"
)

func scanning(s movingSuite) {
	s.test("Scan/IsTheSameInEveryPhase", func(t *testing.T, k *movingKingdom) {
		ns := k.provision("acme")
		for i := range 9 {
			k.insert(ns, app.DocumentID(fmt.Sprintf("d-%d", i)), []string{"note", "task"}[i%2], `"12345678"`)
		}
		queries := []app.DocumentQuery{
			{Limit: 100}, {Limit: 4}, {Limit: 4, After: "d-3"}, {Limit: 100, After: "d-8"}, {Type: "task", Limit: 2, After: "d-1"}, {Limit: 100, MaxBytes: 30},
		}
		want := make([][]app.Document, len(queries))
		for i, q := range queries {
			list, err := k.ListDocuments(k.ctx, ns, q)
			must(t, err)
			want[i] = list
		}
		for _, phase := range []app.NamespacePhase{app.PhaseOpen, app.PhaseRecording, app.PhaseFrozen, app.PhaseClosed} {
			ns = at(ns, ns.Placement.Generation+1)
			must(t, k.SetPhase(k.ctx, ns, phase))
			for i, q := range queries {
				list, err := k.Scan(k.ctx, ns, q)
				must(t, err)
				equal(t, fmt.Sprintf("%+v while %s", q, phase), list, want[i])
			}
			stats, err := k.Stats(k.ctx, ns)
			must(t, err)
			equal(t, "documents", stats.Documents, int64(9))
		}
	})
}

func importing(s movingSuite) {
	s.test("Import/StoresDocumentsExactlyAsTheyAre", func(t *testing.T, k *movingKingdom) {
		ns := k.receive("acme", 2)
		want := []app.Document{
			{ID: "A", Type: "note", Revision: 4711, CreatedAt: beginning, UpdatedAt: beginning.Add(time.Hour), Data: []byte(`{"n":1.0,"b":1,"a":2}`)},
			{ID: "a", Type: "type of 'x'", Revision: 1, CreatedAt: beginning.Add(-time.Hour), UpdatedAt: beginning.Add(-time.Hour), Data: []byte(`{"$x":1,"a.b":{"":null},"ü":"🚀\u0000"}`)},
			{ID: "b", Type: "", Revision: 9_000_000_000, CreatedAt: beginning, UpdatedAt: beginning, Data: []byte(`{}`)},
		}
		for range 2 { // twice is once
			must(t, k.Import(k.ctx, ns, want, nil))
			equal(t, "documents", k.scanned(ns), want)
		}
		must(t, k.Import(k.ctx, ns, nil, nil))
		// Over others: older ones too. It is the mover who knows what is true.
		want[0].Revision, want[0].Type, want[0].Data, want[0].UpdatedAt = 3, "task", []byte(`{"older":true}`), beginning.Add(-time.Minute)
		for range 2 {
			must(t, k.Import(k.ctx, ns, want[:1], []app.DocumentID{"a", "never"}))
			equal(t, "documents", k.scanned(ns), []app.Document{want[0], want[2]})
		}
		must(t, k.SetPhase(k.ctx, ns, app.PhaseOpen))
		equal(t, "documents", k.all(ns), []app.Document{want[0], want[2]})
		list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Type: "task", Limit: 5})
		must(t, err)
		equal(t, "documents of a type", list, want[:1])
		d, err := k.ReplaceDocument(k.ctx, ns, "b", 9_000_000_000, app.Replacement{Data: []byte(`{"n":1}`), At: beginning})
		must(t, err)
		equal(t, "the next revision", d.Revision, int64(9_000_000_001))
		k.insert(ns, "a", "note", `{}`)
	})

	// Most of them are not there, and those that are get what they are given.
	s.test("Fill/StoresDocumentsOverThoseThatAreThere", func(t *testing.T, k *movingKingdom) {
		ns := k.receive("acme", 2)
		var want []app.Document
		for i := range 50 {
			want = append(want, newDocument(app.DocumentID(fmt.Sprintf("d-%02d", i)), "note", fmt.Sprintf(`{"n":%d}`, i)))
		}
		older := []app.Document{want[3], want[4]}
		older[0].Revision, older[0].Data = 7, []byte(`{"other":1}`)
		must(t, k.Fill(k.ctx, ns, older))
		for range 2 { // twice is once
			must(t, k.Fill(k.ctx, ns, want))
			equal(t, "documents", k.scanned(ns), want)
		}
		must(t, k.Fill(k.ctx, ns, nil))
		is(t, k.Fill(k.ctx, at(ns, 1), want), app.ErrStale)
		is(t, k.Fill(k.ctx, at(ns, 3), want), app.ErrStale)
		must(t, k.SetPhase(k.ctx, at(ns, 3), app.PhaseOpen))
		is(t, k.Fill(k.ctx, at(ns, 3), older), app.ErrStale)
		equal(t, "documents", k.all(ns), want)
	})

	s.test("Import/OfManyIsListedByTypeToo", func(t *testing.T, k *movingKingdom) {
		const n = 1000
		ns := k.receive("acme", 2)
		var want, tasks []app.Document
		for i := range n {
			d := newDocument(app.DocumentID(fmt.Sprintf("d-%04d", i)), "note", fmt.Sprintf(`{"n":%d}`, i))
			if i%100 == 7 {
				d.Type = "task"
				tasks = append(tasks, d)
			}
			want = append(want, d)
		}
		for i := 0; i < n; i += 250 {
			must(t, k.Import(k.ctx, ns, want[i:i+250], nil))
		}
		must(t, k.SetPhase(k.ctx, ns, app.PhaseRecording))
		equal(t, "documents", k.all(ns), want)
		list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Type: "task", Limit: n})
		must(t, err)
		equal(t, "documents of a type", list, tasks)
		equal(t, "notes", k.changes(ns), []app.Change(nil))
	})

	// Only into what is closed at just that generation: whoever was overtaken, or
	// comes after the end, changes nothing.
	s.test("Import/IsFenced", func(t *testing.T, k *movingKingdom) {
		documents := []app.Document{newDocument("a", "note", `{"late":true}`), newDocument("z", "note", `{}`)}
		refused := func(ns app.Namespace) {
			t.Helper()
			before := k.scanned(ns)
			is(t, k.Import(k.ctx, ns, documents, nil), app.ErrStale)
			is(t, k.Import(k.ctx, ns, nil, []app.DocumentID{"a"}), app.ErrStale)
			equal(t, "documents", k.scanned(ns), before)
		}
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		refused(ns)
		for _, phase := range []app.NamespacePhase{app.PhaseRecording, app.PhaseFrozen} {
			must(t, k.SetPhase(k.ctx, at(ns, 2), phase))
			refused(at(ns, 2))
		}
		must(t, k.SetPhase(k.ctx, at(ns, 5), app.PhaseClosed))
		for _, generation := range []int64{1, 2, 4, 6} {
			refused(at(ns, generation))
		}
		must(t, k.Import(k.ctx, at(ns, 5), documents, nil))
		equal(t, "documents", k.scanned(ns), documents)
	})

	s.test("Import/ByOneWhoIsOvertakenMeanwhile", func(t *testing.T, k *movingKingdom) {
		ns := k.receive("acme", 2)
		answers := race(9, func(i int) error {
			if i == 8 {
				return k.Receive(k.ctx, at(ns, 3))
			}
			for n := range 20 {
				d := newDocument(app.DocumentID(fmt.Sprintf("d-%d-%d", i, n)), "note", `{}`)
				if err := k.Import(k.ctx, ns, []app.Document{d}, nil); err != nil {
					return err
				}
			}
			return nil
		})
		must(t, answers[8])
		for _, err := range answers[:8] {
			must(t, ignoring(err, app.ErrStale))
		}
		before := k.scanned(ns)
		is(t, k.Import(k.ctx, ns, []app.Document{newDocument("late", "note", `{}`)}, nil), app.ErrStale)
		equal(t, "documents", k.scanned(ns), before)
	})
}
