package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// driver runs a load on one thread that waits for all its connections at
// once: with a goroutine for each, the client would need as much of its core
// as the server does of its own, and the measurement would be of the client.
type driver struct {
	load     load
	epoll    int
	peers    map[int32]*peer
	outcome  *outcome
	until    time.Time
	sent     int
	inFlight int
}

type peer struct {
	fd    int
	begun time.Time
	out   []byte
	in    []byte // as much as has come
}

// run sends the load and collects what is answered.
func (l load) run() (*outcome, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d := &driver{load: l, peers: make(map[int32]*peer), outcome: newOutcome()}
	var err error
	if d.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	defer func() { _ = unix.Close(d.epoll) }()
	defer func() {
		for _, p := range d.peers {
			_ = unix.Close(p.fd)
		}
	}()
	for range l.connections {
		if err := d.connect(); err != nil {
			return nil, fmt.Errorf("connect to %s: %w", l.address, err)
		}
	}
	begun := time.Now()
	if l.duration > 0 {
		d.until = begun.Add(l.duration)
	}
	if err := d.drive(); err != nil {
		return nil, fmt.Errorf("load on %s: %w", l.address, err)
	}
	d.outcome.took = time.Since(begun)
	return d.outcome, nil
}

func (d *driver) connect() error {
	addr, err := net.ResolveTCPAddr("tcp4", d.load.address)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	p := &peer{fd: fd, in: make([]byte, 0, 4096)}
	d.peers[int32(fd)] = p
	to := &unix.SockaddrInet4{Port: addr.Port}
	copy(to.Addr[:], addr.IP.To4())
	return errors.Join(unix.Connect(fd, to), unix.SetNonblock(fd, true),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.EpollCtl(d.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}))
}

// more reports whether another request is to be begun now.
func (d *driver) more(now time.Time) bool {
	return (d.until.IsZero() || now.Before(d.until)) && (d.load.limit == 0 || d.sent < d.load.limit)
}

func (d *driver) drive() error {
	for _, p := range d.peers {
		if now := time.Now(); d.more(now) {
			if err := d.send(p, now); err != nil {
				return err
			}
		}
	}
	events := make([]unix.EpollEvent, d.load.connections)
	for d.inFlight > 0 {
		n, err := unix.EpollWait(d.epoll, events, int(patience.Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("%d requests were not answered within %s", d.inFlight, patience)
		}
		for _, e := range events[:n] {
			if err := d.receive(d.peers[e.Fd]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *driver) send(p *peer, now time.Time) error {
	p.out = d.load.request(p.out[:0])
	p.begun = now
	d.sent++
	d.inFlight++
	n, err := unix.Write(p.fd, p.out)
	if err == nil && n < len(p.out) { // requests are far smaller than a socket's buffer
		err = io.ErrShortWrite
	}
	return err
}

// receive reads what has come and, where that completes an answer, sends the
// next request.
func (d *driver) receive(p *peer) error {
	if cap(p.in)-len(p.in) < 1024 {
		p.in = append(make([]byte, 0, 2*cap(p.in)), p.in...)
	}
	n, err := unix.Read(p.fd, p.in[len(p.in):cap(p.in)])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return err
	case n == 0:
		return errors.New("the server closed a connection")
	}
	p.in = p.in[:len(p.in)+n]
	a, whole, err := parseAnswer(p.in)
	if err != nil || !whole {
		return err
	}
	p.in = p.in[:0]
	d.inFlight--
	now := time.Now()
	d.outcome.record(a, now.Sub(p.begun))
	if d.more(now) {
		return d.send(p, now)
	}
	return nil
}
