package web

import (
	"fmt"
	"strings"
	"testing"
)

func TestDocumentsCRUD(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	path := "/v1/organizations/" + o.slug + "/documents"
	a := w.do("POST", path, o.token, `{"id":"my.own~id_1-2","type":"note","data":{"b":1,"a":{"x":[1,2.50,"é\u0000"]},"n":9007199254740993}}`)
	if a.status != 201 || a.header.Get("Location") != path+"/my.own~id_1-2" || a.header.Get("ETag") != `"1"` || a.field("revision") != "1" ||
		!strings.Contains(string(a.body), `"n":9007199254740993`) {
		t.Fatal(a)
	}
	at := a.header.Get("Location")
	if got := w.do("GET", at, o.token, nil); string(got.body) != string(a.body) || got.header.Get("ETag") != `"1"` {
		t.Error(got)
	}
	w.expect(w.do("POST", path, o.token, `{"id":"my.own~id_1-2","type":"note","data":{}}`), 409, "document_id_taken")
	if a := w.do("PUT", at, o.token, `{"data":{"a":1,"b":{"c":2,"d":3}}}`); a.status != 200 || a.field("type") != "note" || a.field("revision") != "2" || a.field("data") != `{"a":1,"b":{"c":2,"d":3}}` {
		t.Error(a)
	}
	if a := w.do("PUT", at, o.token, `{"type":"memo","data":{"a":1,"b":{"c":2,"d":3}}}`); a.field("type") != "memo" || a.header.Get("ETag") != `"3"` {
		t.Error(a)
	}
	if a := w.do("PATCH", at, o.token, `{"a":null,"b":{"c":null,"e":4},"f":[null]}`, header("Content-Type", "application/merge-patch+json")); a.status != 200 || a.field("data") != `{"b":{"d":3,"e":4},"f":[null]}` {
		t.Error(a)
	}
	if a := w.do("DELETE", at, o.token, nil); a.status != 204 || len(a.body) != 0 || a.header.Get("Content-Type") != "" {
		t.Error(a)
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
		var body any
		if method == "PUT" || method == "PATCH" {
			body = `{"data":{}}`
		}
		w.expect(w.do(method, at, o.token, body), 404, "document_not_found")
		w.expect(w.do(method, path+"/never%2Fwas", o.token, body), 404, "document_not_found")
	}
	for body, where := range map[string]string{
		`{"type":"note"}`: "data", `{"data":{}}`: "type", `{"type":"no type","data":{}}`: "type", `{"type":"a","data":[]}`: "data",
		`{"type":"a","data":null}`: "data", `{"type":"a","data":{},"id":"a/b"}`: "id", `{"type":7,"data":{}}`: "type",
		`{"type":"a","data":{"n":1e999}}`: "data", `{"type":"a","data":{"n":99999999999999999999}}`: "data",
	} {
		a := w.do("POST", path, o.token, body)
		if a.status != 422 || a.field("errors.0.location") != where {
			t.Errorf("%s: got %v, want a fault at %s", body, a, where)
		}
	}
}

func TestDocumentsList(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	path := "/v1/organizations/" + o.slug + "/documents"
	for i := range 7 {
		if a := w.do("POST", path, o.token, fmt.Sprintf(`{"id":"d%d","type":"t%d","data":{"i":%d}}`, i, i%2, i)); a.status != 201 {
			t.Fatal(a)
		}
	}
	walk := func(query string) string {
		t.Helper()
		var got []string
		for cursor := ""; ; {
			a := w.do("GET", path+"?limit=3"+query+cursor, o.token, nil)
			if a.status != 200 {
				t.Fatal(a)
			}
			for i := range 4 {
				if id := a.field(fmt.Sprintf("items.%d.id", i)); id != "" {
					got = append(got, id)
				}
			}
			if a.field("next_cursor") == "" {
				return strings.Join(got, " ")
			}
			cursor = "&cursor=" + a.field("next_cursor")
		}
	}
	for query, want := range map[string]string{
		"": "d0 d1 d2 d3 d4 d5 d6", "&type=t0": "d0 d2 d4 d6", "&type=t1": "d1 d3 d5", "&type=none": "",
	} {
		if got := walk(query); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
	a := w.do("GET", path+"?type=none", o.token, nil)
	if string(a.body) != `{"items":[]}` {
		t.Error(a)
	}
}
