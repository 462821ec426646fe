package servertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tenantry/app"
	"tenantry/app/config"
	"tenantry/app/servertest"
)

// -rapid.checks=100 asks for more.
func init() { _ = flag.Set("rapid.checks", "20") }

// Two organizations do what comes to mind by HTTP, and try to reach each other
// by all that a request is made of: each finds what it has written itself, and
// no answer tells whether the other has what it was asked for. On every engine,
// both in the shared collection and one of them in its own.
func TestNothingCrosses(t *testing.T) {
	for name, s := range everyEngine(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startOn(t, s)
			for _, isolations := range [][2]app.Isolation{
				{app.IsolationShared, app.IsolationShared}, {app.IsolationCollection, app.IsolationShared},
			} {
				t.Run(string(isolations[0]+" and "+isolations[1]), func(t *testing.T) {
					street := settle(t, server, isolations)
					rapid.Check(t, func(r *rapid.T) {
						street.beginAnew(r)
						r.Repeat(street.actions())
						street.compare(r)
					})
				})
			}
		})
	}
}

// The same while one of both is being moved, from one isolation to the next and
// to where it came from: what is asked meanwhile is answered as if nothing were.
func TestNothingCrossesWhileOneMoves(t *testing.T) {
	for name, s := range everyEngine(t) {
		if name == "little" {
			continue // nothing is moved there
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Writes are held for a lease at each move.
			server := startOn(t, s, func(c *config.Config) { c.PlacementLease = 200 * time.Millisecond })
			street := settle(t, server, [2]app.Isolation{app.IsolationShared, app.IsolationShared})
			moving, stop := context.WithCancel(t.Context())
			moves, done := 0, make(chan error, 1)
			go func() {
				for {
					for _, to := range []app.Isolation{app.IsolationCollection, app.IsolationDatabase, app.IsolationShared} {
						if err := move(t.Context(), server, street.neighbors[0].id, to, moves%2 == 1); err != nil {
							done <- fmt.Errorf("move %d, to %s: %w", moves, to, err)
							return
						}
						moves++
						if moving.Err() != nil && moves >= 3 {
							done <- nil
							return
						}
					}
				}
			}()
			rapid.Check(t, func(r *rapid.T) {
				street.beginAnew(r)
				r.Repeat(street.actions())
				street.compare(r)
			})
			stop()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}

// street is two organizations that live side by side.
type street struct {
	host      string
	operator  string
	neighbors [2]*neighbor
}

// neighbor is an organization, and what it has written.
type neighbor struct {
	id, slug, token string
	written         map[string]written
	// cursor is one of its lists.
	cursor string
}

type written struct {
	Type, Data string
	Revision   int
}

// settle makes the two.
func settle(t *testing.T, server *servertest.Server, isolations [2]app.Isolation) *street {
	t.Helper()
	s := &street{host: strings.TrimPrefix(server.URL, "http://"), operator: server.Key}
	operator := caller{t: t, url: server.URL, token: server.Key}
	for n, isolation := range isolations {
		slug := fmt.Sprintf("%s-%d-%s", isolations[0], n, isolation)
		email := slug + "@crossing.example"
		made := operator.send("POST", "/v1/organizations", "", fmt.Sprintf(`{"name":%q,"slug":%q,"owner":{"email":%q,"password":"correct horse battery"},`+
			`"placement":{"isolation":%q}}`, slug, slug, email, isolation))
		operator.want(made, 201)
		in := operator.send("POST", "/v1/auth/login", "", fmt.Sprintf(`{"email":%q,"password":"correct horse battery"}`, email))
		operator.want(in, 200)
		var org struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(made.body, &org); err != nil {
			t.Fatal(err)
		}
		s.neighbors[n] = &neighbor{id: org.ID, slug: slug, token: in.AccessToken, written: map[string]written{}}
	}
	return s
}

// move moves an organization, there and perhaps back and there again, and has
// what it left removed.
func move(ctx context.Context, server *servertest.Server, org string, to app.Isolation, revert bool) error {
	ask := func(method, path string, body any) (servertest.Answer, error) {
		a, err := servertest.Ask(ctx, http.DefaultClient, method, server.URL+path, server.Key, body)
		if err == nil && a.Status >= 400 {
			err = errors.New(a.String())
		}
		return a, err
	}
	relocate := func() (id string, err error) {
		a, err := ask("POST", "/v1/organizations/"+org+"/relocate", map[string]any{"isolation": to})
		if err != nil {
			return "", err
		}
		id = a.Text("id")
		for {
			relocation, _ := a.JSON["relocation"].(map[string]any)
			if revertible, _ := relocation["revertible"].(bool); revertible {
				return id, nil
			}
			time.Sleep(20 * time.Millisecond)
			if a, err = ask("GET", "/v1/operations/"+id, nil); err != nil {
				return "", err
			}
			if state := a.Text("state"); state == "failed" || state == "cancelled" {
				return "", errors.New(a.String())
			}
		}
	}
	id, err := relocate()
	if err == nil && revert {
		if _, err = ask("POST", "/v1/operations/"+id+"/revert", nil); err == nil {
			err = ended(ask, id)
		}
		if err == nil {
			id, err = relocate()
		}
	}
	if err == nil {
		_, err = ask("POST", "/v1/operations/"+id+"/complete", nil)
	}
	if err == nil {
		err = ended(ask, id)
	}
	return err
}

// ended waits until an operation has.
func ended(ask func(method, path string, body any) (servertest.Answer, error), id string) error {
	for {
		a, err := ask("GET", "/v1/operations/"+id, nil)
		if err != nil {
			return err
		}
		switch a.Text("state") {
		case "completed", "reverted":
			return nil
		case "failed", "cancelled":
			return errors.New(a.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}
