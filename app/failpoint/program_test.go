//go:build unix

package failpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tenantry/app/servertest"
)

// The programs that the tests run, built once.
var (
	builds           string // where they are
	buildWithPoints  = sync.OnceValues(func() (string, error) { return build("failpoint") })
	buildWithoutThem = sync.OnceValues(func() (string, error) { return build("") })
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tenantry-failpoint-")
	if err != nil {
		panic(err)
	}
	builds = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func build(tags string) (string, error) {
	path := filepath.Join(builds, "tenantry"+tags)
	cmd := exec.Command("go", "build", "-tags", tags, "-o", path, "tenantry")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
}

// process is a "tenantry serve".
type process struct {
	t    *testing.T
	url  string
	key  string // an operator's
	cmd  *exec.Cmd
	log  *servertest.Output
	done chan struct{}
	err  error
}

// launch starts a server of a program, and does not wait for it.
func launch(t *testing.T, program, folder string, env ...string) *process {
	t.Helper()
	address := servertest.FreeAddress(t)
	cmd := exec.Command(program, "serve", "--listen", address, "--data-dir", folder)
	cmd.Env = append([]string{"HOME=" + folder, "PATH=" + os.Getenv("PATH"), "TENANTRY_PASSWORD_BCRYPT_COST=4",
		"TENANTRY_RATE_LIMIT_ENABLED=false", "TENANTRY_OPERATION_WAIT=1m"}, env...)
	cmd.Dir = t.TempDir()
	p := &process{t: t, url: "http://" + address, cmd: cmd, log: &servertest.Output{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

var operatorKey = regexp.MustCompile(`tnt_op_\S+`)

// ready waits until the process serves, or reports that it is dead.
func (p *process) ready() bool {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if p.dead() {
			return false
		}
		// What it printed before it served comes through a pipe.
		if a, err := p.ask("GET", "/readyz", "", nil); err == nil && a.Status == http.StatusOK && strings.Contains(p.log.String(), "serving") {
			p.key = operatorKey.FindString(p.log.String())
			return true
		}
	}
	p.t.Fatalf("it does not serve:\n%s", p.log)
	return false
}

func (p *process) dead() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// killedItself waits for the end of a process that does not answer, which must
// be the one that it was started for.
func (p *process) killedItself() {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.t.Fatalf("it neither answers nor dies:\n%s", p.log)
	}
	var exit *exec.ExitError
	if !errors.As(p.err, &exit) {
		p.t.Fatalf("it ended with %v:\n%s", p.err, p.log)
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL || !strings.Contains(p.log.String(), "failpoint: killed") {
		p.t.Fatalf("it ended with %v:\n%s", p.err, p.log)
	}
}

var errDead = errors.New("it is dead")

// reconciled waits until the process has ended an open operation, or is dead.
func (p *process) reconciled() error {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		switch said := p.log.String(); {
		case strings.Contains(said, "an interrupted operation was ended"), strings.Contains(said, "a relocation has ended"):
			return nil
		case p.dead():
			return errDead
		}
	}
	p.t.Fatalf("it ends no operation:\n%s", p.log)
	return nil
}

// where says at which write a process killed itself.
func (p *process) where() string {
	_, said, _ := strings.Cut(p.log.String(), "failpoint: ")
	said, _, _ = strings.Cut(said, "\n")
	return said
}

type answer = servertest.Answer

type object map[string]any

// ask sends a request. The error is that of a server that does not answer.
func (p *process) ask(method, path, token string, body object, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	var content any
	if body != nil {
		content = body
	}
	return servertest.Ask(ctx, http.DefaultClient, method, p.url+path, token, content, headers...)
}

// want is ask of a server that must answer, and with this status.
func (p *process) want(status int, method, path, token string, body object, headers ...string) answer {
	p.t.Helper()
	a, err := p.ask(method, path, token, body, headers...)
	if err != nil || a.Status != status {
		p.t.Fatalf("%s %s: %v, status %d instead of %d: %s\n%s", method, path, err, a.Status, status, a.Body, p.log)
	}
	return a
}
