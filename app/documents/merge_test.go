package documents

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMergeOfTheRFC has the examples of RFC 7396, appendix A, whose target and
// patch are objects, and that of its section 3.
func TestMergeOfTheRFC(t *testing.T) {
	tests := []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{
			`{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}`,
			`{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}`,
			`{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"}`,
		},
	}
	for _, tt := range tests {
		got, err := Merge([]byte(tt.target), []byte(tt.patch))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s with %s: got %s, %v, want %s", tt.target, tt.patch, got, err, tt.want)
		}
	}
}

func TestMergeKeepsWhatItDoesNotTouch(t *testing.T) {
	tests := []struct{ name, target, patch, want string }{
		{"order", `{"z":1,"a":2,"m":3}`, `{"b":4,"a":5}`, `{"z":1,"a":5,"m":3,"b":4}`},
		{"spelling of numbers", `{"a":1.0e+2,"b":-0}`, `{"c":1E5}`, `{"a":1.0e+2,"b":-0,"c":1E5}`},
		{"spelling of text", `{"a":"\u00e9\/"}`, `{"b":"\u00e9"}`, `{"a":"\u00e9\/","b":"\u00e9"}`},
		{"keys as they are meant", `{"a":1}`, `{"\u0061":2}`, `{"a":2}`},
		{"key without name", `{"":1}`, `{"":null}`, `{}`},
		{"null inside of a list", `{}`, `{"a":[null,{"b":null}]}`, `{"a":[null,{"b":null}]}`},
		{"null where nothing is", `{"a":1}`, `{"b":null}`, `{"a":1}`},
		{"all away", `{"a":1,"b":2}`, `{"a":null,"b":null}`, `{}`},
		{"first away", `{"a":1,"b":2}`, `{"a":null,"c":{}}`, `{"b":2,"c":{}}`},
		{"object for a list", `{"a":[1]}`, `{"a":{"b":1,"c":null}}`, `{"a":{"b":1}}`},
		{"object for null", `{"a":null}`, `{"a":{"b":{"c":null}}}`, `{"a":{"b":{}}}`},
		{"nothing", `{"a":{"b":null}}`, `{}`, `{"a":{"b":null}}`},
		{"names that a language gives a meaning", `{"__proto__":1}`, `{"__proto__":{"x":1},"constructor":2}`, `{"__proto__":{"x":1},"constructor":2}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Merge([]byte(tt.target), []byte(tt.patch))
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

// TestMergeIsLinear merges what took minutes, in the writer of a file, when
// each key was looked for in a list.
func TestMergeIsLinear(t *testing.T) {
	const keys = 100_000
	object := func(value string) []byte {
		b := []byte{'{'}
		for i := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `"k%d":%s`, i, value)
		}
		return append(b, '}')
	}
	got, err := Merge(object("1"), object("2"))
	if err != nil || string(got) != string(object("2")) {
		t.Fatal("many keys: ", err)
	}
	if got, err = Merge(object("1"), object("null")); err != nil || string(got) != "{}" {
		t.Fatal("many removals: ", err)
	}
	deep := func(value string) []byte {
		return []byte(strings.Repeat(`{"a":`, maxDepth) + value + strings.Repeat("}", maxDepth))
	}
	long := `"` + strings.Repeat("x", 1<<20) + `"`
	if got, err = Merge(deep(long), deep("1")); err != nil || string(got) != string(deep("1")) {
		t.Fatal("deep: ", err)
	}
}

// mergePatch is the algorithm as section 2 of the RFC puts it.
func mergePatch(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = map[string]any{}
	}
	for name, value := range p {
		if value == nil {
			delete(t, name)
		} else {
			t[name] = mergePatch(t[name], value)
		}
	}
	return t
}

// checkMerge compares with the RFC's algorithm.
func checkMerge(t failer, target, patch []byte) {
	t.Helper()
	got, err := Merge(target, patch)
	if err != nil {
		t.Fatalf("%s with %s: %v", target, patch, err)
	}
	compact, err := Compact("data", got)
	if err != nil || string(compact) != string(got) {
		t.Fatalf("%s with %s gives %s, which is not compact JSON: %v", target, patch, got, err)
	}
	a, b, c := decoded(t, target), decoded(t, patch), decoded(t, got)
	if want := mergePatch(a, b); !reflect.DeepEqual(c, want) {
		t.Fatalf("%s with %s: got %s, want %v", target, patch, got, want)
	}
	again, err := Merge(got, patch)
	if err != nil || string(again) != string(got) {
		t.Fatalf("%s patched twice with %s: %s and %s, %v", target, patch, got, again, err)
	}
}

func decoded(t failer, raw []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// object draws a JSON object whose keys are likely to meet another's.
func object(depth int) *rapid.Generator[string] {
	key := rapid.SampledFrom([]string{`"a"`, `"b"`, `"c"`, `"\u0061"`, `""`, `"é"`})
	leaf := rapid.SampledFrom([]string{"null", "1", `"x"`, "true", "[]", `[null,{"a":null}]`, "{}", "-0.5e3"})
	return rapid.Custom(func(t *rapid.T) string {
		seen := map[string]bool{}
		var fields []string
		for range rapid.IntRange(0, 4).Draw(t, "fields") {
			k := key.Draw(t, "key")
			meant := strings.ReplaceAll(k, `\u0061`, "a")
			if seen[meant] {
				continue
			}
			seen[meant] = true
			var value string
			if depth > 0 && rapid.Bool().Draw(t, "nest") {
				value = object(depth-1).Draw(t, "object")
			} else {
				value = leaf.Draw(t, "leaf")
			}
			fields = append(fields, k+":"+value)
		}
		return "{" + strings.Join(fields, ",") + "}"
	})
}

func TestMergeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkMerge(t, []byte(object(3).Draw(t, "target")), []byte(object(3).Draw(t, "patch")))
	})
}

func FuzzMerge(f *testing.F) {
	f.Add(`{"a":{"b":1}}`, `{"a":{"b":null,"c":{"d":null}}}`)
	f.Add(`{"a":[]}`, `{"\u0061":{}}`)
	f.Fuzz(func(t *testing.T, target, patch string) {
		a, err := Compact("data", []byte(target))
		if err != nil {
			return
		}
		b, err := Compact("data", []byte(patch))
		if err != nil {
			return
		}
		checkMerge(t, a, b)
	})
}
