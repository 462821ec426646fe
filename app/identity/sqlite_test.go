package identity_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/identity"
	"tenantry/app/seal"
	"tenantry/app/sqlite"
)

// directory gives organizations without a cache.
type directory struct{ app.Registry }

func (directory) Reading(app.OrganizationID, app.UserID) func(app.Organization, app.Role) {
	return func(app.Organization, app.Role) {}
}

// house is a data folder with the service on it.
type house struct {
	t        *testing.T
	dir      string
	registry *sqlite.Registry
	service  *identity.Service
	close    func()
}

func openHouse(t *testing.T, dir string) *house {
	t.Helper()
	h := &house{t: t, dir: dir}
	log := slog.New(slog.DiscardHandler)
	folder, err := sqlite.OpenFolder(dir, sqlite.FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h.registry, err = sqlite.OpenRegistry(t.Context(), folder, "registry.db", sqlite.RegistryOptions{AppVersion: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	h.service, err = identity.New(t.Context(), h.registry, directory{h.registry}, key, identity.Config{BcryptCost: 4}, app.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	h.close = sync.OnceFunc(func() {
		h.service.Close()
		if err := errors.Join(h.registry.Close(), folder.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(h.close)
	return h
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) operation(kind app.OperationKind, org app.Organization) app.Operation {
	now := app.Now()
	return app.Operation{
		ID: app.NewID[app.OperationID](), Kind: kind, OrganizationID: org.ID, State: app.OperationRunning, Placement: org.Placement,
		Step: "first", CreatedAt: now, UpdatedAt: now,
	}
}

// organization makes one with an owner owner@SLUG.example.
func (h *house) organization(slug, password string) app.Organization {
	h.t.Helper()
	ctx, now := h.t.Context(), app.Now()
	hash, err := h.service.NewPassword(ctx, password, slug)
	h.ok(err)
	email, key, err := identity.ParseEmail("Owner@" + slug + ".example")
	h.ok(err)
	user := app.User{ID: app.NewID[app.UserID](), Email: email, EmailKey: key, PasswordHash: hash, Revision: 1, CreatedAt: now, UpdatedAt: now}
	org := app.Organization{
		ID: app.NewID[app.OrganizationID](), Name: slug, NameKey: slug, Slug: slug, State: app.StateCreating, OwnerID: user.ID,
		Placement: app.Placement{Cluster: "default", Isolation: app.IsolationCollection, Database: "shard-00",
			Collection: app.CollectionName(slug), Generation: 1},
		Revision: 1, CreatedAt: now, UpdatedAt: now,
	}
	op := h.operation(app.OperationCreate, org)
	h.ok(h.registry.BeginCreate(ctx, op, app.Creation{Organization: org, Owner: &user, Membership: app.Membership{
		OrganizationID: org.ID, UserID: user.ID, Role: app.RoleOwner, CreatedAt: now,
	}}))
	org, err = h.registry.FinishCreate(ctx, op, now)
	h.ok(err)
	return org
}

func (h *house) login(slug, password string) (identity.SignIn, error) {
	return h.service.Login(h.t.Context(), identity.LoginInput{Email: "owner@" + slug + ".EXAMPLE", Password: password})
}

// want fails unless the token is refused with the code; no code: is taken.
func (h *house) want(token, code string) {
	h.t.Helper()
	_, err := h.service.Authenticate(h.t.Context(), token)
	h.wantErr(err, code)
}

func (h *house) wantErr(err error, code string) {
	h.t.Helper()
	var e *app.Error
	if code == "" && err != nil || code != "" && (!errors.As(err, &e) || e.Code != code) {
		h.t.Fatalf("got %v, want %q", err, code)
	}
}

const (
	firstPassword  = "correct horse battery"
	secondPassword = "another staple entirely"
)

func TestOnSQLite(t *testing.T) {
	dir := t.TempDir()
	h := openHouse(t, dir)
	ctx := t.Context()
	acme, other := h.organization("acme", firstPassword), h.organization("other", firstPassword)

	in, err := h.login("acme", firstPassword)
	h.ok(err)
	bystander, err := h.login("other", firstPassword)
	h.ok(err)
	if in.Organization.ID != acme.ID || bystander.Organization.ID != other.ID {
		t.Fatal("signed in to somebody else's organization")
	}
	h.want(in.AccessToken, "")
	first := in
	in, err = h.service.Refresh(ctx, in.RefreshToken)
	h.ok(err)

	// A restart changes nothing for who is signed in.
	h.close()
	h = openHouse(t, dir)
	h.want(first.AccessToken, "")
	h.want(in.AccessToken, "")

	// A new password ends all sessions of the user and nobody else's.
	hash, err := h.service.NewPassword(ctx, secondPassword)
	h.ok(err)
	_, err = h.registry.ChangeOrganization(ctx, app.OrganizationChange{OrganizationID: acme.ID, IfRevision: app.AnyRevision,
		User: &app.CredentialChange{UserID: acme.OwnerID, PasswordHash: &hash}, At: app.Now()})
	h.ok(err)
	h.want(in.AccessToken, "session_ended")
	h.want(bystander.AccessToken, "")
	_, err = h.login("acme", firstPassword)
	h.wantErr(err, "credentials_invalid")
	in, err = h.login("acme", secondPassword)
	h.ok(err)

	// Suspension refuses and gives back.
	state := func(s app.OrganizationState) {
		_, err := h.registry.ChangeOrganization(ctx, app.OrganizationChange{OrganizationID: acme.ID, IfRevision: app.AnyRevision, State: &s, At: app.Now()})
		h.ok(err)
	}
	h.want(in.AccessToken, "")
	state(app.StateSuspended)
	h.want(in.AccessToken, "organization_suspended")
	state(app.StateActive)
	h.want(in.AccessToken, "")

	// A refresh token that is shown twice ends the session.
	next, err := h.service.Refresh(ctx, in.RefreshToken)
	h.ok(err)
	h.want(next.AccessToken, "")
	_, err = h.service.Refresh(ctx, in.RefreshToken)
	h.wantErr(err, "refresh_reused")
	h.want(next.AccessToken, "session_ended")

	// Deletion is in force from its first step on, and the next of the name
	// inherits nothing.
	in, err = h.login("acme", secondPassword)
	h.ok(err)
	h.want(in.AccessToken, "")
	op := h.operation(app.OperationDelete, acme)
	h.ok(h.registry.BeginDelete(ctx, op, app.AnyRevision))
	h.want(in.AccessToken, "session_ended")
	_, err = h.login("acme", secondPassword)
	h.wantErr(err, "membership_required")
	h.ok(h.registry.FinishDelete(ctx, op, app.Now()))
	_, err = h.login("acme", secondPassword)
	h.wantErr(err, "credentials_invalid")
	h.organization("acme", secondPassword)
	h.want(in.AccessToken, "session_ended")
	h.want(bystander.AccessToken, "")
}

func TestOperatorKeysOnSQLite(t *testing.T) {
	dir := t.TempDir()
	h := openHouse(t, dir)
	ctx := t.Context()
	secret, created, err := h.service.FirstOperatorKey(ctx)
	h.ok(err)
	if !created {
		t.Fatal("no first key")
	}
	h.want(secret, "")
	actor, err := h.service.Authenticate(ctx, secret)
	h.ok(err)
	key, second, err := h.service.CreateOperatorKey(ctx, actor, "ci", app.Now().Add(time.Hour))
	h.ok(err)
	h.want(second, "")
	h.close()

	h = openHouse(t, dir)
	if _, created, err := h.service.FirstOperatorKey(ctx); created || err != nil {
		t.Errorf("a second first key: %v", err)
	}
	h.want(secret, "")
	list, err := h.service.ListOperatorKeys(ctx, actor)
	h.ok(err)
	if len(list) != 2 || list[0].ID != actor.KeyID || list[0].LastUsedAt.IsZero() || !list[1].ExpiresAt.Equal(key.ExpiresAt) {
		t.Errorf("after a restart: %+v", list)
	}
	h.want(second, "")
	_, err = h.service.RevokeOperatorKey(ctx, actor, string(key.ID))
	h.ok(err)
	h.want(second, "key_invalid")
	h.want(secret, "")
}

func TestOtherSealKeyOnSQLite(t *testing.T) {
	h := openHouse(t, t.TempDir())
	_, err := identity.New(t.Context(), h.registry, directory{h.registry}, seal.Key{1}, identity.Config{BcryptCost: 4},
		app.Now, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "seal_key") {
		t.Errorf("New: %v", err)
	}
}

// TestNoSecretReachesTheDisk looks for what was typed and given out in the
// registry's files.
func TestNoSecretReachesTheDisk(t *testing.T) {
	h := openHouse(t, t.TempDir())
	h.organization("acme", firstPassword)
	in, err := h.login("acme", firstPassword)
	h.ok(err)
	in2, err := h.service.Refresh(t.Context(), in.RefreshToken)
	h.ok(err)
	key, _, err := h.service.FirstOperatorKey(t.Context())
	h.ok(err)
	h.close()
	raw := everything(t, h.dir)
	if !bytes.Contains(raw, []byte("owner@acme.example")) {
		t.Fatal("the registry is not where it is looked for")
	}
	for name, secret := range map[string]string{
		"password": firstPassword, "access token": in.AccessToken, "refresh token": in.RefreshToken,
		"second refresh token": in2.RefreshToken, "operator key": key,
	} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("the %s lies open on the disk", name)
		}
	}
}

func everything(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	files, err := filepath.Glob(filepath.Join(dir, "registry.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	return all
}
