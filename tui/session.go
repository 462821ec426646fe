package tui

import (
	"context"
	"errors"
	"sync"

	"tenantry/app"
	"tenantry/app/client"
)

// session is a sign-in to the server, renewed when the server says that it is
// over. It is safe for concurrent use, since commands share it.
type session struct {
	server Server

	mu      sync.Mutex
	backend Backend
	token   string
	refresh string // good once; "" where there is none
	// generation counts the tokens, so that one that has been replaced
	// meanwhile is not replaced again.
	generation int
	// member is the id of the organization that the session is for, where an
	// operator looks at its documents with it.
	member string
}

func newSession(server Server) *session {
	return &session{server: server, backend: server.As(server.Token), token: server.Token}
}

func (s *session) current() (Backend, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backend, s.generation
}

// use makes whoever holds the token the one who asks from now on.
func (s *session) use(token, refresh string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(token, refresh)
}

func (s *session) set(token, refresh string) {
	s.token, s.refresh = token, refresh
	s.backend = s.server.As(token)
	s.generation++
}

// bearer is the token that is good now.
func (s *session) bearer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// renew gets a new token for one that the server did not take. A refresh token
// is good once, so only one caller shows it and the others wait.
func (s *session) renew(ctx context.Context, generation int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation != generation {
		return nil
	}
	if s.refresh == "" {
		return app.ErrUnauthenticated
	}
	tokens, err := s.server.As("").Refresh(ctx, s.refresh)
	if err != nil {
		return err
	}
	s.set(tokens.AccessToken, tokens.RefreshToken)
	return nil
}

// end signs out.
func (s *session) end(ctx context.Context) error {
	s.mu.Lock()
	refresh := s.refresh
	s.mu.Unlock()
	if refresh == "" {
		return nil
	}
	return s.server.As("").Logout(ctx, refresh)
}

// with makes the call, and once more with a new token where the old one is
// over.
func with[T any](ctx context.Context, s *session, call func(context.Context, Backend) (T, error)) (T, error) {
	if s == nil {
		var none T
		return none, errNoMember
	}
	backend, generation := s.current()
	value, err := call(ctx, backend)
	if !errors.Is(err, app.ErrUnauthenticated) || s.renew(ctx, generation) != nil {
		return value, err
	}
	backend, _ = s.current()
	return call(ctx, backend)
}

// errNoMember is the answer to an operator who asks for documents.
var errNoMember = toldError("Documents are shown to members alone. Press i to sign in as one.")

// person is who is signed in.
type person struct {
	operator bool
	email    string
	// The organization that a user is signed in to.
	organization client.Organization
	role         string
}

// identify asks the server who holds the session's token. An operator is
// nobody in particular, and so forbidden to ask.
func identify(ctx context.Context, b Backend) (person, error) {
	me, err := b.Me(ctx)
	var told *client.Error
	if errors.As(err, &told) && told.Code == "user_required" {
		return person{operator: true}, nil
	}
	if err != nil {
		return person{}, err
	}
	who := person{email: me.Email}
	for _, m := range me.Memberships {
		if m.OrganizationID == me.OrganizationID {
			who.role = m.Role
		}
	}
	who.organization, err = b.Organization(ctx, me.OrganizationID)
	return who, err
}

// members are the sign-ins to organizations whose documents an operator looks
// at: the server shows them to members alone.
type members struct {
	mu sync.Mutex
	of map[string]*session // by the organization's id
}

func (m *members) get(org string) *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of[org]
}

func (m *members) put(org string, s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[string]*session{}
	}
	m.of[org] = s
}

// drop forgets a sign-in that is over.
func (m *members) drop(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s != nil && m.of[s.member] == s {
		delete(m.of, s.member)
	}
}

// end signs out of all of them.
func (m *members) end(ctx context.Context) {
	m.mu.Lock()
	sessions := m.of
	m.of = nil
	m.mu.Unlock()
	for _, s := range sessions {
		_ = s.end(ctx)
	}
}
