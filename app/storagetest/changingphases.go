package storagetest

import (
	"errors"
	"testing"

	"tenantry/app"
)

func receiving(s movingSuite) {
	s.test("Receive/MakesAClosedNamespace", func(t *testing.T, k *movingKingdom) {
		ns := k.receive("acme", 3)
		k.is(ns, app.PhaseClosed)
		equal(t, "documents", k.scanned(ns), []app.Document{})
		k.movedAway(ns)
	})

	s.test("Receive/AgainKeepsWhatItHoldsAndRaisesTheGeneration", func(t *testing.T, k *movingKingdom) {
		ns := k.receive("acme", 3)
		d := newDocument("a", "note", `{}`)
		must(t, k.Import(k.ctx, ns, []app.Document{d}, nil))
		for _, generation := range []int64{3, 5, 5} {
			ns = at(ns, generation)
			must(t, k.Receive(k.ctx, ns))
			k.is(ns, app.PhaseClosed)
			equal(t, "documents", k.scanned(ns), []app.Document{d})
		}
		is(t, k.Receive(k.ctx, at(ns, 4)), app.ErrStale)
		k.is(ns, app.PhaseClosed)
	})

	s.test("Receive/OneThatIsInUseIsRefused", func(t *testing.T, k *movingKingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		is(t, k.Receive(k.ctx, at(ns, 2)), app.ErrStale)
		k.is(ns, app.PhaseOpen)
		for _, phase := range []app.NamespacePhase{app.PhaseRecording, app.PhaseFrozen} {
			ns = at(ns, ns.Placement.Generation+1)
			must(t, k.SetPhase(k.ctx, ns, phase))
			is(t, k.Receive(k.ctx, at(ns, ns.Placement.Generation+1)), app.ErrStale)
			k.is(ns, phase)
		}
		equal(t, "documents", k.scanned(ns), []app.Document{d})
	})

	s.test("Receive/ConcurrentlyTheSameIsOnce", func(t *testing.T, k *movingKingdom) {
		ns := k.locate("acme")
		for _, err := range race(8, func(int) error { return k.Receive(k.ctx, ns) }) {
			must(t, err)
		}
		k.is(ns, app.PhaseClosed)
	})

	s.test("Receive/ComesBackEmptyAfterADrop", func(t *testing.T, k *movingKingdom) {
		ns := k.receive("acme", 2)
		must(t, k.Import(k.ctx, ns, []app.Document{newDocument("a", "note", `{}`)}, nil))
		must(t, k.Drop(k.ctx, ns))
		is(t, second(k.Scan(k.ctx, ns, app.DocumentQuery{Limit: 1})), app.ErrNotFound)
		must(t, k.Receive(k.ctx, ns))
		equal(t, "documents", k.scanned(ns), []app.Document{})
	})

	if s.namesAreTaken() {
		s.test("Receive/ATakenCollectionIsAConflict", func(t *testing.T, k *movingKingdom) {
			ns := k.beside(k.neighbour, k.neighbour.Placement.Collection)
			taken(t, k.Receive(k.ctx, ns), app.ConflictCollection)
			_, _, err := k.Phase(k.ctx, ns)
			is(t, err, app.ErrNotFound)
		})
	}
}

