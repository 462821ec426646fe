package identity

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
)

//go:embed commonpasswords/list.txt.gz
var commonPasswordsGzip []byte

// commonPasswords is the list of common passwords, unpacked when it is first
// asked: most starts of the program check no password.
type commonPasswords struct {
	once sync.Once
	// text has one password a line in order of bytes, with a line end before the
	// first: 85 KB, a tenth of what a map of them takes.
	text string
}

// common is read from the embedded list at the first question.
var common commonPasswords

func (c *commonPasswords) contains(password string) bool {
	c.once.Do(c.unpack)
	if strings.ContainsAny(password, "\n") {
		return false
	}
	// Search by position: from any place, the line there begins after the last
	// line end before it.
	line := func(at int) (begin, end int) {
		begin = strings.LastIndexByte(c.text[:at+1], '\n') + 1
		end = begin + strings.IndexByte(c.text[begin:], '\n')
		return begin, end
	}
	at := sort.Search(len(c.text)-1, func(at int) bool {
		begin, end := line(at)
		return c.text[begin:end] >= password
	})
	if at >= len(c.text)-1 {
		return false
	}
	begin, end := line(at)
	return c.text[begin:end] == password
}

func (c *commonPasswords) unpack() {
	r, err := gzip.NewReader(bytes.NewReader(commonPasswordsGzip))
	if err == nil {
		var raw []byte
		if raw, err = io.ReadAll(r); err == nil {
			c.text = "\n" + string(raw)
			return
		}
	}
	// The list is part of the binary, and a test unpacks it.
	panic(fmt.Sprintf("identity: the embedded list of common passwords: %v", err))
}
