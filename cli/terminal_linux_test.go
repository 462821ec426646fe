package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tenantry/app/mongodb/mongotest"
	"tenantry/app/servertest"
)

// person is a command on a terminal of its own, and who sits before it.
type person struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File
	seen *servertest.Output
	done chan struct{}
}

// sit starts a command on a new terminal.
func sit(t *testing.T, cmd *exec.Cmd) *person {
	t.Helper()
	return sitAt(t, cmd, &syscall.SysProcAttr{Setsid: true, Setctty: true})
}

func sitAt(t *testing.T, cmd *exec.Cmd, attr *syscall.SysProcAttr) *person {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this machine has no terminals to give: %v", err)
	}
	fd := int(near.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number := must(unix.IoctlGetInt(fd, unix.TIOCGPTN))(t)
	far := must(os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0))(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = far, far, far
	cmd.SysProcAttr = attr
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = far.Close()
	p := &person{t: t, cmd: cmd, tty: near, seen: &servertest.Output{}, done: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := near.Read(buf)
			_, _ = p.seen.Write(buf[:n])
			if err != nil { // the other end is closed
				return
			}
		}
	}()
	go func() {
		_ = cmd.Wait()
		<-read
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.done
		_ = near.Close()
	})
	return p
}

// sees waits until the pattern is on the terminal.
func (p *person) sees(pattern string) {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(30 * time.Second); !re.MatchString(p.seen.String()); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s never appears:\n%q", pattern, p.seen)
		}
	}
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := p.tty.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the command's end.
func (p *person) ends(code int) {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("it does not end:\n%q", p.seen)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("exit code %d, want %d:\n%s", got, code, p.seen)
	}
}

// On a terminal verify shows what it is doing, and leaves the lines alone that
// it would print elsewhere.
func TestVerifyOnTerminal(t *testing.T) {
	s := serve(t, dataDir(t))
	p := sit(t, command(t, nil, "verify", "--url", s.URL))
	p.ends(0)
	seen := p.seen.String()
	if !strings.Contains(seen, "...   create\r\x1b[Kok    create ") {
		t.Errorf("no progress is shown:\n%q", seen)
	}
	// What is left on the screen when each line has been written over.
	var left []string
	for line := range strings.SplitSeq(seen, "\r\n") {
		left = append(left, line[strings.LastIndex(line, "\x1b[K")+1:])
	}
	screen := strings.ReplaceAll(strings.Join(left, "\n"), "[K", "")
	if strings.Contains(screen, "...") || strings.Count(screen, "\nok ") != 16 || !strings.Contains(screen, "all 17 checks passed") {
		t.Errorf("the screen is in the end:\n%s", screen)
	}
}

// Ctrl-C, typed.
func TestVerifyInterruptedOnTerminal(t *testing.T) {
	s := serve(t, dataDir(t))
	url := s.front(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			// Until somebody has been quick enough, or gives up.
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return true
		}
		return false
	})
	p := sit(t, command(t, nil, "verify", "--url", url))
	p.sees(`\.\.\.   isolation`) // a stranger tries to rename
	p.types("\x03")
	p.ends(1)
	if !strings.Contains(p.seen.String(), "interrupted") || !strings.Contains(p.seen.String(), "ok    clean up") {
		t.Errorf("it said:\n%s", p.seen)
	}
	s.empty()
}

// A password is asked for twice and never shown, also to who is quick; a deletion
// wants the name.
func TestQuestions(t *testing.T) {
	data := dataDir(t)
	s := serve(t, data)
	create := func() *person {
		return sit(t, command(t, nil, "org", "create", "Acme", "--email", "wile@acme.example", "--data-dir", data))
	}
	p := create()
	p.sees("Password of the owner: ")
	p.types(password + "\r")
	p.sees("Once more: ")
	p.types(password + "-not\r")
	p.ends(1)
	p.sees("the two passwords differ; nothing was done")
	s.empty()

	p = create()
	p.sees("Password of the owner: ")
	p.types(password + "\r" + password + "\r") // pasted
	p.ends(0)
	p.sees(`Slug +acme`)
	if strings.Contains(p.seen.String(), password) {
		t.Errorf("the password is on the screen:\n%s", p.seen)
	}
	s.want(http.StatusOK, "POST", "/v1/auth/login", "", map[string]string{"email": "wile@acme.example", "password": password})

	doomed := func() *person { return sit(t, command(t, nil, "org", "delete", "acme", "--data-dir", data)) }
	for _, answer := range []string{"yes\r", "\r", "\x04", "Acme\r"} {
		p = doomed()
		p.sees("Type acme to go on: ")
		p.types(answer)
		p.ends(1)
		p.sees("not confirmed; nothing was done")
	}
	p = doomed()
	p.sees("all its documents will be deleted.*\r\nType acme to go on: ")
	p.types("acme\r")
	p.ends(0)
	p.sees(`Acme \(acme\) is deleted\.`)
	s.empty()
}

