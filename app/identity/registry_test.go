package identity

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"tenantry/app"
)

// fakeRegistry is the least that keeps the promises of the ports, and tells no
// more than they promise: a new password is told as a change of the user, the
// end of the user's sessions is not told one by one.
type fakeRegistry struct {
	mu       sync.Mutex
	orgs     map[app.OrganizationID]app.Organization
	users    map[app.UserID]app.User
	members  []app.Membership
	sessions map[app.SessionID]app.Session
	keys     []app.OperatorKey
	signing  []app.SigningKey
	told     []func(app.Invalidation)

	reads int
	// before is called without the lock at the named method.
	before map[string]func()
	// after likewise, when it has what it answers.
	after map[string]func()
	// fails makes the named method fail.
	fails map[string]error
}

func newFakeRegistry() *fakeRegistry {
	return &fakeRegistry{
		orgs:     map[app.OrganizationID]app.Organization{},
		users:    map[app.UserID]app.User{},
		sessions: map[app.SessionID]app.Session{},
		before:   map[string]func(){},
		after:    map[string]func(){},
		fails:    map[string]error{},
	}
}

func (f *fakeRegistry) enter(method string) (func(), error) {
	if g := f.before[method]; g != nil {
		g()
	}
	f.mu.Lock()
	f.reads++
	return f.mu.Unlock, f.fails[method]
}

func (f *fakeRegistry) Subscribe(g func(app.Invalidation)) { f.told = append(f.told, g) }

func (f *fakeRegistry) Trusted() bool { return true }

func (f *fakeRegistry) tell(i app.Invalidation) {
	for _, g := range f.told {
		g(i)
	}
}

func get[K comparable, V any](f *fakeRegistry, method string, m map[K]V, k K) (V, error) {
	unlock, err := f.enter(method)
	defer unlock()
	v, ok := m[k]
	if err == nil && !ok {
		err = app.ErrNotFound
	}
	return v, err
}

func (f *fakeRegistry) Organization(_ context.Context, id app.OrganizationID) (app.Organization, error) {
	return get(f, "Organization", f.orgs, id)
}

func (f *fakeRegistry) Reading(app.OrganizationID, app.UserID) func(app.Organization, app.Role) {
	return func(app.Organization, app.Role) {}
}

func (f *fakeRegistry) User(_ context.Context, id app.UserID) (app.User, error) {
	return get(f, "User", f.users, id)
}

func (f *fakeRegistry) UserByEmail(_ context.Context, key string) (app.User, error) {
	unlock, err := f.enter("UserByEmail")
	defer unlock()
	for _, u := range f.users {
		if u.EmailKey == key {
			return u, err
		}
	}
	return app.User{}, app.ErrNotFound
}

func (f *fakeRegistry) ReplacePasswordHash(_ context.Context, id app.UserID, old, hash string) error {
	unlock, err := f.enter("ReplacePasswordHash")
	u, ok := f.users[id]
	if ok && u.PasswordHash == old {
		u.PasswordHash = hash
		f.users[id] = u
	}
	unlock()
	f.tell(app.Invalidation{User: id})
	return err
}

func (f *fakeRegistry) Memberships(_ context.Context, user app.UserID) ([]app.Membership, error) {
	unlock, err := f.enter("Memberships")
	defer unlock()
	var out []app.Membership
	for _, m := range f.members {
		if m.UserID == user && f.orgs[m.OrganizationID].State.Visible() {
			out = append(out, m)
		}
	}
	return out, err
}

func (f *fakeRegistry) Membership(_ context.Context, org app.OrganizationID, user app.UserID) (app.Membership, error) {
	unlock, err := f.enter("Membership")
	defer unlock()
	for _, m := range f.members {
		if m.UserID == user && m.OrganizationID == org {
			return m, err
		}
	}
	return app.Membership{}, app.ErrNotFound
}

func (f *fakeRegistry) Account(_ context.Context, q app.AccountQuery) (app.Account, error) {
	unlock, err := f.enter("Account")
	defer unlock()
	for _, u := range f.users {
		if u.EmailKey != q.EmailKey {
			continue
		}
		a := app.Account{User: u}
		for _, m := range f.members {
			o := f.orgs[m.OrganizationID]
			asked := q.Organization == "" || q.Organization == string(o.ID) || q.Organization == o.Slug
			if m.UserID == u.ID && o.State.Visible() && asked && len(a.Places) < q.Limit {
				a.Places = append(a.Places, app.Place{Organization: o, Role: m.Role, Proof: app.Proof{PasswordHash: u.PasswordHash}})
			}
		}
		return a, err
	}
	return app.Account{}, errors.Join(err, app.ErrNotFound)
}

func (f *fakeRegistry) CreateSession(ctx context.Context, s app.Session, p app.Proof) error {
	_, gone := f.Membership(ctx, s.OrganizationID, s.UserID)
	unlock, err := f.enter("CreateSession")
	defer unlock()
	if err != nil {
		return err
	}
	if gone != nil || f.users[s.UserID].PasswordHash != p.PasswordHash || !f.orgs[s.OrganizationID].State.Visible() {
		return app.ErrUnauthenticated
	}
	f.sessions[s.ID] = s
	return nil
}

