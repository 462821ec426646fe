//go:build unix

package cli_test

import (
	"net"
	"strings"
	"testing"
	"time"
)

func TestTUIServerGoesAndComes(t *testing.T) {
	data := dataDir(t)
	first := serve(t, data)
	owned(first, "Acme", "a@example.com")
	s := openTUI(t, 80, 24, []string{"TENANTRY_KEY=" + first.Key}, "--url", first.URL)
	s.See("1 active")
	s.Press("2")
	s.See("Acme")
	first.kill()
	s.Press("r")
	s.See("away", "No answer. Trying again")
	again := command(t, nil, "serve", "--listen", strings.TrimPrefix(first.URL, "http://"), "--data-dir", data)
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = again.Process.Kill()
		_ = again.Wait()
	})
	s.See("The server is back.", "Acme", "active")
	s.Press("q")
	s.See("ended 0 whole")
}

// A link of 300 ms: the walk is the same, and a spinner says what is waited
// for.
func TestTUIOverASlowLink(t *testing.T) {
	server := serve(t, dataDir(t))
	slow := slowLink(t, strings.TrimPrefix(server.URL, "http://"), 300*time.Millisecond)
	s := openTUI(t, 80, 24, []string{"TENANTRY_KEY=" + server.Key}, "--url", "http://"+slow)
	s.See("none yet")
	s.Press("n")
	s.See("New organization")
	s.Answers("Far Away", "far@example.com", "correct-horse-battery", "", "")
	s.See("… esc cancels")
	s.See("Far Away is made", "far@example.com")
	s.Press("D")
	s.See("to confirm")
	s.Answers("Far Away")
	s.See("Far Away is deleted.")
}

// slowLink passes bytes on after a while, each way half of it.
func slowLink(t *testing.T, to string, delay time.Duration) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	pass := func(from, to net.Conn) {
		defer func() { _ = to.Close() }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			time.Sleep(delay / 2)
			if n > 0 {
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go pass(near, far)
			go pass(far, near)
		}
	}()
	return ln.Addr().String()
}
