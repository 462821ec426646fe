package storagetest

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"tenantry/app"
)

// moving is the cluster as what moves its namespaces; nil when it cannot.
func (m *clusterModel) moving() app.Moving {
	moving, _ := m.real.(app.Moving)
	return moving
}

// mover draws a namespace as somebody knows it who works on it, perhaps with a
// generation that is none of its own.
func (m *clusterModel) mover(r *rapid.T) (app.Namespace, *heldNamespace) {
	ns := m.namespace(r)
	h := m.held[keyOf(ns)]
	ns.Placement.Generation = drawGeneration(r, h)
	return ns, h
}

func (m *clusterModel) receive(r *rapid.T) {
	ns, h := m.mover(r)
	ns.Placement.Collection = drawCollection(r, ns.Placement.Isolation)
	err := m.moving().Receive(r.Context(), ns)
	switch {
	case h != nil && (h.phase != app.PhaseClosed || h.generation > ns.Placement.Generation):
		answers(r, err, app.ErrStale)
	case h != nil:
		answers(r, err, nil)
		h.generation = ns.Placement.Generation
	case m.takenBy(ns, ns.Placement.Collection):
		answers(r, err, app.Taken(app.ConflictCollection))
	default:
		answers(r, err, nil)
		m.held[keyOf(ns)] = hold(ns, app.PhaseClosed)
	}
}

// nextPhases are those that a move goes through, there and back.
var nextPhases = map[app.NamespacePhase][]app.NamespacePhase{
	app.PhaseOpen:      {app.PhaseOpen, app.PhaseRecording},
	app.PhaseRecording: {app.PhaseRecording, app.PhaseFrozen, app.PhaseOpen},
	app.PhaseFrozen:    {app.PhaseFrozen, app.PhaseRecording, app.PhaseClosed, app.PhaseOpen},
	app.PhaseClosed:    {app.PhaseClosed, app.PhaseRecording, app.PhaseOpen},
}

func (m *clusterModel) setPhase(r *rapid.T) {
	ns, h := m.mover(r)
	phase := app.PhaseOpen
	if h != nil {
		phase = rapid.SampledFrom(nextPhases[h.phase]).Draw(r, "phase")
	}
	err := m.moving().SetPhase(r.Context(), ns, phase)
	switch {
	case h == nil:
		answers(r, err, app.ErrNotFound)
	case h.generation > ns.Placement.Generation:
		answers(r, err, app.ErrStale)
	default:
		answers(r, err, nil)
		if phase == app.PhaseOpen || phase == app.PhaseRecording && h.phase != app.PhaseRecording && h.phase != app.PhaseFrozen {
			clear(h.noted)
		}
		h.phase, h.generation = phase, ns.Placement.Generation
	}
}

func (m *clusterModel) importDocuments(r *rapid.T) {
	ns, h := m.mover(r)
	d, gone := drawDocument(r, drawDocumentID(r)), drawDocumentID(r)
	d.Revision = rapid.Int64Range(1, 5).Draw(r, "revision")
	var goneIDs []app.DocumentID
	if gone != d.ID {
		goneIDs = append(goneIDs, gone)
	}
	err := m.moving().Import(r.Context(), ns, []app.Document{d}, goneIDs)
	switch {
	case h == nil:
		answers(r, err, app.ErrNotFound)
	case h.phase != app.PhaseClosed || h.generation != ns.Placement.Generation:
		answers(r, err, app.ErrStale)
	default:
		answers(r, err, nil)
		h.documents[d.ID] = d
		for _, id := range goneIDs {
			delete(h.documents, id)
		}
	}
}

// lookAtChanges remembers what was touched, for a settle now or later.
func (m *clusterModel) lookAtChanges(r *rapid.T) {
	ns := m.namespace(r)
	list, err := m.moving().Changes(r.Context(), ns, 100, 0)
	h := m.held[keyOf(ns)]
	if h == nil {
		answers(r, err, app.ErrNotFound)
		return
	}
	answers(r, err, nil)
	if h.phase != app.PhaseClosed { // what a closed one has noted nobody asks
		h.told, h.toldOf = list, maps.Clone(h.noted)
	}
}

func (m *clusterModel) settle(r *rapid.T) {
	ns, h := m.mover(r)
	var told []app.Change
	if h != nil {
		told = h.told
	}
	if h != nil && h.phase != app.PhaseRecording && h.phase != app.PhaseFrozen {
		return // there is nothing to settle
	}
	err := m.moving().Settle(r.Context(), ns, told)
	switch {
	case h == nil:
		answers(r, err, app.ErrNotFound)
	case h.generation > ns.Placement.Generation:
		answers(r, err, app.ErrStale)
	default:
		answers(r, err, nil)
		for id, write := range h.toldOf {
			if h.noted[id] == write {
				delete(h.noted, id)
			}
		}
	}
}

// comparePhase compares what only who moves a namespace sees.
func (m *clusterModel) comparePhase(r *rapid.T, ns app.Namespace, h *heldNamespace) {
	phase, generation, err := m.moving().Phase(r.Context(), ns)
	answers(r, err, nil)
	sameAs(r, "the phase", phase, h.phase)
	sameAs(r, "the generation", generation, h.generation)
	list, err := m.moving().Scan(r.Context(), ns, app.DocumentQuery{Limit: 100})
	answers(r, err, nil)
	sameAs(r, "what is scanned", append([]app.Document{}, list...), h.sorted())
	if h.phase == app.PhaseClosed {
		return
	}
	changes, err := m.moving().Changes(r.Context(), ns, 100, 0)
	answers(r, err, nil)
	var got, want []string
	for _, c := range changes {
		d := "gone"
		if c.Document != nil {
			d = fmt.Sprintf("%+v", *c.Document)
		}
		got = append(got, string(c.ID)+" "+d)
	}
	for id := range h.noted {
		d, there := h.documents[id]
		if there {
			want = append(want, fmt.Sprintf("%s %+v", id, d))
		} else {
			want = append(want, string(id)+" gone")
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	sameAs(r, "what was touched", got, want)
	n, err := m.moving().CountChanges(r.Context(), ns, 100)
	answers(r, err, nil)
	sameAs(r, "how much was touched", n, len(want))
}
