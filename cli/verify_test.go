package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tenantry/app/servertest"
)

// outcome is what came of a command.
type outcome struct {
	code           int
	stdout, stderr string
}

// finish runs a command to its end.
func finish(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// verdict is verify's report as JSON.
type verdict struct {
	Passed      bool    `json:"passed"`
	Interrupted bool    `json:"interrupted"`
	Duration    float64 `json:"duration_ms"`
	Checks      []struct {
		Name     string  `json:"name"`
		Promise  string  `json:"promise"`
		Outcome  string  `json:"outcome"`
		Duration float64 `json:"duration_ms"`
		Error    string  `json:"error"`
	} `json:"checks"`
}

func readVerdict(t *testing.T, out outcome) verdict {
	t.Helper()
	var v verdict
	dec := json.NewDecoder(strings.NewReader(out.stdout))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil || dec.More() {
		t.Fatalf("%v: not one report as JSON: %s\n%s", err, out.stdout, out.stderr)
	}
	return v
}

// suites is JUnit's format as the servers that read it know it.
type suites struct {
	XMLName  xml.Name `xml:"testsuite"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     float64  `xml:"time,attr"`
	Cases    []struct {
		Name    string  `xml:"name,attr"`
		Class   string  `xml:"classname,attr"`
		Time    float64 `xml:"time,attr"`
		Failure *struct {
			Message string `xml:"message,attr"`
			Text    string `xml:",chardata"`
		} `xml:"failure"`
		Skipped *struct{} `xml:"skipped"`
	} `xml:"testcase"`
}

// Without a URL: a server of its own, from an empty folder to an empty folder.
func TestVerifyEphemeral(t *testing.T) {
	temp := t.TempDir()
	cmd := command(t, []string{"TMPDIR=" + temp}, "verify")
	out := finish(t, cmd)
	if out.code != 0 || out.stderr != "" {
		t.Fatalf("exit code %d: %s\n%s", out.code, out.stdout, out.stderr)
	}
	lines := strings.Split(strings.TrimSpace(out.stdout), "\n")
	if len(lines) != 19 || !strings.HasPrefix(lines[18], "all 17 checks passed in ") {
		t.Errorf("%d lines for 17 checks, a blank and the verdict:\n%s", len(lines), out.stdout)
	}
	for _, line := range lines[:17] {
		if !strings.HasPrefix(line, "ok    ") || !regexp.MustCompile(` [0-9.]+ m?s  `).MatchString(line) {
			t.Errorf("no line of a check with its duration: %q", line)
		}
	}
	if strings.ContainsAny(out.stdout, "\r\x1b") {
		t.Errorf("a file gets what is for terminals: %q", out.stdout)
	}
	for _, folder := range []string{temp, cmd.Dir} {
		if left := must(os.ReadDir(folder))(t); len(left) > 0 {
			t.Errorf("left behind in %s: %v", folder, left)
		}
	}
}

func TestVerifyFormats(t *testing.T) {
	s := serve(t, dataDir(t))
	v := readVerdict(t, finish(t, command(t, nil, "verify", "--url", s.URL, "--format", "json")))
	if !v.Passed || v.Interrupted || len(v.Checks) != 17 || v.Duration <= 0 {
		t.Errorf("verdict %+v", v)
	}
	for _, c := range v.Checks {
		if c.Outcome != "passed" || c.Name == "" || c.Promise == "" || c.Error != "" {
			t.Errorf("check %+v", c)
		}
	}
	out := finish(t, command(t, nil, "verify", "--url", s.URL, "--format", "junit"))
	var suite suites
	if err := xml.Unmarshal([]byte(out.stdout), &suite); err != nil || !strings.HasPrefix(out.stdout, "<?xml") {
		t.Fatalf("%v: %s", err, out.stdout)
	}
	if out.code != 0 || suite.Tests != 17 || suite.Failures+suite.Skipped != 0 || len(suite.Cases) != 17 {
		t.Errorf("exit code %d, suite %+v", out.code, suite)
	}
	s.empty()
}

// empty demands that no organization is left.
func (s *server) empty() {
	s.t.Helper()
	if a := s.want(http.StatusOK, "GET", "/v1/organizations?count=true", s.Key, nil); a.JSON["total"] != 0.0 {
		s.t.Errorf("left behind: %s", a.Body)
	}
}

// front is a proxy before the server; hook may answer in its place.
func (s *server) front(hook func(http.ResponseWriter, *http.Request) (answered bool)) string {
	s.t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(must(url.Parse(s.URL))(s.t))
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hook(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	s.t.Cleanup(p.Close)
	return p.URL
}

// A server that loses documents: every format says which check failed and
// which were not made, with the exit code.
func TestVerifyFails(t *testing.T) {
	s := serve(t, dataDir(t))
	url := s.front(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/documents/") {
			return false
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("{\"code\": \"not_found\", \"detail\": \"lost \\u001b[31m <&\\u0000\"}"))
		return true
	})
	text := finish(t, command(t, nil, "verify", "--url", url))
	if text.code != 1 || !strings.Contains(text.stderr, "failed: document") ||
		!strings.Contains(text.stdout, "FAIL  document") || !strings.Contains(text.stdout, "skip  isolation") ||
		strings.ContainsAny(text.stdout+text.stderr, "\x1b\x00") {
		t.Errorf("exit code %d: %q\n%q", text.code, text.stdout, text.stderr)
	}
	out := finish(t, command(t, nil, "verify", "--url", url, "--format", "json"))
	v := readVerdict(t, out)
	if out.code != 1 || v.Passed {
		t.Errorf("exit code %d, verdict %+v", out.code, v)
	}
	for _, c := range v.Checks {
		if want := map[string]string{"document": "failed", "isolation": "skipped", "documents follow": "skipped"}[c.Name]; want != "" && c.Outcome != want {
			t.Errorf("%s: %s, want %s", c.Name, c.Outcome, want)
		}
	}
	out = finish(t, command(t, nil, "verify", "--url", url, "--format", "junit"))
	var suite suites
	if err := xml.Unmarshal([]byte(out.stdout), &suite); err != nil || out.code != 1 {
		t.Fatalf("exit code %d, %v: %s", out.code, err, out.stdout)
	}
	if suite.Failures != 1 || suite.Skipped != 2 {
		t.Errorf("suite %+v", suite)
	}
	for _, c := range suite.Cases {
		if (c.Failure != nil) != (c.Name == "document") {
			t.Errorf("case %+v", c)
		}
	}
	s.empty()
}

func TestVerifyNobodyThere(t *testing.T) {
	out := finish(t, command(t, nil, "verify", "--url", "http://"+servertest.FreeAddress(t)))
	if out.code != 5 || !strings.Contains(out.stderr, "Is the server running") {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
}

// Ctrl-C in the middle: it says so, and what was made is removed.
func TestVerifyInterrupted(t *testing.T) {
	s := serve(t, dataDir(t))
	var cmd *exec.Cmd
	var once sync.Once
	started := make(chan struct{})
	url := s.front(func(_ http.ResponseWriter, r *http.Request) bool {
		interrupting := false
		if r.Method == http.MethodPatch {
			once.Do(func() {
				interrupting = true
				<-started
				_ = cmd.Process.Signal(syscall.SIGINT)
				// The command lets go of the request when it hears of it, which
				// is seen here once the body has been read.
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
			})
		}
		return interrupting
	})
	cmd = command(t, nil, "verify", "--url", url)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	_ = cmd.Wait() // its code is looked at below
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit code %d: %s\n%s", code, stdout.String(), stderr.String())
	}
	if !strings.Contains(stdout.String(), "ok    clean up") {
		t.Errorf("nothing was cleaned up:\n%s", stdout.String())
	}
	s.empty()
}

// The same with a server of its own, whose folder goes too.
func TestVerifyEphemeralInterrupted(t *testing.T) {
	temp := t.TempDir()
	cmd := command(t, []string{"TMPDIR=" + temp}, "verify")
	out := &servertest.Output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !strings.Contains(out.String(), "ok    create") {
		select {
		case err := <-ended:
			t.Fatalf("it ended before it could be interrupted: %v\n%s", err, out)
		case <-ctx.Done():
			t.Fatalf("it never began:\n%s", out)
		case <-time.After(time.Millisecond):
		}
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		t.Logf("it ended with: %v", err)
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		t.Fatalf("it goes on after SIGTERM:\n%s", out)
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(out.String(), "ok    clean up") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if left := must(os.ReadDir(temp))(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
