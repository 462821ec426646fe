package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Another program opens the database files while the server runs: it reads
// them, opens them as a database, and closes them again. What the server
// acknowledges afterwards survives its crash; with POSIX locks it would not.
func TestAnotherProgramOpensTheFiles(t *testing.T) {
	data := dataDir(t)
	s := serve(t, data)
	s.create("Acme")
	token := s.login("Acme")
	var acknowledged []string
	for i := range 10 {
		files := must(filepath.Glob(filepath.Join(data, "clusters", "default", "*.db")))(t)
		for _, path := range append(files, filepath.Join(data, "registry.db")) {
			if raw := must(os.ReadFile(path))(t); !bytes.HasPrefix(raw, []byte("SQLite format 3")) {
				t.Fatalf("%s is no database", path)
			}
			for _, mode := range []string{"ro", "rw"} {
				db := must(sql.Open("sqlite", "file:"+path+"?mode="+mode))(t)
				_ = query(t, db, `SELECT name FROM sqlite_schema`)
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		id := fmt.Sprintf("doc-%d", i)
		s.want(http.StatusCreated, "POST", "/v1/organizations/acme/documents", token, fmt.Sprintf(`{"type":"n","id":%q,"data":{}}`, id))
		acknowledged = append(acknowledged, id)
		s.create(fmt.Sprintf("Org %d", i))
	}
	s.kill()
	s = serve(t, data)
	token = s.login("Acme")
	for i, id := range acknowledged {
		s.want(http.StatusOK, "GET", "/v1/organizations/acme/documents/"+id, token, nil)
		s.login(fmt.Sprintf("Org %d", i))
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	checkFolder(t, data)
}

// A byte is flipped in the middle of the registry: the server says so and
// writes no more, or refuses to start where it cannot do without that page.
func TestDamagedRegistry(t *testing.T) {
	data := dataDir(t)
	s := serve(t, data)
	for i := range 60 {
		s.create(fmt.Sprintf("Org %d", i))
	}
	token := s.login("Org 7")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	flip(t, filepath.Join(data, "registry.db"))
	s = launch(t, data)
	deadline := time.Now().Add(30 * time.Second)
	for {
		select {
		case <-s.done:
			// Damaged where nothing can be served any more: it says what and where.
			if code := s.cmd.ProcessState.ExitCode(); code != 4 || !strings.Contains(s.log.String(), "registry.db") {
				t.Fatalf("exit code %d: %s", code, s.log)
			}
			t.Log("the server refuses to start")
			return
		default:
		}
		if a, err := s.try("GET", "/readyz", "", nil); err == nil && a.Status == http.StatusServiceUnavailable {
			if !strings.Contains(a.Body, "registry") {
				t.Errorf("readiness does not name the registry: %s", a.Body)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the damage is not seen:\n%s", s.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Log("the server runs on, and says so in its readiness")
	a := must(s.try("POST", "/org/create", "", map[string]string{"organization_name": "New", "email": email("New"), "password": password}))(t)
	if a.Status != http.StatusServiceUnavailable || a.Text("code") != "storage_damaged" {
		t.Errorf("a write on a damaged registry: %d %s", a.Status, a.Body)
	}
	// Reads go on, wherever the damage is not.
	if a := must(s.try("GET", "/v1/organizations/org-7", token, nil))(t); a.Status != http.StatusOK && a.Status != http.StatusServiceUnavailable {
		t.Errorf("a read on a damaged registry: %d %s", a.Status, a.Body)
	}
}

// flip inverts a byte in the middle of a file, the first of a page: what kind
// of page it is.
func flip(t *testing.T, path string) {
	t.Helper()
	raw := must(os.ReadFile(path))(t)
	const page = 4096
	raw[len(raw)/page/2*page] ^= 0xff
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// cancelled is how many requests are given up half-way.
func cancelled() int {
	if testing.Short() {
		return 500
	}
	return 10_000
}

// Ten thousand requests that are given up: in the middle of the head, in the
// middle of the body, and while the server works on the answer. It goes on
// serving others, and keeps nothing of them.
func TestCancelledHalfway(t *testing.T) {
	data := dataDir(t)
	s := serve(t, data, "TENANTRY_LOG_REQUESTS=none")
	s.create("Acme")
	token := s.login("Acme")
	address := strings.TrimPrefix(s.URL, "http://")
	body := `{"type":"n","data":{"text":"` + strings.Repeat("x", 2000) + `"}}`
	head := fmt.Sprintf("POST /v1/organizations/acme/documents HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", address, token, len(body))
	whole := head + body
	before := s.openFiles()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(cancelled()) {
					return
				}
				conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
				if err != nil {
					t.Errorf("request %d: %v", i, err)
					return
				}
				end := len(whole)
				switch i % 3 {
				case 0:
					end = len(head) / 2
				case 1:
					end = len(head) + len(body)/2
				}
				_, _ = conn.Write([]byte(whole[:end]))
				_ = conn.(*net.TCPConn).SetLinger(0) // gone at once, as by a reset
				_ = conn.Close()
			}
		})
	}
	// Meanwhile others are served as ever.
	for i := range 50 {
		s.want(http.StatusCreated, "POST", "/v1/organizations/acme/documents", token, fmt.Sprintf(`{"type":"other","id":"o-%d","data":{}}`, i))
		s.want(http.StatusOK, "GET", fmt.Sprintf("/v1/organizations/acme/documents/o-%d", i), token, nil)
	}
	wg.Wait()
	s.want(http.StatusOK, "GET", "/readyz", "", nil)
	s.create("After")
	for deadline := time.Now().Add(20 * time.Second); s.openFiles() > before+20; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d files were open before, and %d are after", before, s.openFiles())
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	checkFolder(t, data)
}

// openFiles counts the files and connections that the server has open; 0 where
// the system does not say.
func (s *server) openFiles() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return len(entries)
}
