package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/identity"
	"tenantry/app/seal"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

// world is a server over the real core on SQLite, on a real listener.
type world struct {
	t        testing.TB
	server   *Server
	url      string
	addr     string // host and port
	operator string // an operator key
	log      *logBuffer
	services Services
	core     core
	contract contract
	client   *http.Client // takes answers as they are
}

// core is what stands behind the services, for what no route does.
type core struct {
	registry app.Registry
	cluster  app.Cluster
	identity *identity.Service
	tenancy  *tenancy.Service
	folder   string
}

type settings struct {
	opts       Options
	services   func(*Services)
	closed     bool // signup
	hashConfig identity.Config
	tenancy    func(*tenancy.Config)
	cluster    func(app.Cluster) app.Cluster // what stands before it
}

// newWorld starts a server. Its rate limit is off and all its requests are
// logged, unless change says otherwise.
func newWorld(t testing.TB, change ...func(*settings)) *world {
	t.Helper()
	log := &logBuffer{}
	logger := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	set := settings{opts: Options{
		CompatEnabled: true, DocsEnabled: true, LogRequests: LogAll, Logger: logger,
	}, hashConfig: identity.Config{BcryptCost: 4, Workers: 1}}
	for _, f := range change {
		f(&set)
	}
	services, core, key := openCore(t, set, logger)
	if set.services != nil {
		set.services(&services)
	}
	server, err := New(services, set.opts)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: server, operator: key, log: log, services: services, core: core}
	w.client = &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
	if w.contract, err = contractOf(server); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = ln.Addr().String()
	w.url = "http://" + w.addr
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.client.CloseIdleConnections()
		if err := server.Shutdown(ctx); err != nil {
			t.Error("shutdown:", err)
		}
		if err := <-served; err != nil && !errors.Is(err, http.ErrServerClosed) { // too short a test to begin serving
			t.Error("serve:", err)
		}
	})
	return w
}

// openCore wires registry, cluster and capabilities over a temporary folder.
func openCore(t testing.TB, set settings, log *slog.Logger) (Services, core, string) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	folder, err := sqlite.OpenFolder(t.TempDir(), sqlite.FolderOptions{})
	must(err)
	t.Cleanup(func() { _ = folder.Close() })
	registry, err := sqlite.OpenRegistry(ctx, folder, "registry.db", sqlite.RegistryOptions{AppVersion: "test", Logger: log})
	must(err)
	t.Cleanup(func() { _ = registry.Close() })
	cluster, err := sqlite.OpenCluster(ctx, filepath.Join(folder.Path(), "clusters", "default"), "default",
		sqlite.ClusterOptions{Shards: 2, Version: "test", Logger: log})
	must(err)
	t.Cleanup(func() { _ = cluster.Close() })
	var behind app.Cluster = cluster
	if set.cluster != nil {
		behind = set.cluster(cluster)
	}
	directory := tenancy.NewDirectory(registry)
	key, err := seal.Load(folder.Path(), "")
	must(err)
	id, err := identity.New(ctx, registry, directory, key, set.hashConfig, app.Now, log)
	must(err)
	t.Cleanup(id.Close)
	config := tenancy.Config{SignupOpen: !set.closed, Clusters: []string{"default"}, Isolation: app.IsolationCollection,
		FingerprintKey: key.Derive("test")}
	if set.tenancy != nil {
		set.tenancy(&config)
	}
	clusters, kept := keep(registry, behind, folder.Path(), log)
	t.Cleanup(func() { _ = kept.Close() })
	orgs, err := tenancy.New(registry, directory, clusters, id, config, app.Now, log)
	must(err)
	t.Cleanup(orgs.Close)
	secret, _, err := id.FirstOperatorKey(ctx)
	must(err)
	return Services{
		Tenancy: orgs, Documents: documents.New(orgs, app.Now), Identity: id, Version: "test",
		HashStats: id.HashStats,
		Health: func(ctx context.Context) []Check {
			return []Check{{"registry", registry.Health(ctx)}, {"cluster default", cluster.Health(ctx)}}
		},
	}, core{registry, cluster, id, orgs, folder.Path()}, secret
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// field gives a member of the body by its path, "" where there is none.
func (a answer) field(path string) string {
	var v any
	_ = json.Unmarshal(a.body, &v)
	for part := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(at) {
				return ""
			}
			v = at[i]
		default:
			return ""
		}
	}
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	raw, _ := json.Marshal(v)
	return string(raw)
}

func (a answer) String() string { return fmt.Sprintf("%d %v %s", a.status, a.header, a.body) }

// with changes a request before it is sent.
type with func(*http.Request)

func header(name, value string) with {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// do sends a request. body is a string, sent as it is, or a value, sent as JSON.
func (w *world) do(method, path, token string, body any, changes ...with) answer {
	w.t.Helper()
	a, err := w.try(w.client, method, path, token, body, changes...)
	if err != nil {
		w.t.Fatal(method, path, err)
	}
	return a
}

func (w *world) try(client *http.Client, method, path, token string, body any, changes ...with) (answer, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, w.url+path, reader)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for _, change := range changes {
		change(req)
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.Close { // the client takes the header away
		res.Header.Set("Connection", "close")
	}
	raw, err := io.ReadAll(res.Body)
	a := answer{res.StatusCode, res.Header, raw}
	if err == nil {
		for _, fault := range w.contract.check(method, path, a) {
			w.t.Errorf("%s %s is not as documented: %s\n%v", method, path, fault, a)
		}
	}
	return a, err
}

func (w *world) tenant() tenant {
	w.t.Helper()
	n := tenants.Add(1)
	o := tenant{name: fmt.Sprintf("Tenant %d", n), email: fmt.Sprintf("owner%d@tenant.example", n), password: "correct-horse-battery"}
	a := w.do("POST", "/v1/organizations", "", map[string]any{
		"name": o.name, "owner": map[string]string{"email": o.email, "password": o.password},
	}, w.asOperator)
	// A world whose requests wait for a moment only is answered before it is made.
	for id, begun := a.field("organization_id"), time.Now(); id != "" && a.status != 200 && time.Since(begun) < time.Minute; time.Sleep(time.Millisecond) {
		a = w.do("GET", "/v1/organizations/"+id, w.operator, nil)
	}
	if a.status != 201 && a.status != 200 {
		w.t.Fatal("create:", a)
	}
	o.id, o.slug = a.field("id"), a.field("slug")
	a = w.do("POST", "/v1/auth/login", "", map[string]string{"email": o.email, "password": o.password})
	if a.status != 200 {
		w.t.Fatal("login:", a)
	}
	o.token, o.refresh = a.field("access_token"), a.field("refresh_token")
	return o
}

func (w *world) asOperator(r *http.Request) { r.Header.Set("Authorization", "Bearer "+w.operator) }

func (w *world) expect(a answer, status int, code string) {
	w.t.Helper()
	if a.status != status || a.field("code") != code {
		w.t.Errorf("got %v, want %d %s", a, status, code)
	}
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
