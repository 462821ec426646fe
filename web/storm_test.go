package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// eventually waits for a condition that a busy machine may take its time for.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never:", what)
		}
	}
}

func (w *world) openConnections() int32 { return w.server.app.Server().GetOpenConnectionsCount() }

// Ten thousand requests are cancelled at whatever point; the server serves on,
// and nothing of them is left.
func TestStormOfCancelledRequests(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.opts.LogRequests = LogErrors })
	o := w.tenant()
	doc := w.document(o, `{"a":1}`)
	w.client.CloseIdleConnections()
	eventually(t, "idle connections are closed", func() bool { return w.openConnections() == 0 })
	requests := 10_000
	if testing.Short() {
		requests = 500
	}
	path := "/v1/organizations/" + o.slug
	kinds := []string{
		"GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + o.token + "\r\n\r\n",
		"GET " + doc + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + o.token + "\r\n\r\n",
		"GET " + path + "/documents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + o.token + "\r\n\r\n",
		"POST " + path + "/documents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + o.token + "\r\nContent-Length: 24\r\n\r\n" + `{"type":"t","data":{   }}`,
		"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n" + `{"email":"a@x.example","password":1}`,
	}
	before := atWork()
	w.storm(kinds, requests)
	eventually(t, "the goroutines are gone", func() bool { return atWork() <= before })
	if a := w.do("GET", doc, o.token, nil); a.status != 200 {
		t.Error("after the storm:", a)
	}
	if a := w.do("POST", path+"/documents", o.token, `{"type":"after","data":{}}`); a.status != 201 {
		t.Error("after the storm:", a)
	}
	if a := w.do("GET", "/readyz", "", nil); a.status != 200 {
		t.Error(a)
	}
}

// atWork counts the goroutines that answer requests or do something for us;
// fasthttp's workers that wait for the next connection are left out, since it
// keeps them for some seconds.
func atWork() int {
	stacks := make([]byte, 8<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "serveConn") || strings.Contains(stack, "tenantry/") {
			n++
		}
	}
	return n
}

// storm sends parts of requests and goes away, until the server has noticed.
func (w *world) storm(kinds []string, requests int) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for {
				i := int(next.Add(1))
				if i > requests {
					return
				}
				conn, err := net.Dial("tcp", w.addr)
				if err != nil {
					w.t.Error(err)
					return
				}
				request := kinds[i%len(kinds)]
				// Cut anywhere: in the line, the header, the body, or after all of it.
				_, _ = io.WriteString(conn, request[:len(request)*(i%7+1)/7])
				if i%2 == 0 {
					_ = conn.(*net.TCPConn).SetLinger(0) // a reset instead of a goodbye
				}
				_ = conn.Close()
			}
		})
	}
	group.Wait()
	eventually(w.t, "all connections are closed", func() bool { return w.openConnections() == 0 && w.server.active.Load() == 0 })
}

// Clients that send a byte now and then hold a connection no longer than the
// timeout, and hold up nobody.
func TestSlowlorisIsCutOff(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.opts.ReadTimeout = time.Second })
	begun := time.Now()
	var group sync.WaitGroup
	for i := range 60 {
		conn := w.dial()
		group.Go(func() {
			defer func() { _ = conn.Close() }()
			head := "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "
			if i%2 == 0 {
				head = "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
			}
			_, _ = io.WriteString(conn, head)
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				_, _ = io.Copy(io.Discard, conn)
			}()
			for {
				select {
				case <-closed:
					return
				case <-time.After(100 * time.Millisecond):
					if _, err := io.WriteString(conn, "x"); err != nil {
						<-closed
						return
					}
				}
			}
		})
	}
	if a := w.do("GET", "/healthz", "", nil); a.status != 200 {
		t.Error(a)
	}
	group.Wait()
	if took := time.Since(begun); took > 15*time.Second {
		t.Error("the slow ones were held for", took)
	}
	w.client.CloseIdleConnections()
	eventually(t, "all connections are closed", func() bool { return w.openConnections() == 0 })
}

