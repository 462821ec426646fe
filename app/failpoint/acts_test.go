//go:build unix

package failpoint_test

import "net/http"

// outcome is what came of an act.
type outcome string

const (
	done       outcome = "done"
	neverBegun outcome = "never begun"
)

// act is one thing to do to an organization.
type act struct {
	name string
	from string // the registry's method that begins it
	// half are the methods after which it is begun and not done.
	half []string
	// long: it has as many writes as it takes, and takes seconds with MongoDB.
	long bool
	env  []string // of the process that does it
	// make is what there is before it.
	make func(p *process, s *subject)
	// do does it. The error is that of a process that does not answer.
	do func(p *process, s *subject) error
	// look fails the test where the world is neither done nor never begun.
	look func(p *process, s *subject) outcome
}

const documents = 3

var acts = []act{
	{
		name: "create", from: "BeginCreate", half: []string{"BeginCreate", "Provision"},
		make: func(*process, *subject) {},
		do: func(p *process, s *subject) error {
			return s.does(p, http.StatusCreated, "POST", "/v1/organizations", "", s.creation(), "Idempotency-Key", s.slug())
		},
		look: func(p *process, s *subject) outcome {
			found := done
			state := s.there(p)
			switch state {
			case "active":
				s.login(p)
			case "":
				found = neverBegun
				signIn(p, http.StatusUnauthorized, s.email(), password)
			default:
				p.t.Errorf("%s: it is %s", s.story, state)
			}
			// The caller, who had no answer, asks again.
			again := p.want(http.StatusCreated, "POST", "/v1/organizations", "", s.creation(), "Idempotency-Key", s.slug())
			now := p.want(http.StatusOK, "GET", s.path(), s.login(p), nil)
			if again.Text("id") != now.Text("id") {
				p.t.Errorf("%s: repeated, it is %s, and there is %s", s.story, again.Body, now.Body)
			}
			p.want(http.StatusCreated, "POST", s.path()+"/documents", s.login(p), object{"type": "t", "data": object{}})
			return found
		},
	},
	{
		name: "rename", from: "BeginRename", half: []string{"BeginRename", "Rename"},
		make: func(p *process, s *subject) { s.make(p, documents) },
		do: func(p *process, s *subject) error {
			return s.does(p, http.StatusOK, "PUT", "/org/update", s.login(p), object{"organization_name": s.name,
				"new_organization_name": s.after().name, "email": s.after().email(), "password": newPassword})
		},
		look: func(p *process, s *subject) outcome {
			renamed := s.after()
			renamed.story = s.story
			switch was, is := s.there(p), renamed.there(p); {
			case was == "active" && is == "":
				s.whole(p, s.login(p), s.path())
				signIn(p, http.StatusUnauthorized, renamed.email(), newPassword)
				renamed.free(p)
				return neverBegun
			case was == "" && is == "active":
				s.whole(p, signIn(p, http.StatusOK, renamed.email(), newPassword), renamed.path())
				signIn(p, http.StatusUnauthorized, s.email(), password)
				s.free(p)
			default:
				p.t.Errorf("%s: the old name is %q, the new one %q", s.story, was, is)
			}
			return done
		},
	},
	{
		name: "change", from: "ChangeOrganization",
		make: func(p *process, s *subject) { s.make(p, documents) },
		do: func(p *process, s *subject) error {
			return s.does(p, http.StatusOK, "PUT", "/org/update", s.login(p), object{"organization_name": s.name,
				"email": s.after().email(), "password": newPassword})
		},
		look: func(p *process, s *subject) outcome {
			a, err := p.ask("POST", "/v1/auth/login", "", object{"email": s.email(), "password": password})
			if err == nil && a.Status == http.StatusOK {
				s.whole(p, a.Text("access_token"), s.path())
				signIn(p, http.StatusUnauthorized, s.after().email(), newPassword)
				return neverBegun
			}
			s.whole(p, signIn(p, http.StatusOK, s.after().email(), newPassword), s.path())
			return done
		},
	},
	{
		name: "delete", from: "BeginDelete", half: []string{"BeginDelete", "Drop"},
		make: func(p *process, s *subject) { s.make(p, documents) },
		do: func(p *process, s *subject) error {
			return s.does(p, http.StatusNoContent, "DELETE", s.path(), s.login(p), nil)
		},
		look: gone,
	},
	{
		name: "purge", from: "BeginPurge", half: []string{"BeginPurge", "Drop"},
		env:  []string{"TENANTRY_DELETION_RETENTION=300ms"},
		make: func(p *process, s *subject) { s.make(p, documents) },
		do: func(p *process, s *subject) error {
			p.want(http.StatusAccepted, "DELETE", s.path(), p.key, nil)
			return p.reconciled()
		},
		look: func(p *process, s *subject) outcome {
			if s.there(p) != "" {
				p.t.Errorf("%s: it is still there", s.story)
			}
			return gone(p, s)
		},
	},
	{
		name: "restore", from: "RestoreOrganization", env: []string{"TENANTRY_DELETION_RETENTION=1h"},
		make: func(p *process, s *subject) {
			s.make(p, documents)
			p.want(http.StatusAccepted, "DELETE", s.path(), p.key, nil)
		},
		do: func(p *process, s *subject) error {
			return s.does(p, http.StatusOK, "POST", s.path()+"/restore", p.key, nil)
		},
		look: func(p *process, s *subject) outcome {
			state := s.there(p)
			if state == "deleted" {
				signIn(p, http.StatusUnauthorized, s.email(), password)
				p.want(http.StatusOK, "POST", s.path()+"/restore", p.key, nil)
			} else if state != "active" {
				p.t.Errorf("%s: it is %q", s.story, state)
			}
			s.whole(p, s.login(p), s.path())
			if state == "deleted" {
				return neverBegun
			}
			return done
		},
	},
	{
		name: "relocate", from: "BeginRelocation", half: []string{"Fill", "FlipRelocation"}, long: true,
		make: func(p *process, s *subject) { s.make(p, documents) },
		do: func(p *process, s *subject) error {
			return s.does(p, http.StatusOK, "POST", s.path()+"/relocate", p.key, object{"isolation": "shared"})
		},
		look: func(p *process, s *subject) outcome {
			s.whole(p, s.login(p), s.path())
			at := p.want(http.StatusOK, "GET", s.path()+"/placement", p.key, nil)
			switch at.Text("isolation") {
			case "collection":
				return neverBegun
			case "shared":
			default:
				p.t.Errorf("%s: it is at %s", s.story, at)
			}
			p.want(http.StatusCreated, "POST", s.path()+"/documents", s.login(p), object{"type": "t", "data": object{}})
			return done
		},
	},
}

// gone tells whether it was deleted, and fails where that is half so.
func gone(p *process, s *subject) outcome {
	switch state := s.there(p); state {
	case "active":
		s.whole(p, s.login(p), s.path())
		return neverBegun
	case "":
		signIn(p, http.StatusUnauthorized, s.email(), password)
		s.free(p)
	default:
		p.t.Errorf("%s: it is %s", s.story, state)
	}
	return done
}

// does sends the request that is the act.
func (s *subject) does(p *process, status int, method, path, token string, body object, headers ...string) error {
	a, err := p.ask(method, path, token, body, headers...)
	if err == nil && a.Status != status {
		p.t.Errorf("%s: %s %s answers %d: %s", s.story, method, path, a.Status, a.Body)
	}
	s.acknowledged = err == nil
	return err
}
