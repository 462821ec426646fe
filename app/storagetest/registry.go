package storagetest

import (
	"testing"

	"tenantry/app"
)

// Registry tests a registry. open makes a new, empty one for each test and
// closes it with t.Cleanup.
func Registry(t *testing.T, open func(t *testing.T) app.Registry) {
	s := registrySuite{t: t, open: open}
	organizations(s)
	listing(s)
	creating(s)
	checking(s)
	repeating(s)
	changing(s)
	changingCredentials(s)
	renaming(s)
	finishingRenames(s)
	deleting(s)
	restoring(s)
	inheriting(s)
	relocating(s)
	draining(s)
	flipping(s)
	endingRelocations(s)
	users(s)
	accounts(s)
	sessions(s)
	signIns(s)
	operatorKeys(s)
	signingKeys(s)
	addedClusters(s)
	journal(s)
	operations(s)
	subscribing(s)
	interrupting(s)
}

// RegistryJoined tests what is read of several nouns at once, and what rests on
// that: a part of Registry, for engines that have more than one way to read it.
func RegistryJoined(t *testing.T, open func(t *testing.T) app.Registry) {
	s := registrySuite{t: t, open: open}
	checking(s)
	users(s)
	accounts(s)
	sessions(s)
	signIns(s)
}

// RegistryReopen tests what must outlive the process. place makes a new, empty
// place for a registry and returns what opens the registry there; it is called
// again after the one before was closed.
func RegistryReopen(t *testing.T, place func(t *testing.T) (open func() app.Registry)) {
	reopening(t, place)
	modelOfRegistry(t, place)
}

type registrySuite struct {
	t    *testing.T
	open func(t *testing.T) app.Registry
}

// test runs f, beside other tests, on a registry of its own that already has a
// neighbour in it.
func (s registrySuite) test(name string, f func(t *testing.T, w *world)) {
	s.t.Run(name, func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, s.open(t))
		w.neighbour = w.tenant("neighbour")
		t.Cleanup(w.neighbourIsUntouched)
		f(t, w)
	})
}
