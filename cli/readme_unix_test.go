//go:build unix

package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"tenantry/app/servertest"
)

// tourSteps is what each command of the README's tour must print, in order; a
// command without a line here fails the test, and so does a line without a
// command.
var tourSteps = []struct {
	command string   // how it begins
	prints  []string // regular expressions
}{
	{"URL=", nil},
	{"curl -sS -X POST $URL/v1/organizations ", []string{`"name":"Acme Rockets"`, `"slug":"acme-rockets"`, `"state":"active"`}},
	{"TOKEN=$(curl -sS -X POST $URL/v1/auth/login", []string{`TOKEN=[\w-]+\.[\w-]+\.[\w-]+\n`}},
	{"curl -sS $URL/v1/organizations/acme-rockets ", []string{`"name":"Acme Rockets"`}},
	{"curl -sS -i -X POST $URL/v1/organizations/acme-rockets/documents", []string{`^HTTP/1\.1 201 `, `(?mi)^etag: "1"`, `"id":"rocket-1"`}},
	{"curl -sS $URL/v1/organizations/acme-rockets/documents/rocket-1", []string{`"thrust":42`, `"stages":\["one","two"\]`}},
	{"curl -sS -X PATCH $URL/v1/organizations/acme-rockets/documents/rocket-1", []string{`"thrust":43`, `"revision":2`, `"stages":\["one","two"\]`}},
	{"curl -sS -X PATCH $URL/v1/organizations/acme-rockets ", []string{`"name":"Acme Spaceflight"`, `"slug":"acme-spaceflight"`}},
	{`curl -sS "$URL/v1/organizations/acme-spaceflight/documents?type=rocket"`, []string{`"items":\[\{"id":"rocket-1"`, `"thrust":43`}},
	{"curl -sS $URL/v1/organizations/acme-spaceflight/placement", []string{`"collection":"org_acme_spaceflight"`, `"documents":1`}},
	{"curl -sS -i -X DELETE $URL/v1/organizations/acme-spaceflight", []string{`^HTTP/1\.1 204 `}},

	{"echo 'a-good-long-secret' | tenantry org create", []string{`(?m)^Name +Globex$`, `(?m)^Slug +globex$`}},
	{"tenantry org list", []string{`(?m)^globex +Globex +active`}},
	{"tenantry org rename", []string{`(?m)^Slug +globex-corporation$`}},
	{"tenantry org get globex-corporation -o json", []string{`"collection": "org_globex_corporation"`}},
	{"tenantry org delete globex-corporation --yes", []string{`is deleted`}},
	{"tenantry operator key create --name backup-script -o json", []string{`"key": "tnt_op_`}},
	{"tenantry operator key list", []string{`(?m)^backup-script +good`}},
	{"tenantry operation list", []string{`(?m)^delete +completed`, `(?m)^create +completed`}},
	{"tenantry cluster list", []string{`(?m)^default +ok`}},
	{"tenantry doctor", []string{`.`}},
}

// The tour to the letter (but for the port), from an empty folder, in one bash
// that ends at the first command that fails.
func TestReadmeTour(t *testing.T) {
	need(t, "bash", "curl", "sed")
	commands := tour(t)
	if len(commands) != len(tourSteps) {
		t.Errorf("the tour has %d commands, and the test knows %d", len(commands), len(tourSteps))
	}
	folder := t.TempDir()
	s := serve(t, filepath.Join(folder, "tenantry-data"))
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	for i, c := range commands {
		fmt.Fprintf(&script, "printf '\\n=== %d\\n'\n%s\n", i, strings.ReplaceAll(c, "http://127.0.0.1:8000", s.URL))
		if name, _, assigns := strings.Cut(c, "="); assigns && !strings.ContainsAny(name, " $") {
			fmt.Fprintf(&script, "echo \"%s=$%s\"\n", name, name)
		}
	}
	cmd := command(t, nil)
	cmd.Path, cmd.Args, cmd.Dir = must(exec.LookPath("bash"))(t), []string{"bash"}, folder
	cmd.Stdin = strings.NewReader(script.String())
	out := finish(t, cmd)
	if out.code != 0 {
		t.Fatalf("the tour ended with %d:\n%s\n%s", out.code, out.stdout, out.stderr)
	}
	printed := regexp.MustCompile(`(?m)^=== \d+\n`).Split(out.stdout, -1)[1:]
	for i, step := range tourSteps[:min(len(tourSteps), len(commands), len(printed))] {
		if !strings.HasPrefix(commands[i], step.command) {
			t.Errorf("command %d is not %q but: %s", i, step.command, commands[i])
			continue
		}
		if regexp.MustCompile(`"status":[45]\d\d|problem\+json`).MatchString(printed[i]) {
			t.Errorf("%s\nwas refused: %s", commands[i], printed[i])
		}
		for _, want := range step.prints {
			if !regexp.MustCompile(want).MatchString(printed[i]) {
				t.Errorf("%s\nprinted nothing like %s:\n%s", commands[i], want, printed[i])
			}
		}
	}
}

