package cli_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// crashRounds is how often the server is killed; TENANTRY_TEST_CRASH_ROUNDS
// asks for more.
func crashRounds(t *testing.T) int {
	if s := os.Getenv("TENANTRY_TEST_CRASH_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 3
	}
	return 8
}

// The server is killed in the middle of 32 concurrent creates, again and
// again on one folder. Whatever was acknowledged is there and can sign in;
// whatever was not is there wholly or not at all.
func TestKilledWhileCreating(t *testing.T) {
	data := dataDir(t)
	var acknowledged []string
	for round := range crashRounds(t) {
		s := serve(t, data)
		var mu sync.Mutex
		var wg sync.WaitGroup
		var started atomic.Int32
		for i := range 32 {
			wg.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("org-%d-%d-%d", round, i, n)
					started.Add(1)
					a, err := s.try("POST", "/org/create", "", map[string]string{
						"organization_name": name, "email": email(name), "password": password})
					if err != nil {
						return // killed
					}
					if a.Status != http.StatusCreated {
						t.Errorf("create %s: %d %s", name, a.Status, a.Body)
						return
					}
					mu.Lock()
					acknowledged = append(acknowledged, name)
					mu.Unlock()
				}
			})
		}
		for started.Load() < 32 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond)
		s.kill()
		wg.Wait()
	}
	s := serve(t, data)
	for _, name := range acknowledged {
		s.want(http.StatusOK, "POST", "/admin/login", "", map[string]string{"email": email(name), "password": password})
	}
	t.Logf("%d acknowledged organizations, all can sign in", len(acknowledged))
	if err := s.stop(); err != nil {
		t.Fatalf("serve ended with %v", err)
	}
	checkFolder(t, data)
}

// checkFolder reads a stopped server's files as another program would: every
// file is sound, every organization whole, every table somebody's.
func checkFolder(t *testing.T, data string) {
	t.Helper()
	registry := open(t, filepath.Join(data, "registry.db"))
	owned := map[string]bool{}
	rows := query(t, registry, `SELECT id, state, collection FROM organizations`)
	for _, row := range rows {
		if row[1] != "active" && row[1] != "suspended" {
			t.Errorf("organization %s is %s after recovery", row[0], row[1])
		}
		owned[row[2]] = true
	}
	if left := query(t, registry, `SELECT id, kind, state FROM operations WHERE state IN ('running', 'aborting')`); len(left) > 0 {
		t.Errorf("operations left open: %v", left)
	}
	for _, sql := range []string{
		`SELECT o.id FROM organizations o LEFT JOIN users u ON u.id = o.owner_id WHERE u.id IS NULL`,
		`SELECT o.id FROM organizations o LEFT JOIN memberships m ON m.organization_id = o.id WHERE m.user_id IS NULL`,
		`SELECT u.id FROM users u LEFT JOIN memberships m ON m.user_id = u.id WHERE m.user_id IS NULL`,
		`SELECT m.user_id FROM memberships m LEFT JOIN organizations o ON o.id = m.organization_id WHERE o.id IS NULL`,
	} {
		if half := query(t, registry, sql); len(half) > 0 {
			t.Errorf("%s: %v", sql, half)
		}
	}
	shards, err := filepath.Glob(filepath.Join(data, "clusters", "default", "*.db"))
	if err != nil {
		t.Fatal(err)
	}
	tables := 0
	for _, path := range shards {
		shard := open(t, path)
		for _, row := range query(t, shard, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'org\_%' ESCAPE '\'`) {
			tables++
			if !owned[row[0]] {
				t.Errorf("%s has table %s, which is nobody's", filepath.Base(path), row[0])
			}
			delete(owned, row[0])
		}
	}
	if len(owned) > 0 {
		t.Errorf("organizations without a table: %v", owned)
	}
	t.Logf("%d organizations, %d tables, %d files checked", len(rows), tables, len(shards)+1)
}

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if sound := query(t, db, `PRAGMA integrity_check`); len(sound) != 1 || sound[0][0] != "ok" {
		t.Errorf("%s: integrity_check says %v", path, sound)
	}
	return db
}

func query(t *testing.T, db *sql.DB, q string) [][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for rows.Next() {
		cells := make([]string, len(columns))
		into := make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, cells)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// SIGTERM under load: every request that was taken is answered, and answered
// well; what comes after is refused by the closed door, not by half an answer.
func TestTerminatedUnderLoad(t *testing.T) {
	s := serve(t, dataDir(t))
	s.create("Acme")
	token := s.login("Acme")
	stopping := make(chan struct{})
	var wg sync.WaitGroup
	var served atomic.Int64
	for i := range 32 {
		wg.Go(func() {
			for n := 0; ; n++ {
				path, body := "/v1/organizations/acme/documents", any(fmt.Sprintf(`{"type":"n","data":{"i":%d,"n":%d}}`, i, n))
				method, want := "POST", http.StatusCreated
				if n%2 == 1 {
					method, path, body, want = "GET", "/v1/organizations/acme", nil, http.StatusOK
				}
				a, err := s.try(method, path, token, body)
				if err != nil {
					select {
					case <-stopping:
						if refusedAtTheDoor(err) {
							return
						}
					default:
					}
					t.Errorf("%s %s: %v", method, path, err)
					return
				}
				if a.Status != want {
					t.Errorf("%s %s: %d %s", method, path, a.Status, a.Body)
					return
				}
				served.Add(1)
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	close(stopping)
	if err := s.stop(); err != nil {
		t.Errorf("serve ended with %v", err)
	}
	wg.Wait()
	t.Logf("%d requests served", served.Load())
}

// refusedAtTheDoor tells a connection that was never taken (or that ended
// between two requests, before a byte of an answer) from an answer cut short.
// Go's client itself repeats what it may on a kept connection that was closed.
func refusedAtTheDoor(err error) bool {
	s := err.Error()
	return strings.Contains(s, "connection refused") || strings.Contains(s, "connection reset by peer") && strings.Contains(s, "dial")
}
