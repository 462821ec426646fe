package storagetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"tenantry/app"
)

// loaded is held by the one test that loads the store: several of them beside
// each other would only wait for it, some beyond the deadline of a call.
var loaded sync.Mutex

func loadAlone(t *testing.T) {
	loaded.Lock()
	t.Cleanup(loaded.Unlock)
}

// changingPhasesUnderLoad tests what a move hangs on: when SetPhase has
// returned, every write that was acknowledged is in the namespace, and noted if
// it came after the beginning of the recording.
func changingPhasesUnderLoad(s movingSuite) {
	s.test("SetPhase/UnderWritersNothingIsLost", func(t *testing.T, k *movingKingdom) {
		loadAlone(t)
		ns := k.provision("acme")
		l := beginLedger(k.ctx, 8, func() (app.Documents, app.Namespace) { return k.Cluster, ns })
		t.Cleanup(func() { l.stop.Store(true); l.wait.Wait() })
		for round := range 6 {
			mover := at(ns, int64(round+2))
			l.moreWrites(t, 8)
			must(t, k.SetPhase(k.ctx, mover, app.PhaseRecording))
			// Whatever is touched after this has a note.
			copied := byID(k.scanned(ns))
			l.moreWrites(t, 24)
			k.drain(mover, copied, 5)
			l.moreWrites(t, 8)
			must(t, k.SetPhase(k.ctx, mover, app.PhaseFrozen))
			k.drain(mover, copied, 1000)
			same(t, fmt.Sprintf("what was copied in round %d", round), copied, byID(k.scanned(ns)))
			if round%2 == 0 {
				must(t, k.SetPhase(k.ctx, mover, app.PhaseClosed))
				same(t, "what was copied, at the end", copied, byID(k.scanned(ns)))
			}
			must(t, k.SetPhase(k.ctx, mover, app.PhaseOpen))
		}
		l.moreWrites(t, 8)
		want := l.end(t)
		same(t, "the documents", byID(k.all(ns)), want)
	})
}

// drain brings what was touched into a copy of the namespace, at most so many
// times: writers may touch more meanwhile.
func (k *movingKingdom) drain(ns app.Namespace, copied map[app.DocumentID]app.Document, most int) {
	k.t.Helper()
	for range most {
		list, err := k.Changes(k.ctx, ns, 20, 0)
		must(k.t, err)
		if len(list) == 0 {
			return
		}
		for _, c := range list {
			if c.Document == nil {
				delete(copied, c.ID)
			} else {
				copied[c.ID] = *c.Document
			}
		}
		must(k.t, k.Settle(k.ctx, ns, list))
	}
}

// movingWhole moves an organization from one isolation to another in the same
// cluster while it is written to, and back, and there again: nothing that was
// acknowledged is lost, and nothing is left behind.
func movingWhole(t *testing.T, open func(t *testing.T) MovingCluster, from, to app.Isolation) {
	t.Run(fmt.Sprintf("SetPhase/AMoveFrom%sTo%sLosesNothing", from, to), func(t *testing.T) {
		t.Parallel()
		loadAlone(t)
		k := openMovingKingdom(t, open, from)
		t.Cleanup(k.neighbourIsUntouched)
		source := k.provision("acme")
		place, err := k.Locate(source.Organization, "acme", to)
		must(t, err)
		target := app.Namespace{Organization: source.Organization, Placement: place}
		var now atomic.Pointer[app.Namespace]
		here := source
		now.Store(&here)
		l := beginLedger(k.ctx, 8, func() (app.Documents, app.Namespace) { return k.Cluster, *now.Load() })
		t.Cleanup(func() { l.stop.Store(true); l.wait.Wait() })
		l.moreWrites(t, 50)

		target = at(target, 2)
		must(t, k.Receive(k.ctx, target))
		source = at(source, 2)
		must(t, k.SetPhase(k.ctx, source, app.PhaseRecording))
		k.copyAll(source, target)
		for generation := int64(2); generation < 5; generation++ {
			k.catchUp(source, target, 10)
			must(t, k.SetPhase(k.ctx, source, app.PhaseFrozen))
			k.catchUp(source, target, 1000)
			same(t, "what was moved", byID(k.scanned(target)), byID(k.scanned(source)))
			source, target = at(source, generation+1), at(target, generation+1)
			must(t, k.SetPhase(k.ctx, source, app.PhaseClosed))
			must(t, k.SetPhase(k.ctx, target, app.PhaseRecording))
			here := target
			now.Store(&here)
			l.moreWrites(t, 50)
			source, target = target, source // and back, with only what is touched
		}
		must(t, k.SetPhase(k.ctx, source, app.PhaseOpen))
		must(t, k.Drop(k.ctx, target))
		l.moreWrites(t, 20)
		want := l.end(t)
		same(t, "the documents", byID(k.all(source)), want)
		k.movedAway(target)
		stay := map[app.OrganizationID]app.Isolation{}
		list, err := k.Namespaces(k.ctx)
		must(t, err)
		for _, ns := range list {
			stay[ns.Organization] = ns.Placement.Isolation
		}
		equal(t, "where they are", stay, map[app.OrganizationID]app.Isolation{
			k.neighbour.Organization: from, source.Organization: source.Placement.Isolation})
	})
}

func (k *movingKingdom) copyAll(source, target app.Namespace) {
	k.t.Helper()
	for after := app.DocumentID(""); ; {
		list, err := k.Scan(k.ctx, source, app.DocumentQuery{After: after, Limit: 20})
		must(k.t, err)
		if len(list) == 0 {
			return
		}
		must(k.t, k.Import(k.ctx, target, list, nil))
		after = list[len(list)-1].ID
	}
}

// catchUp brings what was touched to the target, at most so many times.
func (k *movingKingdom) catchUp(source, target app.Namespace, most int) {
	k.t.Helper()
	for range most {
		list, err := k.Changes(k.ctx, source, 20, 0)
		must(k.t, err)
		if len(list) == 0 {
			return
		}
		var documents []app.Document
		var gone []app.DocumentID
		for _, c := range list {
			if c.Document == nil {
				gone = append(gone, c.ID)
			} else {
				documents = append(documents, *c.Document)
			}
		}
		must(k.t, k.Import(k.ctx, target, documents, gone))
		must(k.t, k.Settle(k.ctx, source, list))
	}
}