// tour is every command of the README's "sh tour" blocks.
func tour(t *testing.T) []string {
	t.Helper()
	readme := string(must(os.ReadFile("../README.md"))(t))
	blocks := regexp.MustCompile("(?ms)^```sh tour\n(.*?)^```$").FindAllStringSubmatch(readme, -1)
	if len(blocks) < 2 {
		t.Fatalf("the README has %d blocks of a tour", len(blocks))
	}
	var commands []string
	for _, block := range blocks {
		var open string
		for line := range strings.Lines(block[1]) {
			if open == "" && (strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "") {
				continue
			}
			open += line
			line = strings.TrimRight(line, "\n")
			if !strings.HasSuffix(line, `\`) && !strings.HasSuffix(line, "|") && strings.Count(open, "'")%2 == 0 {
				commands = append(commands, strings.TrimRight(open, "\n"))
				open = ""
			}
		}
		if open != "" {
			t.Fatalf("a command never ends: %s", open)
		}
	}
	return commands
}

// need skips a test where a program is missing, and fails it where all must
// run.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing, and CI=true", p)
			}
			t.Skipf("%s is missing", p)
		}
	}
}

// The commands of the section "Start", as they stand there.
func TestReadmeStart(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	readme := string(must(os.ReadFile("../README.md"))(t))
	_, start, found := strings.Cut(readme, "## Start\n")
	start, _, ended := strings.Cut(start, "\n## ")
	if !found || !ended {
		t.Fatal("the README has no section Start")
	}
	const url = "http://127.0.0.1:8000"
	for _, command := range []string{"$ go run . serve ", "$ make test ", "$ go run . verify ", "$ go run . verify --url " + url + " "} {
		if !strings.Contains(start, "\n"+command) {
			t.Errorf("the section Start has no line %q", command)
		}
	}
	folder := t.TempDir()
	address := servertest.FreeAddress(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	goRun := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "go", append([]string{"run", "."}, args...)...)
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "TENANTRY_LISTEN="+address, "TENANTRY_DATA_DIR="+filepath.Join(folder, "data"))
		// go run passes no signal on: the server is told through its group.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		return cmd
	}
	var server *exec.Cmd
	var log *servertest.Output
	var stopped chan error
	begin := func() {
		server, log, stopped = goRun("serve"), &servertest.Output{}, make(chan error, 1)
		server.Stdout, server.Stderr = log, log
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		go func(server *exec.Cmd, stopped chan error) { stopped <- server.Wait() }(server, stopped)
	}
	begin()
	t.Cleanup(func() { _ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL) })
	for {
		// Another test's server may answer there, if it was faster to the port.
		if resp, err := http.Get("http://" + address + "/docs"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK && strings.Contains(log.String(), "tnt_op_") {
				break
			}
		}
		select {
		case err := <-stopped:
			if !strings.Contains(log.String(), "address already in use") {
				t.Fatalf("go run . serve: %v\n%s", err, log)
			}
			address = servertest.FreeAddress(t)
			begin()
		case <-ctx.Done():
			t.Fatalf("go run . serve does not answer:\n%s", log)
		case <-time.After(20 * time.Millisecond):
		}
	}
	for _, promised := range []string{"http://" + address + "\n", "http://" + address + "/docs\n", filepath.Join(folder, "data") + "\n", "tnt_op_"} {
		if !strings.Contains(log.String(), promised) {
			t.Errorf("the first start does not print %q:\n%s", promised, log)
		}
	}
	var out bytes.Buffer
	verify := goRun("verify", "--url", "http://"+address)
	verify.Stdout, verify.Stderr = &out, &out
	if err := verify.Run(); err != nil {
		t.Errorf("go run . verify --url: %v\n%s", err, &out)
	}
	if err := syscall.Kill(-server.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-stopped:
		t.Logf("go run . serve ended with: %v", err)
	case <-ctx.Done():
		t.Errorf("Ctrl-C does not stop it:\n%s", log)
	}
	if !strings.Contains(log.String(), "stopped") {
		t.Errorf("it did not end well:\n%s", log)
	}
}
