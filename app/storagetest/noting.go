package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"tenantry/app"
)

func noting(s movingSuite) {
	s.test("Changes/ListsWhatWasTouchedAsItIsNow", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		equal(t, "at first", k.changes(ns), []app.Change(nil))
		k.insert(ns, "c", "note", `{"n":3}`)
		must(t, k.DeleteDocument(k.ctx, ns, "b", app.AnyRevision))
		k.insert(ns, "d", "note", `{}`)
		must(t, k.DeleteDocument(k.ctx, ns, "d", 1)) // came and went
		must(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision))
		again := k.insert(ns, "a", "task", `{"again":true}`)
		updated, err := k.UpdateDocument(k.ctx, ns, "c", app.AnyRevision, func(d *app.Document) error {
			d.Data = []byte(`{"n":4}`)
			return nil
		})
		must(t, err)
		got := k.changes(ns)
		equal(t, "what was touched", namesOf(got), []string{"-b", "-d", "a", "c"})
		marks := map[int64]bool{}
		for _, c := range got {
			marks[c.Mark] = true
			if c.ID == "a" {
				equal(t, "document", *c.Document, again)
			}
			if c.ID == "c" {
				equal(t, "document", *c.Document, updated)
			}
		}
		equal(t, "marks that differ", len(marks), 4)
		equal(t, "the same again", k.changes(ns), got)
		replaced, err := k.ReplaceDocument(k.ctx, ns, "a", 1, app.Replacement{Data: []byte(`{"n":5}`), At: beginning})
		must(t, err)
		equal(t, "as many", len(k.changes(ns)), 4)
		for _, c := range k.changes(ns) {
			if c.ID == "a" {
				equal(t, "document", *c.Document, replaced)
				equal(t, "its mark was there before", marks[c.Mark], false)
			}
		}
	})

	s.test("Changes/NoteNothingThatWasRefused", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		taken(t, k.InsertDocument(k.ctx, ns, newDocument("a", "note", `{}`)), app.ConflictDocumentID)
		refusal := errors.New("no")
		is(t, second(k.UpdateDocument(k.ctx, ns, "a", 1, func(*app.Document) error { return refusal })), refusal)
		is(t, second(k.UpdateDocument(k.ctx, ns, "a", 9, func(*app.Document) error { return nil })), app.ErrStale)
		is(t, second(k.ReplaceDocument(k.ctx, ns, "a", 9, app.Replacement{Data: []byte(`{}`), At: beginning})), app.ErrStale)
		is(t, k.DeleteDocument(k.ctx, ns, "a", 9), app.ErrStale)
		is(t, k.DeleteDocument(k.ctx, ns, "never", app.AnyRevision), app.ErrNotFound)
		equal(t, "what was touched", k.changes(ns), []app.Change(nil))
		equal(t, "document", k.document(ns, "a"), newDocument("a", "note", `{"n":1}`))
	})

	s.test("Changes/OfNoneThatIsRecordingAreNone", func(t *testing.T, k *movingKingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		equal(t, "of an open one", k.changes(ns), []app.Change(nil))
		must(t, k.SetPhase(k.ctx, at(ns, 2), app.PhaseRecording))
		k.insert(ns, "b", "note", `{}`)
		must(t, k.SetPhase(k.ctx, at(ns, 2), app.PhaseOpen))
		k.insert(ns, "c", "note", `{}`)
		equal(t, "of one that is open again", k.changes(ns), []app.Change(nil))
		must(t, k.SetPhase(k.ctx, at(ns, 3), app.PhaseRecording))
		equal(t, "of one that begins", k.changes(ns), []app.Change(nil))
	})

	s.test("Changes/NoMoreThanWereAskedFor", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		for i := range 6 {
			k.insert(ns, app.DocumentID(fmt.Sprintf("d-%d", i)), "note", `"12345678"`) // ten bytes
		}
		for limit, want := range map[int]int{1: 1, 5: 5, 6: 6, 7: 6} {
			list, err := k.Changes(k.ctx, ns, limit, 0)
			must(t, err)
			equal(t, fmt.Sprintf("at most %d", limit), len(list), want)
			n, err := k.CountChanges(k.ctx, ns, limit)
			must(t, err)
			equal(t, fmt.Sprintf("counted up to %d", limit), n, want)
		}
		for most, want := range map[int]int{1: 1, 9: 1, 10: 2, 39: 4, 40: 5, 59: 6, 100: 6} {
			list, err := k.Changes(k.ctx, ns, 100, most)
			must(t, err)
			equal(t, fmt.Sprintf("for %d bytes", most), len(list), want)
		}
	})

	s.test("CountChanges/CountsItsOwn", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		for i := range 5 {
			n, err := k.CountChanges(k.ctx, ns, 100)
			must(t, err)
			equal(t, "changes", n, i)
			k.insert(ns, app.DocumentID(fmt.Sprintf("d-%d", i)), "note", `{}`)
		}
	})
}