func (f *fakeRegistry) Session(_ context.Context, id app.SessionID) (app.SignedIn, error) {
	if g := f.after["Session"]; g != nil {
		defer g()
	}
	s, err := get(f, "Session", f.sessions, id)
	if err != nil {
		return app.SignedIn{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	org := f.orgs[s.OrganizationID]
	i := slices.IndexFunc(f.members, func(m app.Membership) bool { return m.UserID == s.UserID && m.OrganizationID == org.ID })
	if _, there := f.users[s.UserID]; i < 0 || !there || !org.State.Visible() {
		return app.SignedIn{}, app.ErrNotFound
	}
	return app.SignedIn{Session: s, Organization: org, Role: f.members[i].Role}, nil
}

func (f *fakeRegistry) RotateSession(_ context.Context, id app.SessionID, old, hash []byte, at, expires time.Time) error {
	unlock, err := f.enter("RotateSession")
	s, ok := f.sessions[id]
	switch {
	case err != nil:
	case !ok:
		err = app.ErrNotFound
	case !bytes.Equal(s.RefreshHash, old):
		err = app.ErrStale
	default:
		s.RefreshHash, s.PreviousHash, s.LastUsedAt, s.ExpiresAt = hash, old, at, expires
		f.sessions[id] = s
	}
	unlock()
	f.tell(app.Invalidation{Session: id})
	return err
}

func (f *fakeRegistry) DeleteSession(_ context.Context, id app.SessionID) error {
	unlock, err := f.enter("DeleteSession")
	if err == nil {
		delete(f.sessions, id)
	}
	unlock()
	f.tell(app.Invalidation{Session: id})
	return err
}

func (f *fakeRegistry) PruneSessions(_ context.Context, t time.Time) (int, error) {
	unlock, err := f.enter("PruneSessions")
	defer unlock()
	n := len(f.sessions)
	maps.DeleteFunc(f.sessions, func(_ app.SessionID, s app.Session) bool { return s.ExpiresAt.Before(t) })
	return n - len(f.sessions), err
}

func (f *fakeRegistry) CreateOperatorKey(_ context.Context, k app.OperatorKey) error {
	unlock, err := f.enter("CreateOperatorKey")
	defer unlock()
	for _, have := range f.keys {
		if have.Name == k.Name && have.RevokedAt.IsZero() {
			return app.Taken(app.ConflictOperatorKey)
		}
	}
	f.keys = append(f.keys, k)
	return err
}

func (f *fakeRegistry) OperatorKeyByHash(_ context.Context, hash []byte) (app.OperatorKey, error) {
	unlock, err := f.enter("OperatorKeyByHash")
	defer unlock()
	for _, k := range f.keys {
		if bytes.Equal(k.Hash, hash) {
			return k, err
		}
	}
	return app.OperatorKey{}, app.ErrNotFound
}

func (f *fakeRegistry) ListOperatorKeys(context.Context) ([]app.OperatorKey, error) {
	unlock, err := f.enter("ListOperatorKeys")
	defer unlock()
	return slices.Clone(f.keys), err
}

func (f *fakeRegistry) RevokeOperatorKey(_ context.Context, id app.OperatorKeyID, at time.Time) (app.OperatorKey, error) {
	unlock, _ := f.enter("RevokeOperatorKey")
	i := slices.IndexFunc(f.keys, func(k app.OperatorKey) bool { return k.ID == id })
	if i < 0 {
		unlock()
		return app.OperatorKey{}, app.ErrNotFound
	}
	if f.keys[i].RevokedAt.IsZero() {
		f.keys[i].RevokedAt = at
	}
	k := f.keys[i]
	unlock()
	f.tell(app.Invalidation{OperatorKey: id})
	return k, nil
}

func (f *fakeRegistry) TouchOperatorKeys(_ context.Context, used map[app.OperatorKeyID]time.Time) error {
	unlock, err := f.enter("TouchOperatorKeys")
	defer unlock()
	for i, k := range f.keys {
		if at, ok := used[k.ID]; ok && err == nil {
			f.keys[i].LastUsedAt = at
		}
	}
	return err
}

func (f *fakeRegistry) CreateFirstOperatorKey(_ context.Context, k app.OperatorKey) (bool, error) {
	unlock, err := f.enter("CreateFirstOperatorKey")
	defer unlock()
	if err != nil || len(f.keys) > 0 {
		return false, err
	}
	f.keys = append(f.keys, k)
	return true, nil
}

func (f *fakeRegistry) SigningKeys(context.Context) ([]app.SigningKey, error) {
	unlock, err := f.enter("SigningKeys")
	defer unlock()
	out := slices.Clone(f.signing)
	slices.SortFunc(out, func(a, b app.SigningKey) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return out, err
}

func (f *fakeRegistry) AddSigningKey(_ context.Context, k app.SigningKey, current string) error {
	unlock, err := f.enter("AddSigningKey")
	defer unlock()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(f.signing, func(k app.SigningKey) bool { return k.RetiredAt.IsZero() })
	if at < 0 && current != "" || at >= 0 && f.signing[at].ID != current {
		return app.ErrStale
	}
	if at >= 0 {
		f.signing[at].RetiredAt = k.CreatedAt
	}
	f.signing = append(f.signing, k)
	return nil
}

func (f *fakeRegistry) RemoveSigningKeys(_ context.Context, t time.Time) error {
	unlock, err := f.enter("RemoveSigningKeys")
	defer unlock()
	f.signing = slices.DeleteFunc(f.signing, func(k app.SigningKey) bool {
		return !k.RetiredAt.IsZero() && k.RetiredAt.Before(t)
	})
	return err
}
