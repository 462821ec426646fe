package mongodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// role is the argument of db.createRole in docs/mongodb.md.
type role struct {
	Role       string          `json:"role"`
	Privileges []rolePrivilege `json:"privileges"`
	Roles      []string        `json:"roles"`
}

type rolePrivilege struct {
	Resource struct {
		DB         string `json:"db"`
		Collection string `json:"collection"`
	} `json:"resource"`
	Actions []string `json:"actions"`
}

func roleOfThePage(t *testing.T) role {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "mongodb.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "db.createRole(")
	text, _, closed := strings.Cut(text, "\n)")
	var r role
	if err := json.Unmarshal([]byte(text), &r); err != nil || !found || !closed || len(r.Privileges) != 2 {
		t.Fatalf("the page has no role for two databases: %v\n%s", err, text)
	}
	return r
}

// The role of the page has the actions that the commands need, and none beside.
func TestTheRoleOfThePageIsTheLeast(t *testing.T) {
	for i, by := range []string{"registry", "cluster"} {
		var want []string
		for _, actions := range actionsOf[by] {
			want = append(want, actions...)
		}
		slices.Sort(want)
		want = slices.Compact(want)
		got := slices.Sorted(slices.Values(roleOfThePage(t).Privileges[i].Actions))
		if !slices.Equal(got, want) {
			t.Errorf("%s: the page's role has\n %v, the commands need\n %v", by, got, want)
		}
	}
}

// people makes the role and its user on a server, and starts that anew so that
// it asks who one is. It gives the connection strings of registry and cluster.
func people(t *testing.T, s *mongotest.Server, r role, databases ...string) (urls []string) {
	t.Helper()
	var privileges bson.A
	for i, p := range r.Privileges {
		privileges = append(privileges, bson.D{{Key: "resource", Value: bson.D{{Key: "db", Value: databases[i]}, {Key: "collection", Value: ""}}},
			{Key: "actions", Value: p.Actions}})
	}
	admin := s.Client().Database("admin")
	for _, command := range []bson.D{
		{{Key: "createRole", Value: r.Role}, {Key: "privileges", Value: privileges}, {Key: "roles", Value: bson.A{}}},
		{{Key: "createUser", Value: "tenantry"}, {Key: "pwd", Value: "geheim"}, {Key: "roles", Value: bson.A{bson.D{{Key: "role", Value: r.Role}, {Key: "db", Value: "admin"}}}}},
		{{Key: "fsync", Value: 1}},
	} {
		if err := admin.RunCommand(t.Context(), command).Err(); err != nil {
			t.Fatal(err)
		}
	}
	s.Restart(t, "--auth")
	for _, database := range databases {
		urls = append(urls, strings.Replace(s.URL(database), "mongodb://", "mongodb://tenantry:geheim@", 1)+"&authSource=admin")
	}
	return urls
}

// A user with the role of the page can do all that the program does.
func TestTheRoleOfThePageIsEnough(t *testing.T) {
	for _, kind := range []mongotest.Kind{mongotest.ReplicaSet, mongotest.Standalone} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := mongotest.Start(t, kind)
			urls := people(t, s, roleOfThePage(t), "r", "c")
			ctx := t.Context()
			registry, err := OpenRegistry(ctx, Options{URL: urls[0]})
			must(t, err)
			defer func() { _ = registry.Close() }()
			cluster, err := OpenCluster(ctx, "default", Options{URL: urls[1]})
			must(t, err)
			defer func() { _ = cluster.Close() }()
			liveThrough(t, registry, cluster)
			eventually(t, "the feed is heard", registry.Trusted)
			moveThrough(t, urls[0])
			// And nothing beside.
			err = cluster.client.Database("another").Collection("x").FindOne(ctx, bson.D{}).Err()
			if !hasCode(err, codeUnauthorized) {
				t.Errorf("another database can be read: %v", err)
			}
		})
	}
}

