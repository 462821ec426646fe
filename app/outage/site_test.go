package outage_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/servertest"
)

const (
	password = "a-fairly-long-secret-7"
	// impatient makes a driver give up sooner than it does in production, so that
	// an outage need not last as long.
	impatient = "&timeoutMS=2500&serverSelectionTimeoutMS=2000&heartbeatFrequencyMS=500&connectTimeoutMS=1000"
)

// site is a whole server.
type site struct {
	t    *testing.T
	http *http.Client
	key  string // an operator's
	*servertest.Server
}

// open starts a server whose stores are where configure says. Servers that share
// a registry share the key of the first, too.
func open(t *testing.T, configure func(*config.Config)) *site {
	t.Helper()
	log := &tail{}
	s := &site{t: t, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server said last:\n%s", log)
		}
	})
	s.Server = servertest.StartWith(t, servertest.Options{
		Logger: slog.New(slog.NewTextHandler(log, nil)),
		Configure: func(c *config.Config) {
			c.SealKey = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'k'}, 32))
			configure(c)
		},
	})
	s.key = s.Key
	return s
}

// tail keeps the end of a log.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if most := 16 << 10; len(l.buf) > 2*most {
		l.buf = append(l.buf[:0], l.buf[len(l.buf)-most:]...)
	}
	return len(p), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.buf)
}

// at puts a cluster at a URL.
func at(url string) config.Cluster {
	c := config.Default().Clusters[config.DefaultCluster]
	c.URL = url
	return c
}

type answer = servertest.Answer

// try sends a request whose failing is not yet the test's. Headers are pairs.
func (s *site) try(method, path, token string, body any, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return servertest.Ask(ctx, s.http, method, s.URL+path, token, body, headers...)
}

// want sends a request and demands the status.
func (s *site) want(status int, method, path, token string, body any, headers ...string) answer {
	s.t.Helper()
	a, err := s.try(method, path, token, body, headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.Status != status {
		s.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.Status, status, a.Body)
	}
	return a
}

type object map[string]any

func email(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@test.example"
}

func creation(name, cluster string) object {
	return object{"name": name, "owner": object{"email": email(name), "password": password}, "placement": object{"cluster": cluster}}
}

// create makes an organization on a cluster.
func (s *site) create(name, cluster string) {
	s.t.Helper()
	s.want(http.StatusCreated, "POST", "/v1/organizations", s.key, creation(name, cluster))
}

func (s *site) login(name string) (token string) {
	s.t.Helper()
	return s.want(http.StatusOK, "POST", "/admin/login", "", object{"email": email(name), "password": password}).Text("access_token")
}

// settles waits until no operation is open any more, and asks the doctor.
func (s *site) settles() {
	s.t.Helper()
	await(s.t, "no operation is open", func() bool {
		return strings.Contains(s.want(http.StatusOK, "GET", "/v1/operations?state=running", s.key, nil).Body, `"items":[]`)
	})
	if a := s.want(http.StatusOK, "POST", "/v1/doctor", s.key, object{"repair": false}); !strings.Contains(a.Body, `"findings":[]`) {
		s.t.Errorf("doctor finds %s", a.Body)
	}
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	awaitEvery(t, 5*time.Millisecond, what, condition)
}

// awaitEvery is for conditions that cost the servers something.
func awaitEvery(t *testing.T, pause time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came that %s", what)
		}
	}
}

func eachMongoDB(t *testing.T, f func(t *testing.T, s *mongotest.Server), flags ...string) {
	for _, kind := range mongotest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f(t, server(t, kind, flags...))
		})
	}
}

// given is held by the one test that uses the given server.
var given sync.Mutex

// server is one of the test's own, but for a given one.
func server(t *testing.T, kind mongotest.Kind, flags ...string) *mongotest.Server {
	t.Helper()
	if kind == mongotest.Given {
		given.Lock()
		t.Cleanup(given.Unlock)
		return mongotest.Shared(t, kind)
	}
	if kind == mongotest.ReplicaSet {
		flags = append(flags, mongotest.ShortTransactions...)
	}
	return mongotest.Start(t, kind, flags...)
}
