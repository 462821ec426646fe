package mongotest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Lack is something that MongoDB has, and some that speak its protocol have not.
type Lack string

const (
	Transactions   Lack = "transactions"
	ChangeStreams  Lack = "change streams"
	Validators     Lack = "validators"
	PartialIndexes Lack = "partial indexes"
	Indexes        Lack = "indexes"
	Joins          Lack = "joins"
	BulkWrite      Lack = "bulkWrite"
	RetryableWrite Lack = "retryable writes"
)

// Everything is all that one can do without.
var Everything = []Lack{Transactions, ChangeStreams, Validators, PartialIndexes, Joins, BulkWrite}

// answers are the codes that servers refuse a command with that has something
// they lack. MongoDB's own, where it is a kind of server of its that lacks it.
var answers = map[Lack]int32{
	Transactions: 20, ChangeStreams: 40573, Validators: 115, PartialIndexes: 238,
	Indexes: 59, Joins: 40324, BulkWrite: 59, RetryableWrite: 20,
}

// asksFor reports whether a command needs it.
func (l Lack) asksFor(name string, command bson.Raw) bool {
	has := func(key ...string) bool { _, err := command.LookupErr(key...); return err == nil }
	mentions := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(command.String(), `"`+word+`"`) {
				return true
			}
		}
		return false
	}
	switch l {
	case Transactions:
		return has("autocommit") // each command of one has it
	case ChangeStreams:
		return name == "aggregate" && mentions("$changeStream")
	case Validators:
		return name == "collMod" || name == "create" && has("validator")
	case PartialIndexes:
		return name == "createIndexes" && mentions("partialFilterExpression")
	case Indexes:
		return name == "createIndexes"
	case Joins:
		return name == "aggregate" && mentions("$lookup", "$unionWith")
	case BulkWrite:
		return name == "bulkWrite"
	case RetryableWrite:
		return has("txnNumber") && !has("autocommit")
	}
	return false
}

// Lacking is a server like this one that lacks some things: what needs them is
// refused on the way. It ends with the test.
func (s *Server) Lacking(t testing.TB, things ...Lack) *Server {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &middleman{to: s.Address(), things: things, open: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = listener.Close(); m.end() })
	go m.serve(listener)
	return &Server{Kind: s.Kind, URI: "mongodb://" + listener.Addr().String() + "/?directConnection=true", client: s.client, own: s.own}
}

type middleman struct {
	to     string
	things []Lack

	mu    sync.Mutex
	open  map[net.Conn]bool
	ended bool
}

// keep notes a connection that ends with the middleman.
func (m *middleman) keep(c net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.ended {
		m.open[c] = true
	}
	return !m.ended
}

func (m *middleman) drop(c net.Conn) {
	_ = c.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, c)
}

func (m *middleman) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	for c := range m.open {
		_ = c.Close()
	}
}

func (m *middleman) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go m.between(client)
	}
}

// between passes messages on. A client of the driver has one command on its way
// at a time, so that an answer of our own comes in its turn.
func (m *middleman) between(client net.Conn) {
	defer m.drop(client)
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", m.to)
	if err != nil {
		return
	}
	defer m.drop(server)
	if !m.keep(client) || !m.keep(server) {
		return
	}
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	for {
		message, err := readMessage(client)
		if err != nil {
			return
		}
		to, out := server, message
		if answer := m.refuse(message); answer != nil {
			to, out = client, answer
		}
		if _, err := to.Write(out); err != nil {
			return
		}
	}
}

// A message is a head of length, id, the id that it answers, and a code; and in
// one of the code opMsg, flags and sections, the first of which is the command
// as the driver writes it. See "MongoDB Wire Protocol" in the manual.
const (
	headLength = 16
	opMsg      = 2013
	beforeBody = headLength + 4 + 1 // flags, and the kind of the section
	largest    = 64 << 20
)

func readMessage(from io.Reader) ([]byte, error) {
	head := make([]byte, headLength)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(head)
	if length < headLength || length > largest {
		return nil, errors.New("not a message")
	}
	message := append(head, make([]byte, length-headLength)...)
	_, err := io.ReadFull(from, message[headLength:])
	return message, err
}

// refuse is the answer to a command that needs what is lacking, or nil.
func (m *middleman) refuse(message []byte) []byte {
	if len(message) < beforeBody || binary.LittleEndian.Uint32(message[12:]) != opMsg || message[beforeBody-1] != 0 {
		return nil
	}
	command, rest, ok := readDocument(message[beforeBody:])
	if !ok {
		return nil
	}
	elements, err := command.Elements()
	if err != nil || len(elements) == 0 {
		return nil
	}
	name := elements[0].Key()
	for len(rest) > 5 { // a list of documents of the command's, under its name
		var one bson.Raw
		size := binary.LittleEndian.Uint32(rest[1:])
		if rest[0] != 1 || int(size) > len(rest)-1 {
			break
		}
		_, documents, _ := strings.Cut(string(rest[5:1+size]), "\x00")
		if one, _, ok = readDocument([]byte(documents)); ok && name == "createIndexes" {
			command = one
		}
		rest = rest[1+size:]
	}
	for _, lack := range m.things {
		if lack.asksFor(name, command) {
			return refusal(message, answers[lack], string(lack))
		}
	}
	return nil
}

func readDocument(from []byte) (document bson.Raw, rest []byte, ok bool) {
	if len(from) < 5 {
		return nil, nil, false
	}
	length := binary.LittleEndian.Uint32(from)
	if length < 5 || int(length) > len(from) {
		return nil, nil, false
	}
	return bson.Raw(from[:length]), from[length:], true
}

func refusal(to []byte, code int32, what string) []byte {
	body, err := bson.Marshal(bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: code}, {Key: "errmsg", Value: "this server has no " + what}})
	if err != nil {
		panic(err)
	}
	answer := make([]byte, beforeBody, beforeBody+len(body))
	binary.LittleEndian.PutUint32(answer, uint32(beforeBody+len(body)))
	copy(answer[8:12], to[4:8])
	binary.LittleEndian.PutUint32(answer[12:], opMsg)
	return append(answer, body...)
}
