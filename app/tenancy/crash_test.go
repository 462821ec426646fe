package tenancy_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/journal"
	"tenantry/app/tenancy"
)

// outcome is how the world stands after an act and recovery.
type outcome string

const (
	done       outcome = "done"
	neverBegun outcome = "never begun"
)

// act is one thing to do on a server that may fail, and how to tell what came
// of it.
type act struct {
	do func(s *server) error
	// look fails the test where the world is neither done nor never begun.
	look func() outcome
}

var acts = map[string]func(h *house, n int) act{"create": createAct, "repeat": repeatAct, "rename": renameAct,
	"delete": deleteAct, "purge": purgeAct, "restore": restoreAct}

// TestCrashMatrix fails each act at each of its writes, with the write done or
// not, and kills the server before and after each of what it then writes;
// another server finds the world done or never begun.
func TestCrashMatrix(t *testing.T) {
	crashMatrix(t, testing.Short(), newHouse)
}

// crashMatrix is shallow where one failure a case has to be enough.
func crashMatrix(t *testing.T, shallow bool, open func(t testing.TB) *house) {
	for name, make := range acts {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			cases := 0
			run := func(f, then *faults) int {
				cases++
				h.crashCase(make(h, cases), f, then)
				return f.count
			}
			writes := run(&faults{refuse: never, crash: never}, nil)
			for crash := range writes {
				for _, answered := range []bool{false, true} {
					run(&faults{refuse: never, crash: crash, answered: answered}, nil)
					for again := 0; again < writes && !shallow; again++ {
						for _, answeredAgain := range []bool{false, true} {
							run(&faults{refuse: never, crash: crash, answered: answered},
								&faults{refuse: never, crash: again, answered: answeredAgain})
						}
					}
				}
			}
			// While refusals make it go on in another way, there are other writes.
			for refuse := 0; refuse < writes+3; refuse++ {
				for _, unheard := range []bool{false, true} {
					n := run(&faults{refuse: refuse, unheard: unheard, crash: never}, nil)
					for crash := refuse + 1; crash < n && !shallow; crash++ {
						for _, answered := range []bool{false, true} {
							run(&faults{refuse: refuse, unheard: unheard, crash: crash, answered: answered}, nil)
						}
					}
				}
			}
			h.tidy()
			t.Log(cases, "cases")
			if cases < 10 {
				t.Error("too few")
			}
		})
	}
}

func (h *house) crashCase(a act, f, then *faults) {
	h.t.Helper()
	s := h.serve(faultyRegistry{h.registry, f}, faultyCluster{h.cluster, f}, openHouse)
	err := a.do(s)
	what := fmt.Sprintf("refuse %d (unheard %v), crash %d (answered %v), writes %s, error %v",
		f.refuse, f.unheard, f.crash, f.answered, strings.Join(f.trace, " "), err)
	var pending *journal.PendingError
	recordedUnheard := f.unheard && f.refuse == 0
	if isPending := errors.As(err, &pending); !f.dead && !isPending && !recordedUnheard {
		// Nothing is left for recovery, and the answer was the truth.
		open, listErr := h.registry.OpenOperations(h.ctx, app.Now())
		h.ok(listErr)
		if len(open) > 0 {
			h.t.Fatalf("%s: an operation is open", what)
		}
		want := done
		if err != nil {
			want = neverBegun
		}
		if got := a.look(); got != want {
			h.t.Fatalf("%s: it is %s", what, got)
		}
		return
	}
	recovering := h.serve(h.registry, h.cluster, openHouse)
	if !f.dead { // a living server ends it by itself, or dies of it now
		f.refuse = never
		if _, err := s.Recover(h.ctx); err != nil && !f.dead {
			h.t.Fatalf("%s: recover: %v", what, err)
		}
	}
	if then != nil { // the server that recovers dies, too
		dying := h.serve(faultyRegistry{h.registry, then}, faultyCluster{h.cluster, then}, openHouse)
		if _, err := dying.Recover(h.ctx); err != nil && !then.dead {
			h.t.Fatalf("%s: recover: %v", what, err)
		}
		what += ", then " + strings.Join(then.trace, " ")
	}
	if _, err := recovering.Recover(h.ctx); err != nil {
		h.t.Fatalf("%s: recover: %v", what, err)
	}
	if ended, err := recovering.Recover(h.ctx); ended > 0 || err != nil {
		h.t.Fatalf("%s: a second recovery ended %d, %v", what, ended, err)
	}
	if got := a.look(); err == nil && got != done {
		h.t.Fatalf("%s: acknowledged, and %s", what, got)
	}
	if h.tidy(); h.t.Failed() {
		h.t.Fatal(what)
	}
}

