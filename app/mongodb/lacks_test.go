package mongodb

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/storagetest"
)

// heard is a log that a test reads.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// What a server lacks is named at start, with the registry or the cluster that
// it is of, and everything but moving is done without.
func TestWhatAServerLacks(t *testing.T) {
	full := mongotest.Shared(t, mongotest.ReplicaSet)
	for name, c := range map[string]struct {
		things            []mongotest.Lack
		registry, cluster string // the words, and none where there is nothing to say
		single            bool
	}{
		"nothing":         {nil, "", "", false},
		"transactions":    {[]mongotest.Lack{mongotest.Transactions}, "no transactions", "", true},
		"change streams":  {[]mongotest.Lack{mongotest.ChangeStreams}, "no change streams", "", true},
		"validators":      {[]mongotest.Lack{mongotest.Validators}, "", "no validators", false},
		"partial indexes": {[]mongotest.Lack{mongotest.PartialIndexes}, "indexes about some documents only", "", true},
		"joins":           {[]mongotest.Lack{mongotest.Joins}, "no joins", "", false},
		"bulkWrite":       {[]mongotest.Lack{mongotest.BulkWrite}, "no command bulkWrite", "", false},
		"everything":      {mongotest.Everything, "no validators", "no validators", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := full.Lacking(t, c.things...)
			registry, cluster := s.Database(t), s.Database(t)
			for _, start := range []string{"first", "second"} {
				var ofRegistry, ofCluster heard
				r, err := OpenRegistry(t.Context(), Options{URL: s.URL(registry), Logger: slog.New(slog.NewTextHandler(&ofRegistry, nil))})
				must(t, err)
				defer func() { _ = r.Close() }()
				says(t, start+" start of the registry", ofRegistry.String(), c.registry, `at=registry`)
				if r.transactions() == c.single {
					t.Errorf("%s start: transactions are used: %v", start, r.transactions())
				}
				o, err := OpenCluster(t.Context(), "eu", Options{URL: s.URL(cluster), Logger: slog.New(slog.NewTextHandler(&ofCluster, nil))})
				must(t, err)
				defer func() { _ = o.Close() }()
				says(t, start+" start of the cluster", ofCluster.String(), c.cluster, `at="cluster \"eu\""`)
				liveThrough(t, r, o)
				eventually(t, "the feed is heard", r.Trusted)
			}
			n, err := full.Client().Database(registry).Collection(schemas).CountDocuments(t.Context(), bson.D{})
			if err != nil || n != 1 {
				t.Errorf("what was tried has left something: %d documents (%v)", n, err)
			}
		})
	}
}

func says(t *testing.T, where, text, want, of string) {
	t.Helper()
	if want == "" && strings.Contains(text, "has no") {
		t.Errorf("%s: nothing is lacking, and it says\n%s", where, text)
	}
	for line := range strings.Lines(text) {
		if want != "" && strings.Contains(line, want) && strings.Contains(line, of) {
			return
		}
	}
	if want != "" {
		t.Errorf("%s: it does not say %q of %s:\n%s", where, want, of, text)
	}
}

// What nothing can be done without is refused in words that say what to do.
func TestWhatAServerMustHave(t *testing.T) {
	full := mongotest.Shared(t, mongotest.ReplicaSet)
	for lack, want := range map[mongotest.Lack]string{
		mongotest.Indexes: "does not make the indexes", mongotest.RetryableWrite: "retryWrites=false",
	} {
		t.Run(string(lack), func(t *testing.T) {
			t.Parallel()
			s := full.Lacking(t, lack)
			_, err := OpenRegistry(t.Context(), Options{URL: s.URL(s.Database(t))})
			tells(t, err, "registry", want)
			c, err := OpenCluster(t.Context(), "eu", Options{URL: s.URL(s.Database(t))})
			must(t, err)
			defer func() { _ = c.Close() }()
			tells(t, c.Health(t.Context()), `cluster "eu"`, want)
			if lack == mongotest.RetryableWrite {
				r, err := OpenRegistry(t.Context(), Options{URL: s.URL(s.Database(t)) + "&retryWrites=false"})
				must(t, err)
				_ = r.Close()
			}
		})
	}
}

// What is read in another way where there are no joins. The rest of a registry is
// as on a standalone server.
func TestRegistryWithoutJoins(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.Standalone).Lacking(t, mongotest.Joins)
	storagetest.RegistryJoined(t, func(t *testing.T) app.Registry {
		r := openTestRegistry(t, s, s.Database(t))
		t.Cleanup(func() { _ = r.Close() })
		return r
	})
}

