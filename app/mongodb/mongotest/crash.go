package mongotest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Shell commands that kill and start a member of the servers that
// TENANTRY_TEST_MONGODB_URI names, whose port is in PORT.
const (
	givenKill  = "TENANTRY_TEST_MONGODB_KILL"
	givenStart = "TENANTRY_TEST_MONGODB_START"
)

// Crasher gives what ends the primary at once, as a crash does. That gives what
// starts it again, on its files. Where the given servers cannot be killed, the
// test is skipped.
func (s *Server) Crasher(t testing.TB) (crash func() (back func())) {
	t.Helper()
	if s.Kind != Given {
		return func() func() {
			s.end()
			return func() { s.launchAgain(t, s.flags...) }
		}
	}
	if os.Getenv(givenKill) == "" || os.Getenv(givenStart) == "" {
		t.Skipf("the given servers are not to be killed: %s and %s are not set", givenKill, givenStart)
	}
	return func() func() {
		_, port, err := net.SplitHostPort(s.Primary(t))
		if err != nil {
			t.Fatal(err)
		}
		shell(t, givenKill, port)
		return func() { shell(t, givenStart, port) }
	}
}

func shell(t testing.TB, name, port string) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "sh", "-c", os.Getenv(name))
	cmd.Env = append(os.Environ(), "PORT="+port)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s on port %s: %v\n%s", name, port, err, out)
	}
}

// Primary is the address of the member that takes writes, as host:port.
func (s *Server) Primary(t testing.TB) string {
	t.Helper()
	for deadline := time.Now().Add(startWithin); ; time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), startWithin)
		var hello struct {
			Set     string `bson:"setName"`
			Primary string `bson:"primary"`
		}
		err := s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
		cancel()
		if err == nil && hello.Set == "" {
			hello.Primary = s.Address()
		}
		if err == nil && hello.Primary != "" {
			return hello.Primary
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is no primary to be found: %+v, %v", hello, err)
		}
	}
}

// Members reports whether there are several, so that another one goes on where
// the primary is gone.
func (s *Server) Members() bool { return strings.Contains(s.Address(), ",") }
