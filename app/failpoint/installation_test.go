//go:build unix

package failpoint_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tenantry/app/mongodb/mongotest"
)

// hurry is how long a dead server's leases and locks stand still here until
// they are taken from it.
const hurry = 250 * time.Millisecond

// installation is one registry with its cluster, on which one process works
// after another.
type installation struct {
	t       *testing.T
	program string
	folder  string
	key     string // the operator's
	env     []string
	server  *mongotest.Server // nil: files
	// registry is the name of the database or the path of the file.
	registry  string
	neighbour *subject // who must not feel anything
}

// install makes one; server may be nil, for files.
func install(t *testing.T, server *mongotest.Server) *installation {
	t.Helper()
	program, err := buildWithPoints()
	if err != nil {
		t.Fatal(err)
	}
	i := &installation{t: t, program: program, server: server, folder: filepath.Join(t.TempDir(), "data"),
		neighbour: &subject{name: "Neighbour", story: "the neighbour"},
		env: []string{"TENANTRY_RELOCATION_GRACE=0s",
			"TENANTRY_SEAL_KEY=" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'k'}, 32))}}
	i.registry = filepath.Join(i.folder, "registry.db")
	if server != nil {
		i.registry = server.Database(t)
		i.env = append(i.env, "TENANTRY_REGISTRY_URL="+server.URL(i.registry),
			"TENANTRY_CLUSTERS_DEFAULT_URL="+server.URL(server.Database(t)))
	}
	first := i.serve("")
	i.key = first.key
	i.neighbour.make(first, 20)
	first.kill()
	return i
}

// launch starts a process on it, with failpoints if there is a plan.
func (i *installation) launch(t *testing.T, plan string, env ...string) *process {
	t.Helper()
	folder := i.folder
	if i.server != nil {
		folder = filepath.Join(t.TempDir(), "data") // each of its own
	}
	env = append(append([]string{"FAILPOINT=" + strings.TrimSpace(plan+" hurry="+hurry.String())}, i.env...), env...)
	p := launch(t, i.program, folder, env...)
	return p
}

// serve starts a process that is to live.
func (i *installation) serve(plan string, env ...string) *process {
	i.t.Helper()
	p := i.launch(i.t, plan, env...)
	if !p.ready() {
		i.t.Fatalf("it does not serve:\n%s", p.log)
	}
	if p.key == "" {
		p.key = i.key
	}
	return p
}

// settle starts the process that takes over, and waits until nothing is open
// that is due.
func (i *installation) settle() *process {
	i.t.Helper()
	p := i.serve("")
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var page struct {
			Items []struct {
				DueAt *time.Time `json:"due_at"`
			} `json:"items"`
		}
		a := p.want(http.StatusOK, "GET", "/v1/operations?state=running&limit=100", p.key, nil)
		if err := json.Unmarshal([]byte(a.Body), &page); err != nil {
			i.t.Fatal(err)
		}
		due := 0
		for _, op := range page.Items {
			if op.DueAt == nil || op.DueAt.Before(time.Now()) {
				due++
			}
		}
		if due == 0 {
			return p
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("still open: %s\n%s", a.Body, p.log)
		}
	}
}

// sound fails unless doctor finds nothing, the neighbour is whole, and the
// registry's records fit each other.
func (i *installation) sound(p *process) {
	i.t.Helper()
	if a := p.want(http.StatusOK, "POST", "/v1/doctor", p.key, object{"repair": false}); !strings.Contains(a.Body, `"findings":[]`) {
		i.t.Errorf("doctor finds %s", a.Body)
	}
	i.neighbour.whole(p, i.neighbour.login(p), i.neighbour.path())
	p.kill() // nothing of what is acknowledged is on its way
	i.books().check(i.t)
}