func createAct(h *house, n int) act {
	in := input(fmt.Sprintf("Crash %d", n))
	in.ExternalID = fmt.Sprintf("crash-%d", n)
	return act{
		do: func(s *server) error {
			org, err := s.Create(h.ctx, anonymous, in)
			if err == nil && (org.Name != in.Name || org.State != app.StateActive || org.Revision != 1) {
				h.t.Errorf("the answer is %+v", org)
			}
			return err
		},
		look: func() outcome {
			org, err := h.Get(h.ctx, operator, fmt.Sprintf("crash-%d", n))
			if err == nil {
				h.ok(h.login(in.Owner.Email, password))
				owner := app.Actor{Kind: app.AsUser, UserID: org.OwnerID}
				_, err = h.documents.Create(h.ctx, owner, string(org.ID), documents.CreateInput{Type: "t", Data: []byte("{}")})
				h.ok(err)
				return done
			}
			h.wantCode(err, "organization_not_found")
			h.wantCode(h.login(in.Owner.Email, password), "credentials_invalid")
			// The caller tries again, and is not refused by the remains.
			org, err = h.Create(h.ctx, anonymous, in)
			h.ok(err)
			h.ok(h.Delete(h.ctx, operator, string(org.ID), app.AnyRevision))
			return neverBegun
		},
	}
}

func renameAct(h *house, n int) act {
	o := h.tenant(fmt.Sprintf("Before %d", n))
	doc, err := h.documents.Create(h.ctx, o.owner, string(o.ID), documents.CreateInput{Type: "t", Data: []byte(`{"of":"this one"}`)})
	h.ok(err)
	const newPassword = "another staple entirely"
	name, slug, external := fmt.Sprintf("After %d", n), fmt.Sprintf("after-%d", n), fmt.Sprintf("after-%d", n)
	email, pass, value := fmt.Sprintf("after%d@house.example", n), newPassword, "new"
	change := tenancy.UpdateInput{Name: &name, ExternalID: &external, Email: &email, Password: &pass,
		Metadata: map[string]*string{"key": &value}}
	return act{
		do: func(s *server) error {
			org, err := s.Update(h.ctx, o.owner, o.Slug, change)
			if err == nil && (org.ID != o.ID || org.Slug != slug || org.Revision != o.Revision+1) {
				h.t.Errorf("the answer is %+v", org)
			}
			return err
		},
		look: func() outcome {
			got, err := h.documents.Get(h.ctx, o.owner, string(o.ID), string(doc.ID))
			h.ok(err)
			if !reflect.DeepEqual(got, doc) {
				h.t.Errorf("the document has become %+v", got)
			}
			org := h.organization(o.ID)
			renamed := org.Slug == slug
			free := input(name)
			free.ExternalID, free.Owner.Email = external, email
			if renamed {
				if org.Name != name || org.ExternalID != external || org.Metadata["key"] != "new" ||
					org.Placement.Generation != o.Placement.Generation+1 || org.Revision != o.Revision+1 {
					h.t.Errorf("half renamed: %+v", org)
				}
				h.wantCode(h.login(o.email, password), "credentials_invalid")
				h.wantCode(h.login(email, password), "credentials_invalid")
				h.ok(h.login(email, newPassword))
				free = input(o.Name)
				free.Owner.Email = o.email
			} else {
				if !reflect.DeepEqual(org, o.Organization) {
					h.t.Errorf("half of a rename is left: %+v instead of %+v", org, o.Organization)
				}
				h.ok(h.login(o.email, password))
				h.wantCode(h.login(email, newPassword), "credentials_invalid")
			}
			// The names it has not are free for somebody else.
			other, err := h.Create(h.ctx, anonymous, free)
			h.ok(err)
			h.ok(h.Delete(h.ctx, operator, string(other.ID), app.AnyRevision))
			if renamed {
				return done
			}
			return neverBegun
		},
	}
}

func deleteAct(h *house, n int) act {
	o := h.tenant(fmt.Sprintf("Gone %d", n))
	return act{
		do: func(s *server) error { return s.Delete(h.ctx, o.owner, o.Slug, app.AnyRevision) },
		look: func() outcome {
			if org, err := h.registry.Organization(h.ctx, o.ID); err == nil {
				if !reflect.DeepEqual(org, o.Organization) {
					h.t.Errorf("half deleted: %+v", org)
				}
				h.ok(h.login(o.email, password))
				return neverBegun
			}
			h.wantCode(h.login(o.email, password), "credentials_invalid")
			again := input(o.Name)
			again.Owner.Email = o.email
			org, err := h.Create(h.ctx, anonymous, again)
			h.ok(err)
			h.ok(h.Delete(h.ctx, operator, string(org.ID), app.AnyRevision))
			return done
		},
	}
}