// moveThrough does with a registry what moving it does.
func moveThrough(t *testing.T, url string) {
	t.Helper()
	m, err := OpenMovableRegistry(t.Context(), Options{URL: url, Lease: time.Millisecond}, false)
	must(t, err)
	defer func() { _ = m.Close() }()
	for _, state := range []app.RegistryState{app.RegistryMoving, app.RegistryMoved, app.RegistryReceiving} {
		must(t, m.SetMark(t.Context(), app.RegistryMark{State: state, Migration: "m", At: app.Now()}))
	}
	page, err := m.ExportEntries(t.Context(), app.NounClaims, "", 1)
	must(t, err)
	must(t, m.ImportEntries(t.Context(), app.NounClaims, page))
	must(t, m.Clear(t.Context()))
	must(t, first(m.Room(t.Context())))
	must(t, m.SetMark(t.Context(), app.RegistryMark{State: app.RegistryOpen, Migration: "m", At: app.Now()}))
}

// liveThrough does each kind of thing once.
func liveThrough(t *testing.T, r *Registry, c *Cluster) {
	t.Helper()
	ctx := t.Context()
	must(t, r.Health(ctx))
	must(t, c.Health(ctx))
	op, creation := creation("acme")
	must(t, r.CheckCreate(ctx, creation, app.Now()))
	must(t, r.BeginCreate(ctx, op, creation))
	ns := app.Namespace{Organization: creation.Organization.ID}
	var err error
	ns.Placement, err = c.Locate(ns.Organization, "acme", app.IsolationCollection)
	must(t, err)
	must(t, c.Provision(ctx, ns))
	org, err := r.FinishCreate(ctx, op, app.Now())
	must(t, err)
	account, err := r.Account(ctx, app.AccountQuery{EmailKey: creation.Owner.EmailKey, Limit: 1})
	must(t, err)
	session := app.Session{ID: app.NewID[app.SessionID](), UserID: creation.Owner.ID, OrganizationID: org.ID, RefreshHash: []byte("1"),
		CreatedAt: app.Now(), LastUsedAt: app.Now(), ExpiresAt: app.Now()}
	must(t, r.CreateSession(ctx, session, account.Places[0].Proof))
	must(t, r.RotateSession(ctx, session.ID, []byte("1"), []byte("2"), app.Now(), app.Now()))
	must(t, r.DeleteSession(ctx, session.ID))
	_, err = r.PruneSessions(ctx, app.Now())
	must(t, err)

	must(t, c.InsertDocument(ctx, ns, document("d", `{}`)))
	_, err = c.ReplaceDocument(ctx, ns, "d", app.AnyRevision, app.Replacement{Data: []byte(`{}`), At: app.Now()})
	must(t, err)
	_, err = c.UpdateDocument(ctx, ns, "d", app.AnyRevision, func(*app.Document) error { return nil })
	must(t, err)
	must(t, c.Rename(ctx, ns, "org_bolt", 2))
	if got := ids(t, c, ns); got != "d " {
		t.Fatalf("after the renaming: %s", got)
	}
	_, err = c.Stats(ctx, ns)
	must(t, err)
	_, err = c.Usage(ctx)
	must(t, err)
	must(t, c.DeleteDocument(ctx, ns, "d", app.AnyRevision))
	together := app.Namespace{Organization: app.NewID[app.OrganizationID]()}
	together.Placement, err = c.Locate(together.Organization, "together", app.IsolationShared)
	must(t, err)
	must(t, c.Provision(ctx, together))
	must(t, c.InsertDocument(ctx, together, document("d", `{}`)))
	must(t, c.Drop(ctx, together))
	must(t, c.Drop(ctx, settled(t, c, "left", app.IsolationCollection)))
	removed := 1
	if c.lacks.validators { // nothing takes nothing there
		removed = 0
	}
	tidied(t, c, 0, removed)
	must(t, first(c.Room(ctx)))

	remove := app.Operation{ID: app.NewID[app.OperationID](), Kind: app.OperationDelete, OrganizationID: org.ID,
		State: app.OperationRunning, Placement: org.Placement, CreatedAt: app.Now(), UpdatedAt: app.Now()}
	must(t, r.BeginDelete(ctx, remove, app.AnyRevision))
	ns.Placement.Collection, ns.Placement.Generation = "org_bolt", 2
	must(t, c.Drop(ctx, ns))
	must(t, r.FinishDelete(ctx, remove, app.Now()))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Who may not make indexes is told so when the program starts for the first
// time; where somebody has made them before, nothing is missing.
func TestAUserWithoutTheRightToMakeIndexes(t *testing.T) {
	t.Parallel()
	s := mongotest.Start(t, mongotest.ReplicaSet)
	for _, made := range []string{"registry", "cluster"} {
		database := made + "_made"
		if made == "registry" {
			r, err := OpenRegistry(t.Context(), Options{URL: s.URL(database)})
			must(t, err)
			_ = r.Close()
			continue
		}
		c, err := OpenCluster(t.Context(), "default", Options{URL: s.URL(database)})
		must(t, err)
		_ = c.Close()
	}
	without := roleOfThePage(t)
	for i := range without.Privileges {
		without.Privileges[i].Actions = slices.DeleteFunc(without.Privileges[i].Actions, func(a string) bool { return a == "createIndex" })
	}
	without.Privileges = append(without.Privileges, without.Privileges...)
	urls := people(t, s, without, "registry_new", "cluster_new", "registry_made", "cluster_made")

	_, err := OpenRegistry(t.Context(), Options{URL: urls[0]})
	tells(t, err, "registry", "createIndex", "docs/mongodb.md")
	_, err = OpenMovableRegistry(t.Context(), Options{URL: urls[0], Name: "registry at there"}, false)
	tells(t, err, "registry at there", "createIndex", "docs/mongodb.md")
	c, err := OpenCluster(t.Context(), "eu", Options{URL: urls[1]})
	must(t, err)
	tells(t, c.Health(t.Context()), `cluster "eu"`, "createIndex", "docs/mongodb.md")
	_ = c.Close()

	r, err := OpenRegistry(t.Context(), Options{URL: urls[2]})
	must(t, err)
	defer func() { _ = r.Close() }()
	c, err = OpenCluster(t.Context(), "eu", Options{URL: urls[3]})
	must(t, err)
	defer func() { _ = c.Close() }()
	liveThrough(t, r, c)
}

// tells checks that an error says what is wrong to a person.
func tells(t *testing.T, err error, wants ...string) {
	t.Helper()
	if !errors.Is(err, app.ErrUnavailable) {
		t.Fatalf("got %v, want one that is unavailable", err)
	}
	text := err.Error()
	var told *app.Error
	if errors.As(err, &told) {
		text += told.Detail
	}
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("the error does not say %q: %s", want, text)
		}
	}
	if strings.Contains(text, "geheim") {
		t.Errorf("the error tells the password: %s", text)
	}
}

// The words of MongoDB's refusals, and of the stand-in's.
func TestRefusedCommand(t *testing.T) {
	for message, want := range map[string]string{
		`not authorized on tenantry to execute command { createIndexes: "users", indexes: [ { key: { email: 1 } } ] }`: "createIndexes",
		`not authorized on x to execute command (action: createIndex)`:                                                 "createIndex",
		"command find requires authentication":                                                                         "find",
		"something else":                                                                                               "",
	} {
		err := mongo.CommandError{Code: codeUnauthorized, Message: message}
		if got := refusedCommand(context.DeadlineExceeded); got != "" {
			t.Errorf("%q of another error", got)
		}
		if got := refusedCommand(fmt.Errorf("indexes of users: %w", err)); got != want {
			t.Errorf("%s: %q, want %q", message, got, want)
		}
	}
}
