package storagetest

import (
	"cmp"
	"context"
	"slices"
	"testing"

	"tenantry/app"
)

// MovingCluster is a cluster whose namespaces can be moved.
type MovingCluster interface {
	app.Cluster
	app.Moving
}

// Moving tests what moves namespaces of each isolation, and between each two.
// open is as Cluster's.
func Moving(t *testing.T, open func(t *testing.T) MovingCluster, isolations ...app.Isolation) {
	for _, isolation := range isolations {
		t.Run(string(isolation), func(t *testing.T) {
			s := movingSuite{t: t, open: open, isolation: isolation}
			receiving(s)
			changingPhases(s)
			scanning(s)
			importing(s)
			noting(s)
			looking(s)
			settling(s)
			fencingDrops(s)
			changingPhasesUnderLoad(s)
		})
	}
	for _, from := range isolations {
		for _, to := range isolations {
			if from != to {
				movingWhole(t, open, from, to)
			}
		}
	}
}

type movingSuite struct {
	t         *testing.T
	open      func(t *testing.T) MovingCluster
	isolation app.Isolation
}

func (s movingSuite) namesAreTaken() bool { return s.isolation == app.IsolationCollection }

// test runs f, beside other tests, on a cluster of its own. Beside the neighbour
// that is left alone there is one that is being moved as well, and has noted
// something: its notes are as little anybody else's as its documents.
func (s movingSuite) test(name string, f func(t *testing.T, k *movingKingdom)) {
	s.t.Run(name, func(t *testing.T) {
		t.Parallel()
		k := openMovingKingdom(t, s.open, s.isolation)
		k.moveTheOther()
		t.Cleanup(k.neighbourIsUntouched)
		t.Cleanup(k.otherIsUntouched)
		f(t, k)
	})
}

func openMovingKingdom(t *testing.T, open func(t *testing.T) MovingCluster, isolation app.Isolation) *movingKingdom {
	c := open(t)
	k := &movingKingdom{kingdom: &kingdom{Cluster: c, isolation: isolation, t: t, ctx: context.Background()}, Moving: c}
	k.settle()
	return k
}

// movingKingdom is a kingdom where people move.
type movingKingdom struct {
	*kingdom
	app.Moving
	other   app.Namespace
	touched []app.Change // by the other
}

func (k *movingKingdom) moveTheOther() {
	k.t.Helper()
	k.other = k.provision("other")
	k.insert(k.other, "a", "note", `{"whose":"the other's"}`)
	k.other = at(k.other, 2)
	must(k.t, k.SetPhase(k.ctx, k.other, app.PhaseRecording))
	k.insert(k.other, "doc", "note", `{"whose":"the other's"}`)
	must(k.t, k.DeleteDocument(k.ctx, k.other, "a", app.AnyRevision))
	k.touched = k.changes(k.other)
	equal(k.t, "what the other touched", namesOf(k.touched), []string{"-a", "doc"})
}

func (k *movingKingdom) otherIsUntouched() {
	k.t.Helper()
	equal(k.t, "what the other touched", k.changes(k.other), k.touched)
	k.is(k.other, app.PhaseRecording)
}

// at is the namespace as who works on it with this generation knows it.
func at(ns app.Namespace, generation int64) app.Namespace {
	ns.Placement.Generation = generation
	return ns
}

// receive makes a closed namespace of this generation.
func (k *movingKingdom) receive(slug string, generation int64) app.Namespace {
	k.t.Helper()
	ns := at(k.locate(slug), generation)
	must(k.t, k.Receive(k.ctx, ns))
	return ns
}

// recording makes a namespace with documents a and b that is recording since.
func (k *movingKingdom) recording() app.Namespace {
	k.t.Helper()
	ns := k.provision("acme")
	k.insert(ns, "a", "note", `{"n":1}`)
	k.insert(ns, "b", "task", `{"n":2}`)
	ns = at(ns, 2)
	must(k.t, k.SetPhase(k.ctx, ns, app.PhaseRecording))
	return ns
}

// is checks the phase and that the generation is ns's.
func (k *movingKingdom) is(ns app.Namespace, phase app.NamespacePhase) {
	k.t.Helper()
	got, generation, err := k.Phase(k.ctx, ns)
	must(k.t, err)
	equal(k.t, "phase", got, phase)
	equal(k.t, "generation", generation, ns.Placement.Generation)
}

func (k *movingKingdom) changes(ns app.Namespace) []app.Change {
	k.t.Helper()
	list, err := k.Changes(k.ctx, ns, 1000, 0)
	must(k.t, err)
	slices.SortFunc(list, func(a, b app.Change) int { return cmp.Compare(a.ID, b.ID) }) // they come in any order
	return list
}

func (k *movingKingdom) scanned(ns app.Namespace) []app.Document {
	k.t.Helper()
	list, err := k.Scan(k.ctx, ns, app.DocumentQuery{Limit: 100_000})
	must(k.t, err)
	return list
}

// namesOf are the ids of changes, with a "-" before those of documents that are
// gone.
func namesOf(changes []app.Change) []string {
	var names []string
	for _, c := range changes {
		name := string(c.ID)
		if c.Document == nil {
			name = "-" + name
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// writes answers what each kind of write to the document "a" is answered, and
// an insert of another.
func (k *movingKingdom) writes(ns app.Namespace) map[string]error {
	return map[string]error{
		"insert": k.InsertDocument(k.ctx, ns, newDocument("late", "note", `{"late":true}`)),
		"update": second(k.UpdateDocument(k.ctx, ns, "a", app.AnyRevision, func(d *app.Document) error {
			d.Data = []byte(`{"late":true}`)
			return nil
		})),
		"replace": second(k.ReplaceDocument(k.ctx, ns, "a", app.AnyRevision, app.Replacement{Data: []byte(`{"late":true}`), At: beginning})),
		"delete":  k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision),
	}
}

func (k *movingKingdom) refuses(ns app.Namespace, kind error) {
	k.t.Helper()
	for name, err := range k.writes(ns) {
		if err == nil {
			k.t.Errorf("the %s was taken", name)
			continue
		}
		is(k.t, err, kind)
	}
}

// movedAway checks that every method on documents says that they are elsewhere.
func (k *movingKingdom) movedAway(ns app.Namespace) {
	k.t.Helper()
	k.refuses(ns, app.ErrMoved)
	is(k.t, second(k.Document(k.ctx, ns, "a")), app.ErrMoved)
	is(k.t, second(k.Document(k.ctx, ns, "never")), app.ErrMoved)
	is(k.t, second(k.ListDocuments(k.ctx, ns, app.DocumentQuery{Limit: 1})), app.ErrMoved)
}
