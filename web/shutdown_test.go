package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

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
