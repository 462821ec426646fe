package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tenantry/app/servertest"
)

// server is a real "tenantry serve" in a process of its own.
type server struct {
	t    *testing.T
	URL  string
	Data string
	Key  string // of the operator, on a fresh data folder
	cmd  *exec.Cmd
	log  *servertest.Output
	done chan struct{}
	err  error
}

// command is the program with an environment that has nothing of the caller's
// own settings.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append([]string{asCommand + "=1", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"),
		"TENANTRY_PASSWORD_BCRYPT_COST=4", "TENANTRY_RATE_LIMIT_ENABLED=false"}, env...)
	cmd.Dir = t.TempDir()
	return cmd
}

// launch starts a server on the folder and does not wait for it.
func launch(t *testing.T, data string, env ...string) *server {
	t.Helper()
	address := servertest.FreeAddress(t)
	cmd := command(t, env, "serve", "--listen", address, "--data-dir", data)
	s := &server{t: t, URL: "http://" + address, Data: data, cmd: cmd, log: &servertest.Output{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server said:\n%s", s.log)
		}
	})
	return s
}

// serve starts a server and waits until it is ready.
func serve(t *testing.T, data string, env ...string) *server {
	t.Helper()
	s := launch(t, data, env...)
	deadline := time.Now().Add(30 * time.Second)
	for {
		select {
		case <-s.done:
			t.Fatalf("serve ended: %v\n%s", s.err, s.log)
		default:
		}
		if resp, err := http.Get(s.URL + "/readyz"); err == nil {
			_ = resp.Body.Close()
			// What it printed before it served comes through a pipe.
			if resp.StatusCode == http.StatusOK && strings.Contains(s.log.String(), "serving") {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("serve is not ready:\n%s", s.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, word := range strings.Fields(s.log.String()) {
		if strings.HasPrefix(word, "tnt_op_") {
			s.Key = word
		}
	}
	return s
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// stop asks the server to end and gives the error it ended with.
func (s *server) stop() error {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.done:
		return s.err
	case <-time.After(30 * time.Second):
		s.t.Fatal("the server did not stop within 30 s of SIGTERM")
		return nil
	}
}

type answer = servertest.Answer

// try sends a request whose failing is not yet the test's.
func (s *server) try(method, path, token string, body any, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return servertest.Ask(ctx, http.DefaultClient, method, s.URL+path, token, body, headers...)
}

// want sends a request and demands the status.
func (s *server) want(status int, method, path, token string, body any, headers ...string) answer {
	s.t.Helper()
	a, err := s.try(method, path, token, body, headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.Status != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, path, a.Status, status, a.Body)
	}
	return a
}

const password = "a-fairly-long-secret-7"

// create makes an organization by the seed's route, owned by NAME@test.example.
func (s *server) create(name string) answer {
	s.t.Helper()
	return s.want(http.StatusCreated, "POST", "/org/create", "", map[string]string{
		"organization_name": name, "email": email(name), "password": password})
}

func (s *server) login(name string) string {
	s.t.Helper()
	a := s.want(http.StatusOK, "POST", "/admin/login", "", map[string]string{"email": email(name), "password": password})
	return a.Text("access_token")
}

func email(name string) string {
	return fmt.Sprintf("%s@test.example", strings.ToLower(strings.ReplaceAll(name, " ", ".")))
}

func dataDir(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "data")
}
