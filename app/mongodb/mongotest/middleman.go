package mongotest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Middleman stands between clients and a server and reads what they say to each
// other. Unlike a proxy of bytes, or the server's own failpoints, it can let a
// command take effect and keep the answer from whoever sent it.
type Middleman struct {
	// Address is where it listens, as host:port.
	Address string

	server   string
	listener net.Listener
	wait     sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]struct{}
	// judge and hear are set before a connection is made, or under mu.
	judge func(Command) *Interference
	hear  func(command string, answer bson.Raw)
}

// Interference is what happens to a command.
type Interference struct {
	// After says that the server does it first.
	After bool
	// Error is answered in the place of the server. Without one the connection is
	// closed.
	Error bson.D
}

// Between starts one before the server at an address. It ends with the test.
func Between(t testing.TB, server string) *Middleman {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &Middleman{Address: l.Addr().String(), server: server, listener: l, open: map[net.Conn]struct{}{}}
	m.wait.Go(m.accept)
	t.Cleanup(m.close)
	return m
}

// Judge sets who decides what happens to each command from now on; nil from it
// lets a command pass, and while it thinks the command waits. It is called by
// many at once.
func (m *Middleman) Judge(judge func(Command) *Interference) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.judge = judge
}

// Hear sets who hears the server's own answers to commands from now on. The
// answer is nil where the server closed the connection instead.
func (m *Middleman) Hear(hear func(command string, answer bson.Raw)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hear = hear
}

func (m *Middleman) accept() {
	for {
		client, err := m.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", m.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		c := &conversation{m: m, client: client, server: server, asked: map[int32]question{}}
		if !m.keep(client, server) {
			return
		}
		m.wait.Go(c.commands)
		m.wait.Go(c.answers)
	}
}

// keep remembers connections that are to be closed in the end, and reports
// whether that is not yet.
func (m *Middleman) keep(connections ...net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range connections {
		if m.open == nil {
			_ = c.Close()
			continue
		}
		m.open[c] = struct{}{}
	}
	return m.open != nil
}

func (m *Middleman) close() {
	_ = m.listener.Close()
	m.mu.Lock()
	for c := range m.open {
		_ = c.Close()
	}
	m.open, m.judge = nil, nil
	m.mu.Unlock()
	m.wait.Wait()
}

// conversation is that of one client with the server.
type conversation struct {
	m              *Middleman
	client, server net.Conn

	mu    sync.Mutex // of what follows, and of writing to the client
	asked map[int32]question
}

// question is a command that is not answered yet.
type question struct {
	command string
	after   *Interference
}

// end closes both sides.
func (c *conversation) end() {
	_, _ = c.client.Close(), c.server.Close()
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	delete(c.m.open, c.client)
	delete(c.m.open, c.server)
}

// commands passes what the client says to the server.
func (c *conversation) commands() {
	defer c.end()
	for {
		msg, err := readMessage(c.client)
		if err != nil {
			return
		}
		command := msg.command()
		c.m.mu.Lock()
		judge := c.m.judge
		c.m.mu.Unlock()
		var what *Interference
		if judge != nil && command.Name != "" {
			what = judge(command)
		}
		switch {
		case what != nil && !what.After && what.Error == nil:
			return
		case what != nil && !what.After:
			if c.answer(msg.id(), what.Error) != nil {
				return
			}
			continue
		}
		c.mu.Lock()
		c.asked[msg.id()] = question{command: command.Name, after: what}
		c.mu.Unlock()
		if _, err := c.server.Write(msg); err != nil {
			return
		}
	}
}

// answers passes what the server says to the client.
func (c *conversation) answers() {
	defer c.end()
	for {
		msg, err := readMessage(c.server)
		c.m.mu.Lock()
		hear := c.m.hear
		c.m.mu.Unlock()
		if err != nil {
			if hear != nil && errors.Is(err, io.EOF) {
				c.unanswered(hear)
			}
			return
		}
		c.mu.Lock()
		q, known := c.asked[msg.to()]
		delete(c.asked, msg.to())
		c.mu.Unlock()
		if body := msg.command().Body; hear != nil && known && body != nil {
			hear(q.command, body)
		}
		switch {
		case q.after == nil:
			c.mu.Lock()
			_, err = c.client.Write(msg)
			c.mu.Unlock()
		case q.after.Error == nil:
			return
		default:
			err = c.answer(msg.to(), q.after.Error)
		}
		if err != nil {
			return
		}
	}
}

// unanswered tells of the commands that the server has left without an answer.
func (c *conversation) unanswered(hear func(command string, answer bson.Raw)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.asked {
		hear(q.command, nil)
	}
}

// answer sends the client a message in the server's place.
func (c *conversation) answer(to int32, body bson.D) error {
	raw, err := bson.Marshal(body)
	if err != nil {
		return err
	}
	msg := make(message, headerSize+5, headerSize+5+len(raw))
	binary.LittleEndian.PutUint32(msg[8:], uint32(to))
	binary.LittleEndian.PutUint32(msg[12:], opMsg)
	msg = append(msg, raw...)
	binary.LittleEndian.PutUint32(msg, uint32(len(msg)))
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err = c.client.Write(msg)
	return err
}
