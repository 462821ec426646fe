package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
)

// wire stands between the program and a MongoDB server, hands everything on,
// and counts the commands that pass: what the program really sends, whichever
// part of it does.
type wire struct {
	address  string // where it listens
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu   sync.Mutex
	sent sent
	open map[net.Conn]struct{}
}

// sent is what has been sent.
type sent struct {
	acts    []string // commands, with what they are about
	commits int      // of transactions
	feed    int      // reads of what other servers change
}

func watchWire(ctx context.Context, target string) (*wire, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{address: l.Addr().String(), target: target, listener: l, open: map[net.Conn]struct{}{}}
	w.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.running.Go(func() { w.serve(ctx, conn) })
		}
	})
	return w, nil
}

// take gives what was sent since the last time.
func (w *wire) take() sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.sent
	w.sent = sent{}
	return c
}

// close ends all connections.
func (w *wire) close() {
	_ = w.listener.Close()
	w.mu.Lock()
	for conn := range w.open {
		_ = conn.Close()
	}
	w.mu.Unlock()
	w.running.Wait()
}

func (w *wire) keep(conns ...net.Conn) (forget func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.open[c] = struct{}{}
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, c := range conns {
			_ = c.Close()
			delete(w.open, c)
		}
	}
}

func (w *wire) serve(ctx context.Context, from net.Conn) {
	to, err := new(net.Dialer).DialContext(ctx, "tcp", w.target)
	if err != nil {
		_ = from.Close()
		return
	}
	forget := w.keep(from, to)
	defer forget()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(from, to)
		_ = from.Close()
	}()
	for {
		message, err := readMessage(from)
		if err == nil {
			w.count(message)
			_, err = to.Write(message)
		}
		if err != nil {
			break
		}
	}
	_ = to.Close()
	<-done
}

// The head of a message: its length, two ids, and what it is, as 32 bits each;
// MongoDB's manual, "MongoDB Wire Protocol".
const (
	headSize  = 16
	opMessage = 2013
	maxSize   = 48_000_000
)

func readMessage(r io.Reader) ([]byte, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int(binary.LittleEndian.Uint32(head[:]))
	if size < headSize || size > maxSize {
		return nil, fmt.Errorf("a message of %d bytes", size)
	}
	message := append(make([]byte, 0, size), head[:]...)[:size]
	_, err := io.ReadFull(r, message[headSize:])
	return message, err
}

// ofTheDriver are commands that no act sends.
var ofTheDriver = []string{"hello", "isMaster", "ismaster", "ping", "endSessions", "buildInfo"}

func (w *wire) count(message []byte) {
	name, about := commandOf(message)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case name == "" || slices.Contains(ofTheDriver, name):
	case name == "commitTransaction":
		w.sent.commits++
	case name == "getMore", bytes.Contains(message, []byte("$changeStream")):
		w.sent.feed++
	default:
		w.sent.acts = append(w.sent.acts, name+about)
	}
}

// commandOf reads a command's name and, where it names a collection, that.
func commandOf(message []byte) (name, about string) {
	// Flags, the kind of the first section (0: the command), and the length of
	// its BSON come first.
	const command = headSize + 4 + 1 + 4
	if len(message) < command+1 || binary.LittleEndian.Uint32(message[12:]) != opMessage || message[headSize+4] != 0 {
		return "", ""
	}
	const text = 0x02
	kind, rest := message[command], message[command+1:]
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		return "", ""
	}
	name, rest = string(rest[:end]), rest[end+1:]
	if kind != text || len(rest) < 5 {
		return name, ""
	}
	if end = bytes.IndexByte(rest[4:], 0); end < 0 {
		return name, ""
	}
	return name, " " + string(rest[4:4+end])
}