// All promises of a cluster, but those of moving, without validators.
func TestClusterWithoutValidators(t *testing.T) {
	if testing.Short() {
		t.Skip("as long as the suite on any other server")
	}
	t.Parallel()
	s := mongotest.Start(t, mongotest.Standalone).Lacking(t, mongotest.Validators)
	storagetest.Cluster(t, func(t *testing.T) app.Cluster {
		c := openTestCluster(t, s, s.Database(t))
		t.Cleanup(func() { _ = c.Close() })
		return bare{owned{c}, s.Client()}
	}, app.IsolationCollection)
}

// Nothing is moved to or from a store that would take what is out of date, and
// nothing of it begins.
func TestNothingIsMovedWithoutValidators(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.ReplicaSet).Lacking(t, mongotest.Validators)
	c := openTestCluster(t, s, s.Database(t))
	defer func() { _ = c.Close() }()
	usage, err := c.Usage(t.Context())
	if err != nil || usage.Fenced {
		t.Fatalf("%+v (%v)", usage, err)
	}
	acme := place(t, c, "acme")
	must(t, c.Provision(t.Context(), acme))
	for name, err := range map[string]error{
		"Receive":  c.Receive(t.Context(), place(t, c, "bolt")),
		"SetPhase": c.SetPhase(t.Context(), at(acme, 2), app.PhaseRecording),
		"Phase":    second(c.Phase(t.Context(), acme)),
		"Scan":     first(c.Scan(t.Context(), acme, app.DocumentQuery{Limit: 1})),
	} {
		if !errors.Is(err, app.ErrInvalid) || !strings.Contains(err.Error(), "cannot be moved") {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, c.InsertDocument(t.Context(), acme, document("d", `{}`)))
	if d, err := c.resolve(t.Context(), keyIn(acme)); d.phase() != app.PhaseOpen || d.Generation != 1 || err != nil {
		t.Errorf("%+v (%v)", d, err)
	}
}

// A registry that is moved has to be closed by its store.
func TestNoRegistryIsMovedWithoutValidators(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.ReplicaSet).Lacking(t, mongotest.Validators)
	_, err := OpenMovableRegistry(t.Context(), Options{URL: s.URL(s.Database(t))}, false)
	if !errors.Is(err, app.ErrInvalid) || !strings.Contains(err.Error(), "cannot be moved") {
		t.Fatal(err)
	}
}

func first[T any](_ T, err error) error { return err }

func second(_ app.NamespacePhase, _ int64, err error) error { return err }

// Data that came with a dump from a server of the other kind is taken over when
// it is written to, and renamed and removed as any other.
func TestDataOfAServerOfTheOtherKind(t *testing.T) {
	t.Parallel()
	full := mongotest.Shared(t, mongotest.ReplicaSet)
	poor := full.Lacking(t, mongotest.Validators)
	for name, c := range map[string]struct{ from, to *mongotest.Server }{"to one without": {full, poor}, "to one with": {poor, full}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := full.Database(t)
			a := openTestCluster(t, c.from, database)
			acme, bolt := place(t, a, "acme"), place(t, a, "bolt")
			for _, ns := range []app.Namespace{acme, bolt} {
				must(t, a.Provision(t.Context(), ns))
				must(t, a.InsertDocument(t.Context(), ns, document("d", `{}`)))
			}
			_ = a.Close()
			if c.to == poor { // which would have taken no validators
				for _, name := range []string{"org_acme", "org_bolt", proof} {
					must(t, full.Client().Database(database).RunCommand(t.Context(), bson.D{{Key: "collMod", Value: name}, {Key: "validator", Value: bson.D{}}}).Err())
				}
			}
			b := openTestCluster(t, c.to, database)
			defer func() { _ = b.Close() }()
			must(t, b.InsertDocument(t.Context(), acme, document("e", `{}`)))
			must(t, b.Rename(t.Context(), acme, "org_new", 2))
			must(t, b.Rename(t.Context(), bolt, "org_acme", 2)) // not written to before
			must(t, b.InsertDocument(t.Context(), bolt, document("e", `{}`)))
			if got := ids(t, b, acme) + "| " + ids(t, b, bolt); got != "d e | d e " {
				t.Fatalf("there is %s", got)
			}
			must(t, b.Drop(t.Context(), at(bolt, 2)))
			if got := ids(t, b, acme); got != "d e " {
				t.Fatalf("after the deletion of another there is %s", got)
			}
			there, err := b.look(t.Context(), namespaceDoc{ID: string(acme.Organization)}, "org_new")
			if err != nil || there.org != string(acme.Organization) || (there.stamp != 0) != (c.to == full) {
				t.Fatalf("%+v (%v)", there, err)
			}
		})
	}
}
