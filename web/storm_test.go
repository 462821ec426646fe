package web

import (
	"io"
	"net"
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
