package web

import (
	"io"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Huma would take names in any case, which the reader below then passes over: a
// limit that its caller has set would not be there. This is its only switch.
func init() { huma.ValidateStrictCasing = true }

// jsonFormat is how Huma reads and writes JSON: strictly (names compare
// exactly, none twice, all text UTF-8), and what is answered most is written
// without reflection.
var jsonFormat = huma.Format{Marshal: writeJSON, Unmarshal: readJSON}

// appender writes itself as JSON. A test holds it to what the tags say.
type appender interface{ appendJSON(b []byte) []byte }

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// maxPooled keeps one large answer from staying in memory for ever.
const maxPooled = 64 << 10

func writeJSON(w io.Writer, v any) error {
	a, ok := v.(appender)
	if !ok {
		return json.MarshalWrite(w, v, jsontext.EscapeForHTML(false))
	}
	buf, _ := buffers.Get().(*[]byte)
	*buf = a.appendJSON((*buf)[:0])
	_, err := w.Write(*buf)
	if cap(*buf) <= maxPooled {
		buffers.Put(buf)
	}
	return err
}

func readJSON(data []byte, v any) error { return json.Unmarshal(data, v) }

// appendAny writes what needs no speed. What is not UTF-8 is replaced.
func appendAny(b []byte, v any) []byte {
	raw, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		panic(err) // our own types always marshal
	}
	return append(b, raw...)
}

// timeFormat is RFC 3339 in UTC with milliseconds, always.
const timeFormat = "2006-01-02T15:04:05.000Z"

func formatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// formatOptional gives nil for the zero time.
func formatOptional(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := formatTime(t)
	return &s
}

// appendTime writes what formatTime gives, in quotes, without reading the
// layout each time. A test holds the two together.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return appendString(b, t.Format(timeFormat))
	}
	b = append(b, '"')
	b = appendDigits(b, year, 1000)
	b = append(b, '-')
	b = appendDigits(b, int(month), 10)
	b = append(b, '-')
	b = appendDigits(b, day, 10)
	b = append(b, 'T')
	b = appendDigits(b, hour, 10)
	b = append(b, ':')
	b = appendDigits(b, minute, 10)
	b = append(b, ':')
	b = appendDigits(b, second, 10)
	b = append(b, '.')
	b = appendDigits(b, t.Nanosecond()/int(time.Millisecond), 100)
	return append(b, 'Z', '"')
}

// appendDigits writes n with leading zeros, from the digit worth unit on.
func appendDigits(b []byte, n, unit int) []byte {
	for ; unit > 0; unit /= 10 {
		b = append(b, byte('0'+n/unit%10))
	}
	return b
}

// Object is any JSON object, kept as it was sent.
type Object []byte

// MarshalJSON gives the bytes.
func (o Object) MarshalJSON() ([]byte, error) { return o, nil }

// UnmarshalJSON keeps the bytes.
func (o *Object) UnmarshalJSON(b []byte) error {
	*o = append((*o)[:0], b...)
	return nil
}

// Schema describes it in OpenAPI.
func (Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}
