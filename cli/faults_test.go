package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tmpfs mounts a small file system of its own; only root may.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("needs root on Linux to mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("this machine does not let root mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// The disk fills up under a running server: the request that finds no room
// fails with 507 or 503, reads go on, nothing acknowledged is lost, and when
// there is room again the service resumes by itself.
func TestDiskFull(t *testing.T) {
	dir := tmpfs(t, "size=24m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, filepath.Join(dir, "data"))
	s.create("Acme")
	token := s.login("Acme")
	var acknowledged []string
	filler := strings.Repeat("x", 100_000)
	full := false
	for i := 0; i < 1000 && !full; i++ {
		id := fmt.Sprintf("doc-%04d", i)
		a, err := s.try("POST", "/v1/organizations/acme/documents", token,
			fmt.Sprintf(`{"type":"n","id":%q,"data":{"filler":%q}}`, id, filler))
		if err != nil {
			t.Fatal(err)
		}
		switch a.Status {
		case http.StatusCreated:
			acknowledged = append(acknowledged, id)
		case http.StatusInsufficientStorage, http.StatusServiceUnavailable:
			full = true
		default:
			t.Fatalf("status %d: %s", a.Status, a.Body)
		}
	}
	if !full {
		t.Fatal("24 MiB never filled up")
	}
	s.want(http.StatusOK, "GET", "/v1/organizations/acme/documents/"+acknowledged[0], token, nil)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	resumed := false
	for deadline := time.Now().Add(15 * time.Second); !resumed && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		a, err := s.try("POST", "/v1/organizations/acme/documents", token, `{"type":"n","id":"after","data":{}}`)
		if err != nil {
			t.Fatal(err)
		}
		resumed = a.Status == http.StatusCreated
	}
	if !resumed {
		t.Fatal("writes did not resume within 15 s of there being room")
	}
	s.kill()
	s = serve(t, filepath.Join(dir, "data"))
	token = s.login("Acme")
	for _, id := range append(acknowledged, "after") {
		s.want(http.StatusOK, "GET", "/v1/organizations/acme/documents/"+id, token, nil)
	}
	t.Logf("%d acknowledged documents survived a full disk and a kill", len(acknowledged))
}

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

func TestReadOnlyFolder(t *testing.T) {
	dir := tmpfs(t, "size=16m")
	data := filepath.Join(dir, "data")
	s := serve(t, data)
	s.create("Acme")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot remount read-only: %v", err)
	}
	code, said := launch(t, data).ended()
	if code != 4 || !strings.Contains(said, data) || !strings.Contains(said, "writ") {
		t.Fatalf("exit code %d, said: %s", code, said)
	}
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
	if refused.text("code") != "storage_damaged" {
		t.Fatalf("refused: %s", refused.Body)
	}
}