func changingPhases(s movingSuite) {
	s.test("SetPhase/FrozenReadsAndHoldsWrites", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		want := k.all(ns)
		must(t, k.SetPhase(k.ctx, ns, app.PhaseFrozen))
		k.is(ns, app.PhaseFrozen)
		k.refuses(ns, app.ErrFrozen)
		equal(t, "documents", k.all(ns), want)
		equal(t, "document", k.document(ns, "a"), want[0])
		equal(t, "notes", k.changes(ns), []app.Change(nil))
		must(t, k.SetPhase(k.ctx, ns, app.PhaseRecording))
		for name, err := range k.writes(ns) {
			if err != nil {
				t.Errorf("the %s after the thaw: %v", name, err)
			}
		}
	})

	s.test("SetPhase/ClosedIsElsewhere", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		want := k.all(ns)
		must(t, k.SetPhase(k.ctx, ns, app.PhaseFrozen))
		must(t, k.SetPhase(k.ctx, at(ns, 3), app.PhaseClosed))
		k.is(at(ns, 3), app.PhaseClosed)
		for generation := range int64(5) { // whatever the placement that is remembered
			k.movedAway(at(ns, generation))
		}
		equal(t, "documents", k.scanned(ns), want)
		// As when it is moved back.
		must(t, k.SetPhase(k.ctx, at(ns, 4), app.PhaseRecording))
		equal(t, "documents", k.all(ns), want)
		k.insert(ns, "c", "note", `{}`)
		equal(t, "notes", namesOf(k.changes(ns)), []string{"c"})
	})

	s.test("SetPhase/TwiceIsOnce", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		k.insert(ns, "c", "note", `{}`)
		for _, phase := range []app.NamespacePhase{app.PhaseRecording, app.PhaseFrozen, app.PhaseFrozen, app.PhaseRecording, app.PhaseFrozen} {
			must(t, k.SetPhase(k.ctx, ns, phase))
			k.is(ns, phase)
			equal(t, "notes", namesOf(k.changes(ns)), []string{"c"})
		}
		for range 2 {
			must(t, k.SetPhase(k.ctx, ns, app.PhaseClosed))
			k.is(ns, app.PhaseClosed)
		}
		for range 2 {
			must(t, k.SetPhase(k.ctx, ns, app.PhaseOpen))
			k.is(ns, app.PhaseOpen)
			equal(t, "notes", k.changes(ns), []app.Change(nil))
		}
	})

	// A mover that was overtaken changes nothing any more.
	s.test("SetPhase/ALowerGenerationIsRefused", func(t *testing.T, k *movingKingdom) {
		ns := at(k.recording(), 4)
		must(t, k.SetPhase(k.ctx, ns, app.PhaseRecording))
		k.insert(ns, "c", "note", `{}`)
		for _, phase := range []app.NamespacePhase{app.PhaseOpen, app.PhaseRecording, app.PhaseFrozen, app.PhaseClosed} {
			for generation := range int64(4) {
				is(t, k.SetPhase(k.ctx, at(ns, generation), phase), app.ErrStale)
			}
		}
		k.is(ns, app.PhaseRecording)
		equal(t, "notes", namesOf(k.changes(ns)), []string{"c"})
	})

	s.test("SetPhase/AConcurrentOneOfAHigherGenerationIsLast", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		phases := []app.NamespacePhase{app.PhaseRecording, app.PhaseFrozen, app.PhaseOpen}
		for i, err := range race(9, func(i int) error {
			return k.SetPhase(k.ctx, at(ns, int64(i+2)), phases[i%len(phases)])
		}) {
			if i < 8 {
				err = ignoring(err, app.ErrStale)
			}
			must(t, err)
		}
		k.is(at(ns, 10), phases[8%len(phases)])
	})

	s.test("SetPhase/AnUnknownPhaseIsRefused", func(t *testing.T, k *movingKingdom) {
		ns := k.recording()
		for _, phase := range []app.NamespacePhase{"", "Open", "dropping", "nonsense'"} {
			is(t, k.SetPhase(k.ctx, at(ns, 3), phase), app.ErrInvalid)
		}
		k.is(ns, app.PhaseRecording)
	})

	s.test("SetPhase/UnknownIsNotFound", func(t *testing.T, k *movingKingdom) {
		for _, ns := range []app.Namespace{k.locate("never"), {Organization: app.NewID[app.OrganizationID](), Placement: k.neighbour.Placement}} {
			is(t, k.SetPhase(k.ctx, ns, app.PhaseRecording), app.ErrNotFound)
			is(t, k.Import(k.ctx, ns, []app.Document{newDocument("a", "note", `{}`)}, nil), app.ErrNotFound)
			is(t, k.Settle(k.ctx, ns, []app.Change{{ID: "a", Mark: 1}}), app.ErrNotFound)
			is(t, second(k.Scan(k.ctx, ns, app.DocumentQuery{Limit: 1})), app.ErrNotFound)
			is(t, second(k.Changes(k.ctx, ns, 1, 0)), app.ErrNotFound)
			is(t, second(k.CountChanges(k.ctx, ns, 1)), app.ErrNotFound)
			_, _, err := k.Phase(k.ctx, ns)
			is(t, err, app.ErrNotFound)
			k.missing(ns)
			k.movedAway(ns) // so that who has an old placement reads it again
		}
	})

	s.test("Phase/OfANewOneIsOpen", func(t *testing.T, k *movingKingdom) {
		k.is(k.provision("acme"), app.PhaseOpen)
		k.is(k.neighbour, app.PhaseOpen)
	})
}

func fencingDrops(s movingSuite) {
	// A mover that was paused must not destroy what came back since.
	s.test("Drop/OfAnOlderGenerationIsRefused", func(t *testing.T, k *movingKingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		must(t, k.SetPhase(k.ctx, at(ns, 5), app.PhaseOpen))
		for generation := range int64(5) {
			is(t, k.Drop(k.ctx, at(ns, generation)), app.ErrStale)
		}
		equal(t, "documents", k.all(ns), []app.Document{d})
		must(t, k.Drop(k.ctx, at(ns, 6)))
		k.missing(ns)
	})

	s.test("Drop/InEveryPhaseLeavesNothingBehind", func(t *testing.T, k *movingKingdom) {
		for _, phase := range []app.NamespacePhase{app.PhaseOpen, app.PhaseRecording, app.PhaseFrozen, app.PhaseClosed} {
			ns := k.recording()
			k.insert(ns, "c", "note", `{}`)
			must(t, k.SetPhase(k.ctx, ns, phase))
			must(t, k.Drop(k.ctx, ns))
			k.missing(ns)
			must(t, k.Provision(k.ctx, ns))
			equal(t, "documents", k.all(ns), []app.Document{})
			must(t, k.SetPhase(k.ctx, ns, app.PhaseRecording))
			equal(t, "notes", k.changes(ns), []app.Change(nil))
			k.insert(ns, "a", "note", `{}`)
			must(t, k.Drop(k.ctx, ns))
		}
	})
}

// ignoring is nil for an error of the kind.
func ignoring(err, kind error) error {
	if err == nil || errors.Is(err, kind) {
		return nil
	}
	return err
}