// Connections that say nothing are closed, too.
func TestIdleConnectionsAreClosed(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.opts.ReadTimeout, s.opts.IdleTimeout = 300*time.Millisecond, 300*time.Millisecond })
	silent, polite := w.dial(), w.dial()
	defer func() { _, _ = silent.Close(), polite.Close() }()
	if _, err := io.WriteString(polite, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.Conn{silent, polite} {
		if _, err := io.Copy(io.Discard, conn); err != nil { // to its end
			t.Error(err)
		}
	}
}

// TestShutdownLosesNoRequest stops servers under load. Every request that was
// sent is answered, on connections that stay open and on new ones.
func TestShutdownLosesNoRequest(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		server, err := New(newWorld(t).services, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		ctx, stop := context.WithCancel(t.Context())
		go func() { served <- server.Serve(ctx, ln) }()
		var answered, lost atomic.Int64
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0}, Timeout: 20 * time.Second}
				defer client.CloseIdleConnections()
				for {
					res, err := client.Get("http://" + ln.Addr().String() + "/errors")
					if err != nil {
						// Who comes when the door is closed has sent nothing yet.
						var op *net.OpError
						if !errors.As(err, &op) || op.Op != "dial" {
							lost.Add(1)
							t.Errorf("round %d: a request was lost: %v", round, err)
						}
						return
					}
					body, err := io.ReadAll(res.Body)
					_ = res.Body.Close()
					if err != nil || res.StatusCode != http.StatusOK || len(body) < 1000 {
						lost.Add(1)
						t.Errorf("round %d: half an answer: %d, %d bytes, %v", round, res.StatusCode, len(body), err)
						return
					}
					answered.Add(1)
				}
			})
		}
		eventually(t, "requests are answered", func() bool { return answered.Load() > 200 || lost.Load() > 0 })
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		group.Wait()
		if err := server.Serve(t.Context(), ln); err != http.ErrServerClosed { //nolint:errorlint // it is that very one
			t.Error("a server that was shut down serves:", err)
		}
	}
}

// A request that is under way when the shutdown begins is answered however
// long it takes, within the shutdown's time.
func TestShutdownWaitsForSlowRequests(t *testing.T) {
	w := newWorld(t)
	enter, leave := make(chan struct{}), make(chan struct{})
	services := w.services
	services.Health = func(context.Context) []Check {
		close(enter)
		<-leave
		return []Check{{Name: "slow"}}
	}
	server, err := New(services, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(t.Context(), ln) }()
	status := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + ln.Addr().String() + "/readyz")
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		_ = res.Body.Close()
		status <- res.StatusCode
	}()
	<-enter
	ended := make(chan error, 2)
	for range 2 { // twice is once
		go func() { ended <- server.Shutdown(context.Background()) }()
	}
	eventually(t, "the server drains", server.draining.Load)
	select {
	case err := <-ended:
		t.Fatal("the shutdown did not wait:", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if got := <-status; got != 503 { // ready no more, since it stops
		t.Error("the slow request got", got)
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// A shutdown ends by its deadline even if a request does not.
func TestShutdownEndsByItsDeadline(t *testing.T) {
	w := newWorld(t)
	enter, leave := make(chan struct{}), make(chan struct{})
	services := w.services
	services.Health = func(context.Context) []Check {
		close(enter)
		<-leave
		return nil
	}
	defer close(leave)
	server, err := New(services, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(t.Context(), ln) }()
	go func() {
		res, err := http.Get("http://" + ln.Addr().String() + "/readyz")
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	<-enter
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := server.Shutdown(ctx); err == nil {
		t.Error("a shutdown that left a request behind says nothing of it")
	}
}

func TestKeepAlive(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		if a := w.do("GET", "/healthz", "", nil); a.status != 200 {
			t.Fatal(a)
		}
	}
	if n := w.openConnections(); n != 1 {
		t.Errorf("50 requests in turn left %d connections", n)
	}
	a := w.raw("GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n")
	if a.status != 200 || a.header.Get("Connection") != "close" {
		t.Error(a)
	}
	a = w.raw(fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", w.addr))
	if a.status != 200 || a.header.Get("Connection") != "close" {
		t.Error(a)
	}
}
