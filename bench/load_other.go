//go:build !linux

package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// run sends the load, with a goroutine for each connection, and collects what
// is answered.
func (l load) run() (*outcome, error) {
	var (
		mu    sync.Mutex
		sent  int
		total = newOutcome()
		fails []error
		until time.Time
		wait  sync.WaitGroup
	)
	peers := make([]net.Conn, l.connections)
	for i := range peers {
		var err error
		if peers[i], err = net.Dial("tcp", l.address); err != nil { //nolint:noctx // this program ends with its measurements
			return nil, fmt.Errorf("connect to %s: %w", l.address, err)
		}
		defer func() { _ = peers[i].Close() }()
	}
	begun := time.Now()
	if l.duration > 0 {
		until = begun.Add(l.duration)
	}
	more := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if l.limit > 0 && sent >= l.limit || !until.IsZero() && !time.Now().Before(until) {
			return false
		}
		sent++
		return true
	}
	for _, c := range peers {
		wait.Go(func() {
			mine, err := ask(c, l.request, more)
			mu.Lock()
			defer mu.Unlock()
			fails = append(fails, err)
			total.add(mine)
		})
	}
	wait.Wait()
	total.took = time.Since(begun)
	if err := errors.Join(fails...); err != nil {
		return nil, fmt.Errorf("load on %s: %w", l.address, err)
	}
	return total, nil
}

// ask is one connection's part.
func ask(c net.Conn, request func([]byte) []byte, more func() bool) (*outcome, error) {
	o := newOutcome()
	in := make([]byte, 64<<10)
	var out []byte
	for more() {
		out = request(out[:0])
		begun := time.Now()
		if err := c.SetDeadline(begun.Add(patience)); err != nil {
			return o, err
		}
		if _, err := c.Write(out); err != nil {
			return o, err
		}
		for have := 0; ; {
			n, err := c.Read(in[have:])
			if err != nil {
				return o, err
			}
			have += n
			a, whole, err := parseAnswer(in[:have])
			if err != nil {
				return o, err
			}
			if whole {
				o.record(a, time.Since(begun))
				break
			}
		}
	}
	return o, nil
}
