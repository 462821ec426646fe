package mongotest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
)

const (
	headerSize = 16
	opMsg      = 2013
	maxMessage = 48_000_000
)

// message is one of MongoDB's wire protocol, whole: a header of four numbers
// (size, id, the id of what it answers, kind), and then, if its kind is opMsg,
// flags and sections.
type message []byte

func readMessage(r io.Reader) (message, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(header)
	if size < headerSize || size > maxMessage {
		return nil, errors.New("this is no message of MongoDB's")
	}
	msg := make(message, size)
	copy(msg, header)
	_, err := io.ReadFull(r, msg[headerSize:])
	return msg, err
}

func (m message) id() int32 { return int32(binary.LittleEndian.Uint32(m[4:])) }
func (m message) to() int32 { return int32(binary.LittleEndian.Uint32(m[8:])) }

// Command is what a message says: a command, or an answer, whose Name then tells
// nothing.
type Command struct {
	Name string // the key of the body's first field; empty for what is no command
	Body bson.Raw
	// Documents are those that the driver sends beside the body, as of an insert.
	Documents []bson.Raw
}

// command is empty for what is no opMsg, as the first words of a client.
func (m message) command() (c Command) {
	if binary.LittleEndian.Uint32(m[12:]) != opMsg {
		return c
	}
	for rest := m[headerSize+4:]; len(rest) > 5; {
		size := binary.LittleEndian.Uint32(rest[1:])
		if uint64(size) > uint64(len(rest)-1) {
			return Command{}
		}
		section := bytes.Clone(rest[1 : 1+size])
		switch rest[0] {
		case 0:
			c.Body = section
			first, err := c.Body.IndexErr(0)
			if err != nil {
				return Command{}
			}
			c.Name = first.Key()
		case 1: // its size, the name of the list, and the list
			_, list, _ := bytes.Cut(section[4:], []byte{0})
			c.Documents = documents(list)
		}
		rest = rest[1+size:]
	}
	return c
}

func documents(list []byte) (all []bson.Raw) {
	for len(list) >= 5 {
		size := binary.LittleEndian.Uint32(list)
		if size < 5 || uint64(size) > uint64(len(list)) {
			break
		}
		all = append(all, list[:size])
		list = list[size:]
	}
	return all
}
