package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tenantry/app/servertest"
)

// The disk fills up under a running server: the request that finds no room
// fails with 507 or 503, reads go on, nothing acknowledged is lost, and when
// there is room again the service resumes by itself.
func TestDiskFull(t *testing.T) {
	dir := servertest.Disk(t, "size=24m")
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

func TestReadOnlyFolder(t *testing.T) {
	dir := servertest.Disk(t, "size=16m")
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

// Another mount of the folder, as containers have it, is the same folder.
func TestSecondServerThroughAnotherMount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount")
	}
	data := dataDir(t)
	s := serve(t, data)
	mounted := t.TempDir()
	if err := syscall.Mount(data, mounted, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("this machine does not let root mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(mounted, syscall.MNT_DETACH) })
	code, said := launch(t, mounted).ended()
	if code != 4 || !strings.Contains(said, fmt.Sprint(s.cmd.Process.Pid)) {
		t.Errorf("exit code %d, said: %s", code, said)
	}
	// In a namespace of its own for mounts and for processes, where it cannot
	// even see the other one.
	contained := command(t, nil, "serve", "--listen", servertest.FreeAddress(t), "--data-dir", mounted)
	contained.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS}
	out := finish(t, contained)
	if out.code != 4 || !strings.Contains(out.stderr, "held") {
		t.Errorf("contained: exit code %d, said: %s", out.code, out.stderr)
	}
	s.create("Still here")
}
