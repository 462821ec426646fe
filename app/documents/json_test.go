package documents

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"tenantry/app"
)

func nested(depth int, inner string) string {
	return strings.Repeat(`{"a":`, depth) + inner + strings.Repeat("}", depth)
}

// TestCompactKeeps has what comes back byte for byte, but for white space.
func TestCompactKeeps(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", ` { } `, `{}`},
		{"white space between tokens", "\t{\r\n \"a\" : [ 1 , 2 ] }\n", `{"a":[1,2]}`},
		{"white space in text", `{" a ":"  b\t "}`, `{" a ":"  b\t "}`},
		{"order of keys", `{"z":1,"a":2,"Z":3}`, ``},
		{"keys that differ in case", `{"a":1,"A":2}`, ``},
		{"keys that differ in normal form", "{\"\u00e9\":1,\"e\u0301\":2}", ``},
		{"keys of a database", `{"$set":{"a.b":1},"_id":2,"":3}`, ``},
		{"one key in two objects", `{"a":{"a":[{"a":1},{"a":2}]}}`, ``},
		{"spelling of text", `{"a":"\u0041\/\n\u00e9é\ud83d\ude00😀"}`, ``},
		{"NUL in text", `{"a":"b\u0000c"}`, ``},
		{"line separators", "{\"a\":\"\u2028\u2029\ufeff\"}", ``},
		{"spelling of numbers", `{"a":[0,-0,1.0,1.10,1e5,1E+5,-0.0,5e-324,1e308]}`, ``},
		{"largest integers", `{"a":[9223372036854775807,-9223372036854775808]}`, ``},
		{"what is not there", `{"a":null}`, ``},
		{"90 deep", nested(90, "1"), ``},
		{"90 deep with lists", `{"a":` + strings.Repeat("[", 89) + strings.Repeat("]", 89) + "}", ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = tt.in
			}
			in := []byte(tt.in)
			got, err := Compact("data", in)
			if err != nil || string(got) != want {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
			if string(in) != tt.in {
				t.Errorf("the input has become %s", in)
			}
		})
	}
}

func TestCompactRefuses(t *testing.T) {
	tests := []struct{ name, in, code string }{
		{"nothing", "", "not_an_object"},
		{"white space", " \n", "not_an_object"},
		{"null", "null", "not_an_object"},
		{"list", "[]", "not_an_object"},
		{"text", `"a"`, "not_an_object"},
		{"number", "1", "not_an_object"},
		{"byte order mark", "\ufeff{}", "not_an_object"},
		{"something after it", `{} {}`, "invalid_json"},
		{"garbage after it", `{}x`, "invalid_json"},
		{"end too early", `{"a":1`, "invalid_json"},
		{"end in text", `{"a":"b`, "invalid_json"},
		{"trailing comma", `{"a":1,}`, "invalid_json"},
		{"comment", `{/**/}`, "invalid_json"},
		{"key without quotes", `{a:1}`, "invalid_json"},
		{"single quotes", `{'a':1}`, "invalid_json"},
		{"NaN", `{"a":NaN}`, "invalid_json"},
		{"Infinity", `{"a":-Infinity}`, "invalid_json"},
		{"leading zero", `{"a":01}`, "invalid_json"},
		{"plus", `{"a":+1}`, "invalid_json"},
		{"raw control character", "{\"a\":\"\x01\"}", "invalid_json"},
		{"raw NUL", "{\"a\":\"\x00\"}", "invalid_json"},
		{"raw NUL between tokens", "{\x00}", "invalid_json"},
		{"invalid UTF-8 in text", "{\"a\":\"\xff\"}", "invalid_json"},
		{"invalid UTF-8 in a key", "{\"\xc3\":1}", "invalid_json"},
		{"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", "invalid_json"},
		{"half a surrogate pair", `{"a":"\ud800"}`, "invalid_json"},
		{"halves in wrong order", `{"a":"\udc00\ud800"}`, "invalid_json"},
		{"unknown escape", `{"a":"\x41"}`, "invalid_json"},
		{"key twice", `{"a":1,"a":1}`, "invalid_json"},
		{"key twice in other spelling", `{"a":1,"\u0061":2}`, "invalid_json"},
		{"key twice in depth", nested(50, `{"b":1,"c":[{"d":1,"d":2}]}`), "invalid_json"},
		{"key twice far apart", `{"a":1,` + filler(2000) + `,"a":2}`, "invalid_json"},
		{"91 deep", nested(91, "1"), "too_deep"},
		{"91 deep with lists", `{"a":` + strings.Repeat("[", 90) + strings.Repeat("]", 90) + "}", "too_deep"},
		{"100,000 deep", nested(100_000, "1"), "too_deep"},
		{"100,000 deep and never closed", strings.Repeat(`{"a":`, 100_000), "too_deep"},
		{"NUL in a key", `{"a\u0000b":1}`, "invalid_key"},
		{"NUL in a key in depth", `{"a":[{"\u0000":1}]}`, "invalid_key"},
		{"integer too large", `{"a":9223372036854775808}`, "number_out_of_range"},
		{"integer too small", `{"a":-9223372036854775809}`, "number_out_of_range"},
		{"integer of a million digits", `{"a":` + strings.Repeat("9", 1_000_000) + `}`, "number_out_of_range"},
		{"1e400", `{"a":{"b":[1e400]}}`, "number_out_of_range"},
		{"-1e309", `{"a":-1e309}`, "number_out_of_range"},
		{"exponent out of all bounds", `{"a":1e99999999999}`, "number_out_of_range"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Compact("data", []byte(tt.in))
			var fields app.FieldErrors
			if !errors.As(err, &fields) || len(fields) != 1 || fields[0].Location != "data" || fields[0].Code != tt.code || got != nil {
				t.Fatalf("got %.60q, %v, want %s", got, err, tt.code)
			}
			if n := len(fields[0].Message); n == 0 || n > 400 || !utf8.ValidString(fields[0].Message) {
				t.Errorf("the message is %d long: %.500q", n, fields[0].Message)
			}
		})
	}
}

