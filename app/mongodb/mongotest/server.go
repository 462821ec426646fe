package mongotest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Kind is a kind of server.
type Kind string

const (
	ReplicaSet Kind = "replica-set"
	Standalone Kind = "standalone"
	Given      Kind = "given"
)

// Kinds are those that every test runs against, Given among them when the
// environment names one.
func Kinds() []Kind {
	kinds := []Kind{ReplicaSet, Standalone}
	if os.Getenv(givenURI) != "" {
		kinds = append(kinds, Given)
	}
	return kinds
}

const (
	givenURI    = "TENANTRY_TEST_MONGODB_URI"
	startWithin = 60 * time.Second
)

//go:embed serve.py
var serve string

// Server is one that runs until the test's process ends, or until Kill.
type Server struct {
	Kind Kind
	// URI has no database in its path; see [Server.URL].
	URI string

	own     bool // the test's
	client  *mongo.Client
	python  string
	storage string
	flags   []string
	process *exec.Cmd
	input   io.Closer
}

type once struct {
	sync.Once
	server *Server
	err    error
}

var shared = map[Kind]*once{ReplicaSet: {}, Standalone: {}, Given: {}}

// Shared gives the one server of a kind that all tests of a process use.
func Shared(t testing.TB, kind Kind) *Server {
	t.Helper()
	one := shared[kind]
	one.Do(func() {
		if kind == Given {
			one.server, one.err = given(os.Getenv(givenURI))
			return
		}
		one.server, one.err = start(kind, inMemory())
	})
	if one.err != nil {
		unavailable(t, one.err)
	}
	return one.server
}

// ShortTransactions are flags for a server that soon ends the transactions of
// clients that were killed.
var ShortTransactions = []string{"--transaction-lifetime", "3"}

// Start starts a server for the test alone, with more of its own flags.
func Start(t testing.TB, kind Kind, flags ...string) *Server {
	t.Helper()
	s, err := start(kind, inMemory(), flags...)
	if err != nil {
		unavailable(t, err)
	}
	s.own = true
	t.Cleanup(s.Kill)
	return s
}

// Run starts a server for a program that is no test, with its files on disk.
// Kill ends it; without that it ends with the program.
func Run(kind Kind, flags ...string) (*Server, error) {
	s, err := start(kind, "", flags...)
	if err == nil {
		s.own = true
	}
	return s, err
}

// Address is where the server listens, as host:port; of several members, each
// after a comma.
func (s *Server) Address() string {
	_, rest, _ := strings.Cut(s.URI, "//")
	address, _, _ := strings.Cut(rest[strings.LastIndex(rest, "@")+1:], "/")
	return address
}

func unavailable(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("no server to test against: %v", err)
	}
	t.Skipf("no server to test against: %v", err)
}

// URL is the connection string of a database on the server.
func (s *Server) URL(database string) string {
	base, query, _ := strings.Cut(s.URI, "?")
	return strings.TrimSuffix(base, "/") + "/" + database + "?" + query
}

// Through is the connection string of a database behind another address, such as
// that of a proxy. The driver is kept from learning the server's own.
func (s *Server) Through(address, database string) string {
	direct := strings.Replace(s.URL(database), s.Address(), address, 1)
	if !strings.Contains(direct, "directConnection=") {
		direct += "&directConnection=true"
	}
	return direct
}

// Database gives the name of a new database, which goes with the test.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "t" + bson.NewObjectID().Hex()
	if s.own {
		return name // it goes with the server
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.client.Database(name).Drop(ctx); err != nil {
			t.Logf("drop the database %s: %v", name, err)
		}
	})
	return name
}

// Client is a connection of the test's own.
func (s *Server) Client() *mongo.Client { return s.client }

// Kill ends the server at once, as a crash does, and removes its files.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	s.end()
	_ = os.RemoveAll(s.storage)
}

func (s *Server) end() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	_ = s.input.Close() // after its end, since it removes its files when its input ends
}

func given(uri string) (*Server, error) {
	if uri == "" {
		return nil, errors.New(givenURI + " is not set")
	}
	s := &Server{Kind: Given, URI: uri}
	return s, s.connect()
}

// start starts a server with its files in a folder, "" being that of temporary
// files.
func start(kind Kind, folder string, flags ...string) (*Server, error) {
	python, err := install()
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", strings.TrimSpace(requirements), err)
	}
	const tries = 3 // somebody else may take the port that was free
	for try := 1; ; try++ {
		s, err := startOn(python, kind, folder, flags)
		if err == nil || try == tries {
			return s, err
		}
	}
}

func startOn(python string, kind Kind, folder string, flags []string) (*Server, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	storage, err := os.MkdirTemp(folder, "tenantry-mongotest-")
	if err != nil {
		return nil, err
	}
	s := &Server{Kind: kind, URI: "mongodb://127.0.0.1:" + port + "/?replicaSet=secantus", python: python, storage: storage}
	if kind == Standalone {
		s.URI = "mongodb://127.0.0.1:" + port + "/?directConnection=true"
	}
	s.flags = flags
	if err := s.launch(flags); err != nil {
		return nil, err
	}
	return s, nil
}

// launch starts the server on its files and its port.
func (s *Server) launch(flags []string) error {
	_, port, err := net.SplitHostPort(s.Address())
	if err != nil {
		return err
	}
	args := []string{"-c", serve, "--port", port, "--storage-path", s.storage, "--log-level", "WARNING", "--cache-size", "128M"}
	if s.Kind == Standalone {
		args = append(args, "--standalone")
	}
	log, err := os.Create(filepath.Join(s.storage, "server.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(s.python, append(args, flags...)...) //nolint:noctx // it ends with its input
	cmd.Dir = s.storage                                      // it looks for a configuration there
	cmd.Stdout, cmd.Stderr = log, log
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process, s.input = cmd, input
	if err := s.connect(); err != nil {
		text, _ := os.ReadFile(log.Name())
		s.Kill()
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}

// Restart ends the server at once, as a crash does, and starts it again on its
// files and its port, with these flags alone.
func (s *Server) Restart(t testing.TB, flags ...string) {
	t.Helper()
	s.end()
	s.launchAgain(t, flags...)
}

func (s *Server) launchAgain(t testing.TB, flags ...string) {
	t.Helper()
	if err := s.launch(flags); err != nil {
		t.Fatal(err)
	}
}

// connect waits until the server says hello.
func (s *Server) connect() error {
	var err error
	s.client, err = mongo.Connect(options.Client().ApplyURI(s.URI).SetTimeout(startWithin).
		SetServerSelectionTimeout(startWithin).SetHeartbeatInterval(500 * time.Millisecond))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	for {
		probe, stop := context.WithTimeout(ctx, 2*time.Second)
		err = s.client.Database("admin").RunCommand(probe, bson.D{{Key: "hello", Value: 1}}).Err()
		stop()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

// FreePort finds a port for a server. It is none of those that systems give to
// whoever asks for any (from 32768 on, as a rule): a server that is killed must
// find its own free when it comes back.
func FreePort() (string, error) {
	var err error
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		var l net.Listener
		if l, err = new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:"+port); err == nil {
			return port, l.Close()
		}
	}
	return "", err
}