func looking(s movingSuite) {
	s.test("Look/TellsOfEachAndWhetherItIsNoted", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		c := k.insert(ns, "c", "note", `{"n":3}`)
		must(t, k.DeleteDocument(k.ctx, ns, "b", app.AnyRevision))
		a := k.document(ns, "a")
		ids := []app.DocumentID{"never", "c", "b", "a"}
		want := []app.Sight{{ID: "a", Document: &a}, {ID: "b", Noted: true}, {ID: "c", Document: &c, Noted: true}, {ID: "never"}}
		look := func() []app.Sight {
			list, err := k.Look(k.ctx, ns, ids, 0)
			must(t, err)
			return list
		}
		equal(t, "while recording", look(), want)
		must(t, k.SetPhase(k.ctx, ns, app.PhaseFrozen))
		equal(t, "while frozen", look(), want)
		must(t, k.Settle(k.ctx, ns, k.changes(ns)))
		want[1].Noted, want[2].Noted = false, false
		equal(t, "when it is settled", look(), want)
		for _, phase := range []app.NamespacePhase{app.PhaseClosed, app.PhaseOpen} {
			must(t, k.SetPhase(k.ctx, ns, phase))
			equal(t, "while "+string(phase), look(), want)
		}
		none, err := k.Look(k.ctx, ns, nil, 0)
		must(t, err)
		equal(t, "of none", len(none), 0)
		none, err = k.Look(k.ctx, ns, []app.DocumentID{"doc"}, 0) // another's
		must(t, err)
		equal(t, "of another's", none, []app.Sight{{ID: "doc"}})
	})

	s.test("Look/EndsWhereItBecomesTooMuch", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		var ids []app.DocumentID
		for i := range 6 {
			d := k.insert(ns, app.DocumentID(fmt.Sprintf("d-%d", i)), "note", `"12345678"`) // ten bytes
			ids = append(ids, d.ID, d.ID+"-none")
		}
		for most, want := range map[int]int{1: 1, 9: 1, 10: 3, 39: 7, 1000: 12, 0: 12} {
			list, err := k.Look(k.ctx, ns, ids, most)
			must(t, err)
			equal(t, fmt.Sprintf("for %d bytes", most), len(list), want)
			for i, seen := range list {
				equal(t, "id", seen.ID, ids[i])
			}
		}
	})
}

