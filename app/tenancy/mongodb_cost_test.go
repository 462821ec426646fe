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
	var token, refresh string
	ns := func() app.Namespace { return app.Namespace{Organization: org.ID, Placement: org.Placement} }
	create := func(in tenancy.CreateInput) (err error) {
		org, err = h.Create(h.ctx, anonymous, in)
		for range 3 {
			<-announced
		}
		return err
	}
	signIn := func(in identity.LoginInput) error {
		signed, err := h.identity.Login(h.ctx, in)
		token, refresh = signed.AccessToken, signed.RefreshToken
		return err
	}
	getAs := func(token, ref string) error {
		actor, err := h.identity.Authenticate(h.ctx, token)
		if err == nil {
			_, err = h.Get(h.ctx, actor, ref)
		}
		return err
	}
	const owner = "a@b.example"
	for _, act := range []struct {
		name          string
		most, commits int
		do            func() error
	}{
		{"create an organization under a key", 5, 2, func() error {
			return create(tenancy.CreateInput{Name: "Bolt", IdempotencyKey: "k", Owner: &tenancy.OwnerInput{Email: "b@b.example", Password: password}})
		}},
		{"create an organization", 5, 2, func() error {
			return create(tenancy.CreateInput{Name: "Acme", Owner: &tenancy.OwnerInput{Email: owner, Password: password}})
		}},
		{"get it as operator", 1, 0, func() error { _, err := h.Get(h.ctx, operator, string(org.ID)); return err }},
		{"get it again", 0, 0, func() error { _, err := h.Get(h.ctx, operator, string(org.ID)); return err }},
		{"sign in", 2, 0, func() error { return signIn(identity.LoginInput{Email: owner, Password: password}) }},
		{"sign in and name the organization", 2, 0, func() error {
			return signIn(identity.LoginInput{Email: owner, Password: password, Organization: "acme"})
		}},
		{"sign in with a wrong password", 1, 0, func() error {
			if err := signIn(identity.LoginInput{Email: owner, Password: "wrong"}); codeOf(err) != "credentials_invalid" {
				return fmt.Errorf("signed in: %w", err)
			}
			return nil
		}},
		{"sign in once more", 2, 0, func() error { return signIn(identity.LoginInput{Email: owner, Password: password}) }},
		{"get it as its owner", 1, 0, func() error { return getAs(token, string(org.ID)) }},
		{"get it as its owner again", 0, 0, func() error { return getAs(token, string(org.ID)) }},
		{"refresh", 3, 0, func() error {
			signed, err := h.identity.Refresh(h.ctx, refresh)
			token = signed.AccessToken
			return err
		}},
		{"start a server that remembers nothing", 2, 0, func() error { h.moveIn(); return nil }},
		{"get it there, by its slug", 1, 0, func() error { return getAs(token, "acme") }},
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
		{"remove it", 2, 0, func() error { return cluster.DeleteDocument(h.ctx, ns(), "d", app.AnyRevision) }},
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
