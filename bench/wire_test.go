package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// command is a message as a driver sends it.
func command(t *testing.T, d bson.D) []byte {
	t.Helper()
	body, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	m := make([]byte, headSize+5, headSize+5+len(body))
	binary.LittleEndian.PutUint32(m[12:], opMessage)
	m = append(m, body...)
	binary.LittleEndian.PutUint32(m, uint32(len(m)))
	return m
}

func TestWireCountsAndHandsOn(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = target.Close() }()
	go func() {
		for {
			conn, err := target.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }() // says what it hears
		}
	}()
	w, err := watchWire(t.Context(), target.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	send := func(d bson.D) {
		t.Helper()
		m := command(t, d)
		if _, err := conn.Write(m); err != nil {
			t.Fatal(err)
		}
		back := make([]byte, len(m))
		if _, err := io.ReadFull(conn, back); err != nil || !bytes.Equal(back, m) {
			t.Fatalf("came back as %q (%v)", back, err)
		}
	}
	for _, d := range []bson.D{
		{{Key: "hello", Value: 1}},
		{{Key: "find", Value: "things"}, {Key: "filter", Value: bson.D{}}},
		{{Key: "bulkWrite", Value: 1}},
		{{Key: "commitTransaction", Value: 1}},
		{{Key: "getMore", Value: int64(7)}, {Key: "collection", Value: "$cmd.aggregate"}},
		{{Key: "aggregate", Value: 1}, {Key: "pipeline", Value: bson.A{bson.D{{Key: "$changeStream", Value: bson.D{}}}}}},
		{{Key: "aggregate", Value: "things"}},
	} {
		send(d)
	}
	got := w.take()
	if want := []string{"find things", "bulkWrite", "aggregate things"}; !slices.Equal(got.acts, want) || got.commits != 1 || got.feed != 2 {
		t.Errorf("counted %+v", got)
	}
	if again := w.take(); len(again.acts)+again.commits+again.feed != 0 {
		t.Errorf("counted twice: %+v", again)
	}
}

func TestCommandsThatAreNone(t *testing.T) {
	whole := command(t, bson.D{{Key: "find", Value: "things"}})
	for n := range len(whole) - 1 {
		if name, about := commandOf(whole[:n]); name+about == "find things" {
			t.Errorf("read from %d of %d bytes", n, len(whole))
		}
	}
	for _, size := range []uint32{0, headSize - 1, maxSize + 1, 1 << 31} {
		var head [headSize]byte
		binary.LittleEndian.PutUint32(head[:], size)
		if _, err := readMessage(bytes.NewReader(head[:])); err == nil {
			t.Errorf("a message of %d bytes was taken", size)
		}
	}
}
