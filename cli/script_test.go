package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tenantry/app/servertest"
)

// One story for each subcommand or fault. Beside testscript's own commands the
// stories have:
//
//	serve [ARGS]          start "tenantry serve" and wait until it is ready; $URL is where
//	terminate             SIGTERM, and the server must end well; serve.log has what it said
//	crash                 SIGKILL
//	exits CODE PROGRAM …  run, and demand that exit code
//	nobody PROGRAM …      run as a user who owns nothing, where root runs the tests; the exit code is in $CODE
//	capture VAR FILE RE   set VAR to the first group of the match
//	json FILE PATH [WANT] demand a value at the dotted path, and that it be WANT
//	http CODE METHOD PATH [TOKEN [BODY]]   ask the server at $URL; the answer is in the file "answer"
func TestScript(t *testing.T) {
	work := t.TempDir()
	if err := os.Chmod(filepath.Dir(work), 0o755); err != nil { // nobody must find the way
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		WorkdirRoot:         work,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Vars = slices.DeleteFunc(e.Vars, func(v string) bool { return strings.HasPrefix(v, "TENANTRY_") })
			e.Setenv("TENANTRY_PASSWORD_BCRYPT_COST", "4")
			e.Setenv("TENANTRY_CLUSTERS_DEFAULT_SHARDS", "2")
			e.Setenv("ADDRESS", servertest.FreeAddress(t))
			e.Values[running{}] = &process{}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("there is no condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": scriptServe, "terminate": scriptTerminate, "crash": scriptCrash,
			"exits": scriptExits, "nobody": scriptNobody, "capture": scriptCapture,
			"json": scriptJSON, "http": scriptHTTP,
		},
	})
}

// running is the key of a story's server.
type running struct{}

type process struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
	err  error
}

func scriptServe(ts *testscript.TestScript, _ bool, args []string) {
	p := ts.Value(running{}).(*process)
	if p.cmd != nil {
		ts.Fatalf("a server is running already")
	}
	program := tenantry(ts)
	p.cmd = exec.Command(program, append([]string{"serve", "--listen", ts.Getenv("ADDRESS")}, args...)...)
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), environ(ts)
	var err error
	p.log, err = os.Create(ts.MkAbs("serve.log"))
	ts.Check(err)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	ts.Check(p.cmd.Start())
	done := make(chan struct{})
	p.done = done
	go func() {
		p.err = p.cmd.Wait()
		close(done)
	}()
	ts.Defer(func() { _ = p.end(syscall.SIGKILL) })
	url := "http://" + ts.Getenv("ADDRESS")
	ts.Setenv("URL", url)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		select {
		case <-done:
			ts.Fatalf("serve ended: %v\n%s", p.err, ts.ReadFile("serve.log"))
		default:
		}
		if resp, err := http.Get(url + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			ts.Fatalf("serve is not ready:\n%s", ts.ReadFile("serve.log"))
		}
	}
}

// tenantry is the program in the story's PATH.
func tenantry(ts *testscript.TestScript) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if program := filepath.Join(dir, "tenantry"); exists(program) {
			return program
		}
	}
	ts.Fatalf("tenantry is not in the PATH")
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// environ is the story's environment as far as the program may look at it.
func environ(ts *testscript.TestScript) []string {
	env := []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	for _, name := range []string{"CONFIG", "SIGNUP", "PASSWORD_BCRYPT_COST", "CLUSTERS_DEFAULT_SHARDS", "RATE_LIMIT_ENABLED", "SEAL_KEY_FILE", "DELETION_RETENTION"} {
		if v := ts.Getenv("TENANTRY_" + name); v != "" {
			env = append(env, "TENANTRY_"+name+"="+v)
		}
	}
	return env
}

func (p *process) end(signal os.Signal) error {
	if p.cmd == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		p.err = errors.New("it did not end within 30 s")
	}
	_ = p.log.Close()
	p.cmd = nil
	return p.err
}

func scriptTerminate(ts *testscript.TestScript, _ bool, _ []string) {
	if err := ts.Value(running{}).(*process).end(syscall.SIGTERM); err != nil {
		ts.Fatalf("the server ended with %v:\n%s", err, ts.ReadFile("serve.log"))
	}
}

func scriptCrash(ts *testscript.TestScript, _ bool, _ []string) {
	_ = ts.Value(running{}).(*process).end(syscall.SIGKILL)
}

func exitCode(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("it did not run: %v", err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func scriptNobody(ts *testscript.TestScript, _ bool, args []string) {
	if os.Geteuid() == 0 {
		// setpriv would do, but not every machine has it.
		args = append([]string{"tenantry-as-nobody"}, args[1:]...)
	}
	ts.Setenv("CODE", strconv.Itoa(exitCode(ts, ts.Exec(args[0], args[1:]...))))
}

func scriptCapture(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if m == nil {
		ts.Fatalf("%s has nothing like %s:\n%s", args[1], args[2], ts.ReadFile(args[1]))
	}
	ts.Setenv(args[0], m[1])
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &v); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	got, there := at(v, args[1])
	switch {
	case neg && there:
		ts.Fatalf("%s has %s: %s", args[0], args[1], got)
	case !neg && (!there || len(args) > 2 && got != args[2]):
		ts.Fatalf("%s at %s is %q, want %q", args[0], args[1], got, args[2:])
	}
}

// at gives the value at a dotted path as text; "count" counts a list's items.
func at(v any, path string) (string, bool) {
	for part := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			next, there := in[part]
			if !there {
				return "", false
			}
			v = next
		case []any:
			if part == "count" {
				v = len(in)
				continue
			}
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(in) {
				return "", false
			}
			v = in[i]
		default:
			return "", false
		}
	}
	if s, ok := v.(string); ok {
		return s, true
	}
	raw, err := json.Marshal(v)
	return string(raw), err == nil
}

func scriptHTTP(ts *testscript.TestScript, _ bool, args []string) {
	s := &server{URL: ts.Getenv("URL")}
	token, body := "", any(nil)
	if len(args) > 3 {
		token = args[3]
	}
	if len(args) > 4 {
		body = args[4]
	}
	a, err := s.try(args[1], args[2], token, body)
	ts.Check(err)
	if strconv.Itoa(a.Status) != args[0] {
		ts.Fatalf("%s %s: %d, want %s: %s", args[1], args[2], a.Status, args[0], a.Body)
	}
	ts.Check(os.WriteFile(ts.MkAbs("answer"), []byte(a.Body), 0o600))
}
