package mongodb

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// A cluster that is away at start is served as soon as it is there, and says
// until then, at once, that it is not.
func TestAClusterThatIsAwayAtStart(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.Standalone)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	database := s.Database(t)
	c, err := OpenCluster(t.Context(), "eu", Options{URL: "mongodb://" + address + "/" + database +
		"?directConnection=true&serverSelectionTimeoutMS=300"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	acme := place(t, c, "acme")
	began := time.Now()
	for name, err := range map[string]error{
		"Health":    c.Health(t.Context()),
		"Provision": c.Provision(t.Context(), acme),
		"Insert":    c.InsertDocument(t.Context(), acme, document("d", `{}`)),
		"Drop":      c.Drop(t.Context(), acme),
	} {
		var told *app.Error
		if !errors.As(err, &told) || !errors.Is(err, app.ErrUnavailable) || told.RetryAfter == 0 || !strings.Contains(told.Detail, `"eu"`) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if waited := time.Since(began); waited > 5*time.Second {
		t.Errorf("it took %s to say that it is away", waited)
	}
	relay(t, address, strings.Split(strings.TrimPrefix(s.URI, "mongodb://"), "/")[0])
	eventually(t, "the cluster is back", func() bool { return c.Health(t.Context()) == nil })
	if err := c.Provision(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
}

// relay passes connections to an address on to another.
func relay(t *testing.T, from, to string) {
	t.Helper()
	listener, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	relayFrom(t, listener, to)
}

// relayFrom passes connections on to an address.
func relayFrom(t *testing.T, listener net.Listener, to string) {
	t.Helper()
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			a, err := listener.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				_ = a.Close()
				return
			}
			go func() { _, _ = io.Copy(a, b); _ = a.Close() }()
			go func() { _, _ = io.Copy(b, a); _ = b.Close() }()
		}
	}()
}

// A server that takes longer for what a start asks than a start waits is taken
// after it.
func TestAClusterThatIsFarAway(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for answers")
	}
	t.Parallel()
	s := mongotest.Shared(t, mongotest.Standalone)
	slow := &event.CommandMonitor{Started: func(context.Context, *event.CommandStartedEvent) { time.Sleep(startTimeout / 6) }}
	c, err := OpenCluster(t.Context(), "far", Options{URL: s.URL(s.Database(t)), Monitor: slow})
	must(t, err)
	defer func() { _ = c.Close() }()
	if c.here() == nil {
		t.Fatal("it is there at once: the test tests nothing")
	}
	within(t, time.Minute, "the cluster is there", func() bool { return c.here() == nil })
}
