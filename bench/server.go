package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"tenantry/app/client"
)

// buildProgram builds the program as a release does and gives its path.
func buildProgram(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "tenantry")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", binary, "tenantry") //nolint:gosec // our own folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program (run this in its source folder): %w\n%s", err, out)
	}
	return binary, nil
}

// process is a child that listens.
type process struct {
	cmd     *exec.Cmd
	address string // host:port
	errors  *bytes.Buffer
	output  *bufio.Scanner
	ended   func()
}

// listening starts the command on the server's core and reads on which
// address it listens: the last word of its first line.
func (b *bench) listening(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, errors: new(bytes.Buffer)}
	cmd.Stderr = p.errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cores.start(cmd); err != nil {
		return nil, err
	}
	p.output = bufio.NewScanner(out)
	if !p.output.Scan() {
		_ = cmd.Wait()
		return nil, fmt.Errorf("%s ended at once: %s", filepath.Base(cmd.Path), p.errors)
	}
	b.live[p] = struct{}{}
	p.ended = func() { delete(b.live, p) }
	words := strings.Fields(p.output.Text())
	p.address = strings.TrimPrefix(words[len(words)-1], "http://")
	return p, nil
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		_ = p.cmd.Process.Kill() // a system without signals
	}
	for p.output.Scan() { // an unread pipe would hold it up
	}
	err := p.cmd.Wait()
	p.ended()
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return nil // by our signal
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(p.cmd.Path), err, p.errors)
	}
	return nil
}

// server is "tenantry serve" on the server's core.
type server struct {
	*process
	folder string
}

// serve starts the program on a data folder. Settings are NAME=value, without
// TENANTRY_.
func (b *bench) serve(folder string, settings ...string) (*server, error) {
	cmd := exec.CommandContext(b.ctx, b.program, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder) //nolint:gosec // built above
	cmd.Dir = b.dir
	cmd.Env = []string{"HOME=" + b.dir, "PATH=" + os.Getenv("PATH"), "TENANTRY_RATE_LIMIT_ENABLED=false"}
	for _, s := range settings {
		cmd.Env = append(cmd.Env, "TENANTRY_"+s)
	}
	p, err := b.listening(cmd)
	if err != nil {
		return nil, err
	}
	return &server{process: p, folder: folder}, nil
}

const cheapPasswords = "PASSWORD_BCRYPT_COST=4"

// api is a client of the server with this token; "" is nobody.
func (s *server) api(token string) (*client.Client, error) {
	return client.New("http://"+s.address, client.Options{Token: token})
}

// operatorKey makes a key over the data folder's socket.
func (s *server) operatorKey(ctx context.Context) (string, error) {
	c, err := client.Socket(s.folder, client.Options{})
	if err != nil {
		return "", err
	}
	defer c.Close()
	made, err := c.CreateOperatorKey(ctx, "bench", time.Time{})
	return made.Key, err
}

const password = "correct horse battery staple"

// organization makes one and signs its owner in.
func (s *server) organization(ctx context.Context, name string) (token string, err error) {
	c, err := s.api("")
	if err != nil {
		return "", err
	}
	defer c.Close()
	email := name + "@example.com"
	if _, err = c.CreateOrganization(ctx, client.NewOrganization{
		Name: name, Owner: &client.NewOwner{Email: email, Password: password},
	}); err != nil {
		return "", err
	}
	in, err := c.Login(ctx, email, password, "")
	return in.AccessToken, err
}

// child is this program as the other side of a comparison.
func (b *bench) child(args ...string) *exec.Cmd {
	return exec.CommandContext(b.ctx, b.self, append([]string{childMode}, args...)...) //nolint:gosec // ourselves
}

// runChild runs a child on the server's core that prints one number, the acts
// per second.
func (b *bench) runChild(args ...string) (float64, error) {
	cmd := b.child(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := b.cores.start(cmd); err != nil {
		return 0, err
	}
	if err := cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, &errs)
	}
	var rate float64
	if _, err := fmt.Sscan(out.String(), &rate); err != nil {
		return 0, fmt.Errorf("%s printed %q: %w", args[0], out.String(), err)
	}
	return rate, nil
}

// stopping stops a server when a measurement is over. Where that has failed,
// what the server said is told; otherwise an error of stopping is.
func stopping(p *process, err *error) {
	stopErr := p.stop()
	if *err == nil {
		*err = stopErr
	} else if p.errors.Len() > 0 {
		said := p.errors.Bytes()
		*err = fmt.Errorf("%w\n%s said: %s", *err, filepath.Base(p.cmd.Path), said[:min(len(said), 2000)])
	}
}

// signInRequest is what signs an organization's owner in.
func signInRequest(name string) []byte {
	return appendPost(nil, "/v1/auth/login", "", fmt.Appendf(nil, `{"email":"%s@example.com","password":"%s"}`, name, password))
}

// signIn gives a new token of an organization's owner.
func (s *server) signIn(ctx context.Context, name string) (string, error) {
	c, err := s.api("")
	if err != nil {
		return "", err
	}
	defer c.Close()
	in, err := c.Login(ctx, name+"@example.com", password, name)
	return in.AccessToken, err
}
