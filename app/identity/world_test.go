package identity

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"tenantry/app"
	"tenantry/app/seal"
)

const goodPassword = "correct horse battery"

var testKey = seal.Key{1, 2, 3}

// world is a registry, a clock and a service over them.
type world struct {
	t        testing.TB
	registry *fakeRegistry
	service  *Service
	log      *lockedBuffer

	mu  sync.Mutex
	now time.Time
}

func newWorld(t testing.TB) *world {
	w := &world{
		t: t, registry: newFakeRegistry(), log: &lockedBuffer{},
		now: time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC),
	}
	w.service = w.start(Config{})
	return w
}

// start starts another server on the same registry.
func (w *world) start(cfg Config) *Service {
	w.t.Helper()
	s, err := w.open(testKey, cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

func (w *world) open(key seal.Key, cfg Config) (*Service, error) {
	cfg.BcryptCost = or(cfg.BcryptCost, minCost)
	return New(w.t.Context(), w.registry, w.registry, key, cfg, w.clock, slog.New(slog.NewTextHandler(w.log, nil)))
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// organization makes one with its owner, whose address is owner@SLUG.example.
func (w *world) organization(slug string) app.Organization {
	w.t.Helper()
	u := w.user("owner@"+slug+".example", goodPassword, minCost)
	return w.organizationOf(slug, u.ID)
}

func (w *world) organizationOf(slug string, user app.UserID) app.Organization {
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	o := app.Organization{ID: app.NewID[app.OrganizationID](), Name: slug, Slug: slug, State: app.StateActive, OwnerID: user}
	w.registry.orgs[o.ID] = o
	w.registry.members = append(w.registry.members, app.Membership{OrganizationID: o.ID, UserID: user, Role: app.RoleOwner})
	return o
}

func (w *world) user(email, password string, cost int) app.User {
	w.t.Helper()
	display, key, err := ParseEmail(email)
	if err != nil {
		w.t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		w.t.Fatal(err)
	}
	u := app.User{ID: app.NewID[app.UserID](), Email: display, EmailKey: key, PasswordHash: string(hash)}
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	w.registry.users[u.ID] = u
	return u
}

// setPassword does what a CredentialChange does.
func (w *world) setPassword(user app.UserID, hash string) {
	w.registry.mu.Lock()
	u := w.registry.users[user]
	u.PasswordHash = hash
	w.registry.users[user] = u
	for id, s := range w.registry.sessions {
		if s.UserID == user {
			delete(w.registry.sessions, id)
		}
	}
	w.registry.mu.Unlock()
	w.registry.tell(app.Invalidation{User: user})
}

func (w *world) setState(org app.OrganizationID, state app.OrganizationState) {
	w.registry.mu.Lock()
	o := w.registry.orgs[org]
	o.State = state
	w.registry.orgs[org] = o
	w.registry.mu.Unlock()
	w.registry.tell(app.Invalidation{Organization: org})
}

// remove purges an organization and its owner.
func (w *world) remove(org app.OrganizationID) {
	w.registry.mu.Lock()
	owner := w.registry.orgs[org].OwnerID
	delete(w.registry.orgs, org)
	delete(w.registry.users, owner)
	for id, s := range w.registry.sessions {
		if s.OrganizationID == org {
			delete(w.registry.sessions, id)
		}
	}
	w.registry.mu.Unlock()
	w.registry.tell(app.Invalidation{Organization: org, User: owner})
}

func (w *world) login(slug string) SignIn {
	w.t.Helper()
	in, err := w.service.Login(context.Background(), LoginInput{Email: "owner@" + slug + ".example", Password: goodPassword})
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

// wantCode fails unless err is an *app.Error of the code and kind.
func wantCode(t testing.TB, err error, kind error, code string) {
	t.Helper()
	var e *app.Error
	if !errors.As(err, &e) || e.Code != code || !errors.Is(err, kind) {
		t.Fatalf("got %v, want %s (%v)", err, code, kind)
	}
}

// wantField fails unless err is an app.FieldErrors of one field.
func wantField(t testing.TB, err error, location, code string) {
	t.Helper()
	var e app.FieldErrors
	if !errors.As(err, &e) || len(e) != 1 || e[0].Location != location || e[0].Code != code || !errors.Is(err, app.ErrInvalid) {
		t.Fatalf("got %v, want %s at %s", err, code, location)
	}
}

// eventually waits for what happens in the background.
func eventually(t testing.TB, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came")
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.String()
}
