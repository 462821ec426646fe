package web

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// dial opens a connection to the server that cannot hang the test.
func (w *world) dial() net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// raw sends bytes that no client library would, and reads one answer.
func (w *world) raw(request string) answer {
	w.t.Helper()
	conn := w.dial()
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		w.t.Fatal(err)
	}
	line, _, _ := strings.Cut(request, "\r\n")
	method, rest, _ := strings.Cut(line, " ")
	path, _, _ := strings.Cut(rest, " ")
	a, err := readAnswer(bufio.NewReader(conn), method)
	if err != nil {
		w.t.Fatalf("%q: %v", line, err)
	}
	for _, fault := range w.contract.check(method, path, a) {
		w.t.Errorf("%q is not as documented: %s\n%v", line, fault, a)
	}
	return a
}

func readAnswer(r *bufio.Reader, method string) (answer, error) {
	res, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if res.Close { // the reader takes the header away
		res.Header.Set("Connection", "close")
	}
	return answer{res.StatusCode, res.Header, body}, err
}