func settling(s movingSuite) {
	s.test("Settle/ForgetsWhatItIsGiven", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		for i := range 4 {
			k.insert(ns, app.DocumentID(fmt.Sprintf("d-%d", i)), "note", `{}`)
		}
		must(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision))
		want := k.all(ns)
		for left := 5; left > 0; {
			some, err := k.Changes(k.ctx, ns, 2, 0)
			must(t, err)
			if len(some) == 0 {
				t.Fatalf("none are listed, and %d are left", left)
			}
			for range 2 { // twice is once
				must(t, k.Settle(k.ctx, ns, some))
			}
			left -= len(some)
			equal(t, "what is left", len(k.changes(ns)), left)
		}
		must(t, k.Settle(k.ctx, ns, nil))
		equal(t, "documents", k.all(ns), want)
		is(t, second(k.Document(k.ctx, ns, "a")), app.ErrNotFound)
		// What is settled can be touched again.
		again := k.insert(ns, "a", "note", `{"again":true}`)
		got := k.changes(ns)
		equal(t, "what was touched since", namesOf(got), []string{"a"})
		equal(t, "document", *got[0].Document, again)
	})

	s.test("Settle/KeepsWhatWasTouchedAgainMeanwhile", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		k.insert(ns, "updated", "note", `{}`)
		k.insert(ns, "deleted", "note", `{}`)
		k.insert(ns, "same", "note", `{}`)
		must(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision))
		must(t, k.DeleteDocument(k.ctx, ns, "b", app.AnyRevision))
		seen := k.changes(ns)
		equal(t, "what was touched", len(seen), 5)
		_, err := k.ReplaceDocument(k.ctx, ns, "updated", 1, app.Replacement{Data: []byte(`{"n":2}`), At: beginning})
		must(t, err)
		must(t, k.DeleteDocument(k.ctx, ns, "deleted", app.AnyRevision))
		k.insert(ns, "a", "note", `{"back":true}`)
		// As it was: the same revision and content, by another write.
		k.insert(ns, "b", "note", `{}`)
		must(t, k.DeleteDocument(k.ctx, ns, "b", app.AnyRevision))
		must(t, k.Settle(k.ctx, ns, seen))
		equal(t, "what is left", namesOf(k.changes(ns)), []string{"-b", "-deleted", "a", "updated"})
		must(t, k.Settle(k.ctx, ns, k.changes(ns)))
		equal(t, "what is left", k.changes(ns), []app.Change(nil))
	})

	s.test("Settle/WhileFrozen", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		k.insert(ns, "c", "note", `{}`)
		must(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision))
		must(t, k.SetPhase(k.ctx, ns, app.PhaseFrozen))
		want := k.all(ns)
		equal(t, "what was touched", namesOf(k.changes(ns)), []string{"-a", "c"})
		must(t, k.Settle(k.ctx, ns, k.changes(ns)))
		equal(t, "what is left", k.changes(ns), []app.Change(nil))
		equal(t, "documents", k.all(ns), want)
		k.is(ns, app.PhaseFrozen)
		must(t, k.SetPhase(k.ctx, ns, app.PhaseRecording))
		k.insert(ns, "a", "note", `{}`)
		equal(t, "what was touched after the thaw", namesOf(k.changes(ns)), []string{"a"})
	})

	// Who was overtaken may have copied to where nothing is any more.
	s.test("Settle/ALowerGenerationIsRefused", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		k.insert(ns, "c", "note", `{}`)
		must(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision))
		seen := k.changes(ns)
		must(t, k.SetPhase(k.ctx, at(ns, 3), app.PhaseRecording))
		is(t, k.Settle(k.ctx, ns, seen), app.ErrStale)
		equal(t, "what is left", k.changes(ns), seen)
		must(t, k.Settle(k.ctx, at(ns, 3), seen))
		equal(t, "what is left", k.changes(ns), []app.Change(nil))
	})

	s.test("Settle/ReachesNobodyElse", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		k.insert(ns, "c", "note", `{}`)
		own := k.changes(ns)
		must(t, k.Settle(k.ctx, ns, k.touched)) // the other's marks
		equal(t, "what is left", k.changes(ns), own)
		crafted := slices.Clone(own)
		for i := range crafted {
			crafted[i].ID = "never"
		}
		must(t, k.Settle(k.ctx, ns, crafted))
		equal(t, "what is left", k.changes(ns), own)
	})
}
