package cli_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tenantry/app/mongodb/mongotest"
	"tenantry/app/servertest"
)

// luck is chance that can be had again: by TENANTRY_TEST_SEED.
type luck struct{ *rand.Rand }

func seeded(t *testing.T) luck {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("TENANTRY_TEST_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("TENANTRY_TEST_SEED=%d", seed)
	return luck{rand.New(rand.NewPCG(seed, 0))}
}

// instant is when a process is killed: so long after it has said something, or
// after it was started.
type instant struct {
	said  string
	after time.Duration
}

// of is an instant in one of these phases of a migration.
func (l luck) of(phases ...string) instant {
	at := instant{said: phases[l.IntN(len(phases))]}
	within := 50
	if at.said == "" {
		within = 300
	}
	at.after = time.Duration(l.IntN(within)) * time.Millisecond
	return at
}

func (l luck) times(n int) []instant {
	all := make([]instant, n)
	for i := range all {
		all[i] = l.of("", "closing", "copying", "comparing")
	}
	return all
}

// brokenOff runs "registry migrate" and kills it. It reports whether it had ended
// before, which it must have done well.
func brokenOff(t *testing.T, at instant, env []string, args ...string) (said string, ended bool) {
	t.Helper()
	cmd := command(t, env, append([]string{"registry", "migrate"}, args...)...)
	var out servertest.Output
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for len(done) == 0 && !strings.Contains(out.String(), at.said) {
		time.Sleep(time.Millisecond)
	}
	if len(done) == 0 {
		time.Sleep(at.after)
		_ = cmd.Process.Kill()
	}
	err := <-done
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out.String(), true
	case errors.As(err, &exit) && exit.ExitCode() == -1:
		return out.String(), false
	}
	t.Fatalf("registry migrate %v: %v\n%s", args, err, out.String())
	return "", false
}

// migrate runs "registry migrate" to its end, and kills it before as often as
// there are instants. It gives what it said.
func migrate(t *testing.T, kills []instant, env []string, args ...string) string {
	t.Helper()
	for _, at := range kills {
		if said, ended := brokenOff(t, at, env, args...); ended {
			return said
		}
	}
	out, err := command(t, env, append([]string{"registry", "migrate"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("registry migrate %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// givenUp cancels a migration, and reports whether the old registry is in force
// now: it is not where the migration had gone too far.
func givenUp(t *testing.T, env []string, data string) bool {
	t.Helper()
	out, err := command(t, env, "registry", "migrate", "--cancel", "--data-dir", data).CombinedOutput()
	said := string(out)
	switch {
	case err == nil && strings.Contains(said, "in force again"):
		return true
	case err != nil && strings.Contains(said, "there is nothing to give up"):
		return true // it was killed before it had closed anything
	case err != nil && strings.Contains(said, "cannot be given up any more"):
		return false
	}
	t.Fatalf("registry migrate --cancel: %v\n%s", err, said)
	return false
}

// isShut checks that a server whose registry was moved to there takes nothing,
// and says why: to callers that it was, to its operator where to.
func isShut(t *testing.T, s *server, there string) {
	t.Helper()
	a := s.want(http.StatusServiceUnavailable, "POST", "/org/create", "", map[string]string{
		"organization_name": "Late", "email": email("Late"), "password": password})
	if !strings.Contains(a.Body, "moved to another place") || a.Header.Get("Retry-After") == "" {
		t.Errorf("it is answered %s, Retry-After %q", a.Body, a.Header.Get("Retry-After"))
	}
	s.want(http.StatusServiceUnavailable, "GET", "/readyz", "", nil)
	waitUntil(t, func() bool { // it looks every second
		return strings.Contains(s.log.String(), "the registry was moved to "+there)
	})
}

// The registry of servers that run is moved to a file and back, and the mover is
// killed again and again, and given up: at each moment at most one place takes
// writes, everything that was acknowledged is there, and servers go on by
// themselves where the registry is theirs again.
func TestTheRegistryIsInOnePlace(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		luck := seeded(t)
		env := append(onMongoDB(t, s), "TENANTRY_PLACEMENT_LEASE=200ms")
		url := strings.TrimPrefix(env[0], "TENANTRY_REGISTRY_URL=")
		old := []*server{serve(t, dataDir(t), env...), serve(t, dataDir(t), env...)}
		key := old[0].Key
		old[0].create("Acme")
		token := old[0].login("Acme")
		data := dataDir(t)
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(data, "moved", "registry.db")
		here := slices.Concat(env, []string{"TENANTRY_REGISTRY_URL=sqlite:moved/registry.db"})
		there := []string{"--data-dir", data, "--to", "sqlite:moved/registry.db"}
		w := scribble(t, old...)

		rounds := 3
		if testing.Short() {
			rounds = 1
		}
		for range rounds {
			w.more(w.by)
			said, ended := brokenOff(t, luck.of("", "closing", "copying"), env, there...)
			if ended {
				break
			}
			if strings.Contains(said, "closing") { // before, nothing is there
				refusedToServe(t, data, "a migration into this registry from mongodb://", here...)
			}
			if !givenUp(t, env, data) {
				break
			}
		}
		migrate(t, luck.times(rounds), env, there...)
		w.gone.Store(true)
		w.more(w.left)
		next := serve(t, data, here...)
		for _, s := range old {
			isShut(t, s, "sqlite:"+file)
		}
		w.stop()
		w.allSignIn(next)
		next.want(http.StatusOK, "GET", "/v1/organizations/acme", token, nil)
		next.want(http.StatusOK, "GET", "/v1/organizations", key, nil)

		// Back.
		back := []string{"--data-dir", data, "--to", url}
		out, err := command(t, here, append([]string{"registry", "migrate"}, back...)...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 4 || !strings.Contains(string(out), "Stop that one first") {
			t.Errorf("a file is moved under its server: %v\n%s", err, out)
		}
		stopped(t, next)
		_, ended := brokenOff(t, luck.of("closing", "copying"), here, back...)
		between := !ended && givenUp(t, here, data)
		if between {
			next = serve(t, data, here...)
			next.create("Between")
			for _, s := range old {
				isShut(t, s, "sqlite:"+file)
			}
			stopped(t, next)
		} else {
			t.Log("it was killed too late to be given up")
		}
		migrate(t, luck.times(rounds), here, back...)
		refusedToServe(t, data, "the registry was moved to mongodb://", here...)
		for i, s := range old {
			waitUntil(t, func() bool {
				a, err := s.try("GET", "/readyz", "", nil)
				return err == nil && a.Status == http.StatusOK
			})
			s.create(fmt.Sprintf("Home again %d", i))
			s.want(http.StatusOK, "GET", "/v1/organizations/acme", token, nil)
			if between {
				s.login("Between")
			}
		}
		w.allSignIn(old[1])
	})
}
