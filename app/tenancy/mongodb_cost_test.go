package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/identity"
	"tenantry/app/mongodb"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/tenancy"
)

// counter counts the commands that are sent, but those of the feed.
type counter struct {
	mu      sync.Mutex
	sent    []string
	commits int
}

func (c *counter) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case e.CommandName == "getMore", strings.Contains(e.Command.String(), "$changeStream"):
		case e.CommandName == "commitTransaction":
			c.commits++
		default:
			c.sent = append(c.sent, e.CommandName+" "+fmt.Sprint(e.Command.Index(0).Value()))
		}
	}}
}

// take gives what was sent since the last time.
func (c *counter) take() (sent []string, commits int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent, commits = c.sent, c.commits
	c.sent, c.commits = nil, 0
	return sent, commits
}

// What an act costs, in commands to a replica set: no machine makes that slower
// or faster.
func TestCommandsOfAnAct(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	var c counter
	h := &house{t: t, ctx: context.Background()}
	registry, err := mongodb.OpenRegistry(h.ctx, mongodb.Options{URL: s.URL(s.Database(t)), Monitor: c.monitor()})
	h.ok(err)
	h.closing(registry)
	cluster, err := mongodb.OpenCluster(h.ctx, "default", mongodb.Options{URL: s.URL(s.Database(t)), Monitor: c.monitor()})
	h.ok(err)
	h.closing(cluster)
	// What is remembered is not what this is about, so the feed may be as late as
	// it wants.
	h.registry, h.cluster = trusting{registry}, cluster
	h.moveIn()
	c.take()
	// The creation is announced twice by the registry itself, and once more when
	// it comes back by the feed, at a time of its own.
	announced := make(chan struct{}, 16)
	registry.Subscribe(func(i app.Invalidation) {
		if i.Organization != "" {
			announced <- struct{}{}
		}
	})

	var org app.Organization
	var actor app.Actor
	var token string
	ns := func() app.Namespace { return app.Namespace{Organization: org.ID, Placement: org.Placement} }
	for _, act := range []struct {
		name          string
		most, commits int
		do            func() error
	}{
		{"create an organization", 6, 2, func() (err error) {
			org, err = h.Create(h.ctx, anonymous, tenancy.CreateInput{Name: "Acme", Owner: &tenancy.OwnerInput{Email: "a@b.example", Password: password}})
			for range 3 {
				<-announced
			}
			return err
		}},
		{"get it as operator", 1, 0, func() error { _, err := h.Get(h.ctx, operator, string(org.ID)); return err }},
		{"get it again", 0, 0, func() error { _, err := h.Get(h.ctx, operator, string(org.ID)); return err }},
		{"sign in", 5, 0, func() error {
			in, err := h.identity.Login(h.ctx, identity.LoginInput{Email: "a@b.example", Password: password})
			token = in.AccessToken
			return err
		}},
		{"show a new token", 4, 0, func() (err error) { actor, err = h.identity.Authenticate(h.ctx, token); return err }},
		{"show it again", 0, 0, func() (err error) { actor, err = h.identity.Authenticate(h.ctx, token); return err }},
		{"find the role", 1, 0, func() error { _, err := h.Get(h.ctx, actor, string(org.ID)); return err }},
		{"insert a document", 1, 0, func() error {
			return cluster.InsertDocument(h.ctx, ns(), app.Document{ID: "d", Type: "n", Revision: 1, Data: []byte("{}")})
		}},
		{"read it", 1, 0, func() error { _, err := cluster.Document(h.ctx, ns(), "d"); return err }},
		{"replace it", 1, 0, func() error {
			_, err := cluster.ReplaceDocument(h.ctx, ns(), "d", app.AnyRevision, app.Replacement{Data: []byte("{}"), At: app.Now()})
			return err
		}},
		{"replace it where it is of that revision", 1, 0, func() error {
			_, err := cluster.ReplaceDocument(h.ctx, ns(), "d", 2, app.Replacement{Data: []byte("{}"), At: app.Now()})
			return err
		}},
		{"replace it where it is not", 2, 0, func() error {
			_, err := cluster.ReplaceDocument(h.ctx, ns(), "d", 2, app.Replacement{Data: []byte("{}"), At: app.Now()})
			if !errors.Is(err, app.ErrStale) {
				return fmt.Errorf("a stale replacement: %w", err)
			}
			return nil
		}},
		{"change it by what it is", 2, 0, func() error {
			_, err := cluster.UpdateDocument(h.ctx, ns(), "d", app.AnyRevision, func(*app.Document) error { return nil })
			return err
		}},
		{"remove it", 1, 0, func() error { return cluster.DeleteDocument(h.ctx, ns(), "d", app.AnyRevision) }},
	} {
		h.ok(act.do())
		sent, commits := c.take()
		t.Logf("%s: %d commands and %d commits: %s", act.name, len(sent), commits, strings.Join(sent, ", "))
		if len(sent) > act.most || commits > act.commits {
			t.Errorf("%s: more than %d commands and %d commits", act.name, act.most, act.commits)
		}
	}
}

// trusting is a registry whose announcements are never late.
type trusting struct{ app.Registry }

func (trusting) Trusted() bool { return true }