func filler(keys int) string {
	list := make([]string, keys)
	for i := range list {
		list[i] = fmt.Sprintf(`"k%d":{"a":1}`, i)
	}
	return strings.Join(list, ",")
}

// TestCompactsMessagesStayShort: a key can be megabytes long.
func TestCompactsMessagesStayShort(t *testing.T) {
	for _, in := range []string{
		`{"` + strings.Repeat("é", 1<<20) + `":1e400}`,
		`{"` + strings.Repeat("k", 1<<20) + `":1,"` + strings.Repeat("k", 1<<20) + `":1}`,
		`{"` + strings.Repeat("k", 1<<20) + `\u0000":1}`,
	} {
		_, err := Compact("data", []byte(in))
		if err == nil || len(err.Error()) > 400 || !utf8.ValidString(err.Error()) {
			t.Errorf("got %.500q", err)
		}
	}
	_, err := Compact("data", []byte(`{"price":[{"net":1e400}]}`))
	if err == nil || !strings.Contains(err.Error(), "/price/0/net") {
		t.Errorf("%v does not say where", err)
	}
}

func FuzzCompact(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"\ud800":1}`, `{"a":1e400}`, nested(91, "1"), `{"a":-0}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Compact("data", in)
		if err != nil {
			if !errors.Is(err, app.ErrInvalid) || got != nil {
				t.Fatalf("%q: %q, %v", in, got, err)
			}
			return
		}
		if !json.Valid(got) || !utf8.Valid(got) || len(got) > len(in) || got[0] != '{' {
			t.Fatalf("%q passes as %q", in, got)
		}
		again, err := Compact("data", got)
		if err != nil || string(again) != string(got) {
			t.Fatalf("%q compacts to %q and that to %q, %v", in, got, again, err)
		}
	})
}

// FuzzCursor: whatever somebody sends as a cursor is refused or names an id.
func FuzzCursor(f *testing.F) {
	f.Add("acme", "note", encodeCursor("acme", "note", "a"))
	f.Add("acme", "", encodeCursor("other", "", "a"))
	f.Add("acme", "", "e30")
	f.Fuzz(func(t *testing.T, org, typ, s string) {
		after, err := decodeCursor(app.OrganizationID(org), typ, s)
		if err != nil {
			if after != "" || !errors.Is(err, app.ErrInvalid) {
				t.Fatalf("%q: %q, %v", s, after, err)
			}
			return
		}
		if _, err := app.ParseDocumentID(string(after)); err != nil {
			t.Fatalf("%q gives %q", s, after)
		}
	})
}