// Ctrl-C at a question ends it, and gives the terminal back as it was.
func TestQuestionInterrupted(t *testing.T) {
	data := dataDir(t)
	s := serve(t, data)
	s.create("Acme")
	for question, args := range map[string][]string{
		"Password of the owner: ": {"org", "create", "Other", "--email", "wile@acme.example"},
		"Type acme to go on: ":    {"org", "delete", "acme"},
	} {
		p := sit(t, command(t, nil, append(args, "--data-dir", data)...))
		p.sees(question)
		p.types("half a")
		p.types("\x03")
		p.ends(1)
		p.sees("tenantry: interrupted; nothing was done")
		if after := must(unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS))(t); after.Lflag&unix.ECHO == 0 || after.Lflag&unix.ICANON == 0 {
			t.Errorf("%s: the terminal shows no more what one types", question)
		}
	}
	s.login("Acme")
}

// The log is for people on a terminal, and for programs elsewhere.
func TestLogFormat(t *testing.T) {
	p := sit(t, command(t, nil, "serve", "--listen", servertest.FreeAddress(t), "--data-dir", dataDir(t)))
	p.sees(`level=INFO msg=serving address=`)
	p.types("\x03")
	p.ends(0)
	p.sees(`msg=stopped`)
}

// A terminal that answers nothing is not waited for; one that answers late is
// heard, and what it answers is not taken for keys.
func TestTUIOnASilentTerminal(t *testing.T) {
	cmd := command(t, nil, "tui", "--data-dir", dataDir(t))
	p := sit(t, cmd)
	p.resize(80, 24)
	p.sees(`\x1b\]11;\?`)
	p.sees("none yet") // the answer is still owed
	p.types("n")
	p.sees("New organization")
	p.sees(`38;5;81m`) // the accent of the dark theme
	if strings.Contains(p.seen.String(), "38;5;25m") {
		t.Errorf("it takes the terminal for a light one:\n%q", p.seen)
	}
	p.types("\x1b]11;rgb:ffff/ffff/ffff\x1b\\")
	p.sees(`38;5;25m`)
	p.types("Late")
	p.sees("Its slug will be late")
	p.types("\x03")
	p.ends(0)
	if strings.Contains(p.seen.String(), "ffff") {
		t.Errorf("the answer was taken for keys:\n%q", p.seen)
	}
}

// It ends with its terminal, also where no signal says that this is gone; and
// with the database of its folder gone as well.
func TestTUIEndsWithItsTerminal(t *testing.T) {
	for _, engine := range []string{"sqlite", "mongodb"} {
		for _, told := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, told %v", engine, told), func(t *testing.T) {
				var env []string
				gone := func() {}
				if engine == "mongodb" {
					server := mongotest.Shared(t, mongotest.ReplicaSet)
					registry := server.Database(t)
					env = []string{"TENANTRY_REGISTRY_URL=" + server.URL(registry)}
					gone = func() {
						if err := server.Client().Database(registry).Drop(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
				}
				p := sitAt(t, command(t, env, "tui", "--data-dir", dataDir(t)), &syscall.SysProcAttr{Setsid: true, Setctty: told})
				p.resize(80, 24)
				p.sees("none yet")
				gone()
				if err := p.tty.Close(); err != nil {
					t.Fatal(err)
				}
				p.ends(0)
			})
		}
	}
}

func (p *person) resize(width, height uint16) {
	p.t.Helper()
	if err := unix.IoctlSetWinsize(int(p.tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: height}); err != nil {
		p.t.Fatal(err)
	}
}
