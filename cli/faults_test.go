package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ended waits for a server that is meant to refuse, and gives what it said.
func (s *server) ended() (code int, said string) {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("serve goes on instead of refusing:\n%s", s.log)
	}
	return s.cmd.ProcessState.ExitCode(), s.log.String()
}

// A registry that was lost is not begun anew over the data that it left: what
// would be made there would be in the way of its being restored.
func TestLostRegistryIsNotBegunAnew(t *testing.T) {
	data := dataDir(t)
	s := serve(t, data)
	s.create("Acme")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	registry := filepath.Join(data, "registry.db")
	saved, err := os.ReadFile(registry)
	if err != nil {
		t.Fatal(err)
	}
	for how, lose := range map[string]func() error{
		"removed": func() error { return os.Remove(registry) },
		"emptied": func() error { return os.Truncate(registry, 0) },
	} {
		if err := lose(); err != nil {
			t.Fatal(how, err)
		}
		code, said := launch(t, data).ended()
		if code != 4 || !strings.Contains(said, "backup") || !strings.Contains(said, "1 organizations") {
			t.Errorf("%s: exit code %d, said: %s", how, code, said)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(registry + suffix)
		}
		if err := os.WriteFile(registry, saved, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, data).login("Acme")
}

// Two servers never hold one folder, however it is spelled.
func TestSecondServerIsRefused(t *testing.T) {
	data := dataDir(t)
	s := serve(t, data)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	for _, spelled := range []string{data, link, data + "/../" + filepath.Base(data)} {
		code, said := launch(t, spelled).ended()
		if code != 4 || !strings.Contains(said, fmt.Sprint(s.cmd.Process.Pid)) {
			t.Errorf("%s: exit code %d, said: %s", spelled, code, said)
		}
	}
	s.create("Still here")
	// After a kill nothing is in the way.
	s.kill()
	serve(t, data).login("Still here")
}

// A page of a shard is destroyed while the server is down: the server finds it
// by itself, says so in its readiness, and refuses to write there.
func TestDamagedShard(t *testing.T) {
	data := dataDir(t)
	s := serve(t, data)
	s.create("Acme")
	token := s.login("Acme")
	for i := range 300 {
		s.want(http.StatusCreated, "POST", "/v1/organizations/acme/documents", token,
			fmt.Sprintf(`{"type":"n","id":"doc-%03d","data":{"filler":%q}}`, i, strings.Repeat("y", 500)))
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	shards, _ := filepath.Glob(filepath.Join(data, "clusters", "default", "*.db"))
	if len(shards) != 1 {
		t.Fatalf("%d shard files for one organization", len(shards))
	}
	f, err := os.OpenFile(shards[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := f.Seek(0, 2)
	page := size / 4096 / 2
	if _, err := f.WriteAt(make([]byte, 4096), page*4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s = serve(t, data)
	token = s.login("Acme")
	// The first use opens the shard; the check runs beside it.
	_, _ = s.try("GET", "/v1/organizations/acme/documents/doc-000", token, nil)
	unready := answer{}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		a, err := s.try("GET", "/readyz", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != http.StatusOK {
			unready = a
			break
		}
	}
	if unready.Status != http.StatusServiceUnavailable || !strings.Contains(unready.Body, filepath.Base(shards[0])) {
		t.Fatalf("readiness does not name the damaged file: %d %s", unready.Status, unready.Body)
	}
	refused := s.want(http.StatusServiceUnavailable, "POST", "/v1/organizations/acme/documents", token, `{"type":"n","data":{}}`)
	if refused.Text("code") != "storage_damaged" {
		t.Fatalf("refused: %s", refused.Body)
	}
}
