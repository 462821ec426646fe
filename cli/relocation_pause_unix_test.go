//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"

	"tenantry/app/mongodb/mongotest"
)

// A server that is stopped for longer than its leases and wakes writes nothing
// to the place that an organization has left meanwhile, and one that is stopped
// while it moves an organization does no harm to what another has made of it.
func TestPausedWhileAnotherMoves(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until leases run out")
	}
	kinds, pairs := []mongotest.Kind{mongotest.ReplicaSet}, [][2]string{{"collection", "shared"}}
	if os.Getenv("TENANTRY_TEST_CRASH_MATRIX") == "whole" {
		kinds, pairs = mongotest.Kinds(), append(pairs, [2]string{"shared", "database"}, [2]string{"database", "collection"})
	}
	for _, kind := range kinds {
		for _, pair := range pairs {
			t.Run(fmt.Sprintf("%s %s and %s", kind, pair[0], pair[1]), func(t *testing.T) {
				pausedWhileAnotherMoves(t, mongotest.Shared(t, kind), pair[0], pair[1])
			})
		}
	}
}

// pausedWhileAnotherMoves is about an organization that moves from one isolation
// to another and back.
func pausedWhileAnotherMoves(t *testing.T, m *mongotest.Server, from, to string) {
	servers := threeServers(t, append(onMongoDB(t, m), "TENANTRY_PLACEMENT_ISOLATION="+from,
		"TENANTRY_RELOCATION_DOCUMENTS_PER_SECOND=100", "TENANTRY_OPERATION_WAIT=10ms"))
	a, b := servers[0], servers[1]
	key := a.Key
	const org = "/v1/organizations/acme"
	if a, err := a.try("POST", "/org/create", "", map[string]string{"organization_name": "Acme", "email": email("Acme"), "password": password}); err != nil || a.Status >= 300 {
		t.Fatal(err, a)
	}
	waitUntil(t, func() bool { a, err := a.try("GET", org, key, nil); return err == nil && a.Status == http.StatusOK })
	token := a.login("Acme")
	docs := org + "/documents"
	pages := []*page{{n: 0, has: map[string]written{}}, {n: 1, has: map[string]written{}}, {n: 2, has: map[string]written{}}}
	for i, p := range pages {
		for range 100 {
			if !p.act(servers[i], docs, token) {
				t.Fatal(p.wrong)
			}
		}
	}
	moved := func(to string) (op string) {
		answer := a.want(http.StatusAccepted, "POST", org+"/relocate", key, map[string]string{"isolation": to})
		return answer.Text("id")
	}
	switched := func(s *server, op string) {
		waitUntil(t, func() bool {
			return s.want(http.StatusOK, "GET", "/v1/operations/"+op, key, nil).Text("state") == "switched"
		})
	}

	completed := func(s *server, op string) {
		if a, err := s.try("POST", "/v1/operations/"+op+"/complete", key, nil); err != nil || a.Status >= 300 {
			t.Fatal(err, a)
		}
		waitUntil(t, func() bool {
			return s.want(http.StatusOK, "GET", "/v1/operations/"+op, key, nil).Text("state") == "completed"
		})
	}

	// Stopped, with requests on their way to it, across the switch.
	if err := b.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var late sync.WaitGroup
	for range 8 {
		late.Go(func() {
			// It may be answered, or given up: what counts is where it is written.
			_, _ = b.try("POST", docs, token, map[string]any{"type": "late", "data": map[string]any{}})
		})
	}
	op := moved(to)
	switched(a, op)
	completed(a, op)
	if err := b.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	late.Wait()
	pages[1].act(b, docs, token)
	lateOnes := a.want(http.StatusOK, "GET", docs+"?type=late&limit=200", token, nil)
	items, _ := lateOnes.JSON["items"].([]any)
	t.Logf("%d of 8 late writes arrived, at the new place", len(items))

	// The mover itself, stopped in the middle.
	op = moved(from)
	waitUntil(t, func() bool {
		return a.want(http.StatusOK, "GET", "/v1/operations/"+op, key, nil).Text("state") == "copying"
	})
	if err := a.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	switched(b, op)
	for range 20 {
		if !pages[2].act(b, docs, token) {
			t.Fatal(pages[2].wrong)
		}
	}
	if err := a.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for range 20 { // through the one that woke
		if !pages[0].act(a, docs, token) {
			t.Fatal(pages[0].wrong)
		}
	}
	completed(b, op)
	for _, d := range items { // they are nobody's page
		doc, _ := d.(map[string]any)
		id, _ := doc["id"].(string)
		a.want(http.StatusNoContent, "DELETE", docs+"/"+id, token, nil)
	}
	for _, p := range pages {
		if p.wrong != nil {
			t.Fatal(p.wrong)
		}
	}
	compare(t, b, docs, token, pages)
	out, err := command(t, nil, "doctor", "--data-dir", servers[2].Data).CombinedOutput()
	if err != nil {
		t.Errorf("doctor: %v\n%s", err, out)
	}
}
