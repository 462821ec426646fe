package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

func key(k string) with { return header("Idempotency-Key", k) }

func creation(name string) map[string]any {
	return map[string]any{"name": name, "owner": map[string]string{"email": name + "@repeat.example", "password": "correct-horse-battery"}}
}

func TestRepeatedCreationIsOne(t *testing.T) {
	w := newWorld(t)
	first := w.do("POST", "/v1/organizations", "", creation("acme"), key("k"))
	w.expect(first, 201, "")
	again := w.do("POST", "/v1/organizations", "", creation("acme"), key("k"))
	if again.status != 201 || string(again.body) != string(first.body) ||
		again.header.Get("Location") != first.header.Get("Location") || again.header.Get("ETag") != first.header.Get("ETag") {
		t.Errorf("repeated:\n%v\nfirst:\n%v", again, first)
	}
	w.expect(w.do("POST", "/v1/organizations", "", creation("other"), key("k")), 422, "idempotency_key_reused")
	// Another password is another request, too.
	other := creation("acme")
	other["owner"] = map[string]string{"email": "acme@repeat.example", "password": "correct-horse-battery-2"}
	w.expect(w.do("POST", "/v1/organizations", "", other, key("k")), 422, "idempotency_key_reused")
	// Somebody else's key of the same spelling is another.
	w.expect(w.do("POST", "/v1/organizations", w.operator, creation("bolt"), key("k")), 201, "")
	w.expect(w.do("POST", "/v1/organizations", "", creation("acme"), key("other")), 409, "organization_name_taken")
	w.expect(w.do("POST", "/v1/organizations", "", creation("x1"), key(string(make([]byte, 0))+fmt.Sprintf("%0300d", 1))), 422, "invalid")

	// The first answer stays, whatever became of the organization.
	w.expect(w.do("DELETE", "/v1/organizations/acme", w.operator, nil), 204, "")
	if again := w.do("POST", "/v1/organizations", "", creation("acme"), key("k")); string(again.body) != string(first.body) {
		t.Error("repeated after the deletion:", again)
	}
	w.expect(w.do("GET", "/v1/organizations/acme", w.operator, nil), 404, "organization_not_found")
}

func TestRepeatedSeedCreation(t *testing.T) {
	w := newWorld(t)
	body := map[string]string{"organization_name": "Acme", "email": "a@acme.example", "password": "correct-horse-battery"}
	first := w.do("POST", "/org/create", "", body, key("k"))
	w.expect(first, 201, "")
	if again := w.do("POST", "/org/create", "", body, key("k")); string(again.body) != string(first.body) {
		t.Errorf("repeated: %v, first: %v", again, first)
	}
	// Also when its administrator has another address by now, and when it is gone.
	w.expect(w.do("PUT", "/org/update", w.operator, map[string]string{"organization_name": "Acme", "email": "b@acme.example"}), 200, "")
	if again := w.do("POST", "/org/create", "", body, key("k")); string(again.body) != string(first.body) {
		t.Errorf("repeated after a change: %v, first: %v", again, first)
	}
	w.expect(w.do("DELETE", "/v1/organizations/acme", w.operator, nil), 204, "")
	if again := w.do("POST", "/org/create", "", body, key("k")); string(again.body) != string(first.body) {
		t.Errorf("repeated after the deletion: %v, first: %v", again, first)
	}
	body["organization_name"] = "Bolt"
	w.expect(w.do("POST", "/org/create", "", body, key("k")), 422, "idempotency_key_reused")
}

// Each operator key, each user and everybody without a token have keys of their own.
func TestAKeyIsItsSendersOwn(t *testing.T) {
	w := newWorld(t)
	another := w.do("POST", "/v1/operator-keys", w.operator, map[string]any{"name": "another"})
	w.expect(another, 201, "")
	tokens := []string{"", w.operator, another.field("key")}
	for _, name := range []string{"ann", "bob"} {
		w.expect(w.do("POST", "/v1/organizations", "", creation(name)), 201, "")
		in := w.do("POST", "/v1/auth/login", "", map[string]string{"email": name + "@repeat.example", "password": "correct-horse-battery"})
		w.expect(in, 200, "")
		tokens = append(tokens, in.field("access_token"))
	}
	seen := map[string]bool{}
	for i, token := range tokens {
		body := creation(fmt.Sprint("of ", i))
		body["owner"] = map[string]string{"email": fmt.Sprintf("o%d@repeat.example", i), "password": "correct-horse-battery"}
		made := w.do("POST", "/v1/organizations", token, body, key("k"))
		w.expect(made, 201, "")
		if seen[made.field("id")] {
			t.Errorf("sender %d was answered somebody else's %s", i, made.field("id"))
		}
		seen[made.field("id")] = true
		if again := w.do("POST", "/v1/organizations", token, body, key("k")); string(again.body) != string(made.body) {
			t.Errorf("sender %d: repeated %v, first %v", i, again, made)
		}
		for _, other := range tokens {
			if other != token {
				w.expect(w.do("POST", "/v1/organizations", other, body, key(fmt.Sprint("another", i))), 409, "organization_name_taken")
			}
		}
	}
}

// What was refused was not done, and may be tried again under its key.
func TestRefusedCreationKeepsNoKey(t *testing.T) {
	w, cluster := newFaultyWorld(t)
	set(&cluster.provision, refuses)
	w.expect(w.do("POST", "/v1/organizations", "", creation("acme"), key("k")), 503, "unavailable")
	cluster.provision.Store(nil)
	w.expect(w.do("POST", "/v1/organizations", "", creation("acme"), key("k")), 201, "")
}

func TestRepeatedWhileOnItsWay(t *testing.T) {
	w, cluster := newFaultyWorld(t)
	begun, release := make(chan struct{}), make(chan struct{})
	set(&cluster.provision, func(context.Context) error { close(begun); <-release; return nil })
	first := make(chan answer, 1)
	go func() { first <- w.do("POST", "/v1/organizations", "", creation("acme"), key("k")) }()
	<-begun
	second := w.do("POST", "/v1/organizations", "", creation("acme"), key("k"))
	w.expect(second, 409, "idempotency_key_in_use")
	if second.header.Get("Retry-After") == "" {
		t.Error("no Retry-After:", second)
	}
	close(release)
	a := <-first
	w.expect(a, 201, "")
	if again := w.do("POST", "/v1/organizations", "", creation("acme"), key("k")); string(again.body) != string(a.body) {
		t.Error("repeated:", again)
	}
}

func TestManyAtOnceUnderOneKeyMakeOne(t *testing.T) {
	w := newWorld(t)
	answers := make([]answer, 32)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = w.do("POST", "/v1/organizations", "", creation("acme"), key("k")) })
	}
	all.Wait()
	made := ""
	for _, a := range answers {
		switch {
		case a.status == http.StatusCreated && (made == "" || made == a.field("id")):
			made = a.field("id")
		case a.field("code") == "idempotency_key_in_use":
		case a.field("code") == "sign_in_busy": // too many passwords at once
		default:
			t.Errorf("got %v", a)
		}
	}
	if made == "" {
		t.Error("nobody made it")
	}
	if list := w.do("GET", "/v1/organizations", w.operator, nil); list.field("items.0.id") != made || list.field("items.1.id") != "" {
		t.Error("there are", list)
	}
}
