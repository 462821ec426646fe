package outage_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
)

// Clusters that swallow what they are asked are asked side by side: both have the
// question before either has answered, so that they cost one timeout, not two.
// Readiness names each.
func TestReadinessAsksSideBySide(t *testing.T) {
	t.Parallel()
	m := mongotest.Shared(t, mongotest.Standalone)
	ways := map[string]*mongotest.Middleman{"east": mongotest.Between(t, m.Address()), "west": mongotest.Between(t, m.Address())}
	s := open(t, func(c *config.Config) {
		c.Clusters = map[string]config.Cluster{"near": at("sqlite:near")}
		for name, way := range ways {
			c.Clusters[name] = at(m.Through(way.Address, m.Database(t)))
		}
		c.Placement.Cluster = "near"
	})
	s.want(http.StatusOK, "GET", "/readyz", "", nil)

	var asked sync.WaitGroup
	asked.Add(len(ways))
	never := make(chan struct{})
	t.Cleanup(func() { close(never) }) // before the middlemen end
	for _, way := range ways {
		first := sync.OnceFunc(asked.Done)
		way.Judge(func(c mongotest.Command) *mongotest.Interference {
			if c.Name == "ping" {
				first()
				<-never
			}
			return nil
		})
	}
	unready := make(chan answer, 1)
	go func() {
		a := answer{Status: http.StatusOK}
		for a.Status == http.StatusOK { // an answer counts for a second
			time.Sleep(20 * time.Millisecond)
			var err error
			if a, err = s.try("GET", "/readyz", "", nil); err != nil {
				t.Error(err)
				break
			}
		}
		unready <- a
	}()
	both := make(chan struct{})
	go func() { asked.Wait(); close(both) }()
	select {
	case <-both:
	case a := <-unready:
		t.Fatalf("one of them was not asked before the answer was there: %s", a)
	}
	a := <-unready
	for _, want := range []string{`{"name":"cluster east","status":"failing"`, `{"name":"cluster west","status":"failing"`,
		`{"name":"cluster near","status":"ok"`, `{"name":"registry","status":"ok"`} {
		if !strings.Contains(a.Body, want) {
			t.Errorf("it does not say %s: %s", want, a)
		}
	}
}
