package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func indented(t *testing.T, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}

func TestOpenAPIGolden(t *testing.T) {
	w := newWorld(t)
	got := indented(t, w.do("GET", "/openapi.json", "", nil).body)
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the contract has changed: look at the difference after go test ./web -run OpenAPIGolden -update")
	}
}

var pathParameter = regexp.MustCompile(`:([a-z]+)`)

// Every route that the server answers is in the document, and the other way
// round, but for the documentation page itself.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	for _, compat := range []bool{true, false} {
		w := newWorld(t, func(s *settings) { s.opts.CompatEnabled = compat })
		served := map[string]bool{}
		for _, r := range w.server.app.GetRoutes() {
			path := pathParameter.ReplaceAllString(r.Path, "{$1}")
			if strings.HasPrefix(path, "/docs") {
				continue
			}
			served[r.Method+" "+path] = true
		}
		documented := map[string]bool{}
		for path, item := range w.contract.paths {
			for method := range item.(object) {
				documented[strings.ToUpper(method)+" "+path] = true
			}
		}
		for route := range served {
			method, path, _ := strings.Cut(route, " ")
			if method == http.MethodHead {
				method = http.MethodGet
			}
			if !documented[method+" "+path] {
				t.Errorf("compat %v: %s is served and not documented", compat, route)
			}
		}
		for route := range documented {
			if !served[route] {
				t.Errorf("compat %v: %s is documented and not served", compat, route)
			}
		}
		if documented["POST /admin/login"] != compat || documented["GET /health"] != compat {
			t.Errorf("compat %v: the seed's routes are wrong", compat)
		}
	}
}

// TestOpenAPIIsValid checks what the specification (3.1.0, section 4.8) asks
// for and our document uses.
func TestOpenAPIIsValid(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.opts.PublicURL = "https://orgs.example.com" })
	var doc object
	if err := json.Unmarshal(w.do("GET", "/openapi.json", "", nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	if doc["openapi"] != "3.1.0" || doc["info"].(object)["title"] == "" || doc["info"].(object)["version"] == "" {
		t.Error("wrong head:", doc["openapi"], doc["info"])
	}
	tags := map[any]bool{}
	for _, tag := range doc["tags"].(list) {
		tags[tag.(object)["name"]] = true
	}
	components := doc["components"].(object)
	ids := map[any]bool{}
	for path, item := range doc["paths"].(object) {
		if !strings.HasPrefix(path, "/") {
			t.Error("path", path)
		}
		for method, o := range item.(object) {
			op := o.(object)
			at := method + " " + path
			if id := op["operationId"]; id == nil || ids[id] {
				t.Errorf("%s: operationId %v is missing or stands twice", at, id)
			}
			ids[op["operationId"]] = true
			for _, tag := range op["tags"].(list) {
				if !tags[tag] {
					t.Errorf("%s: tag %v is not declared", at, tag)
				}
			}
			checkParameters(t, at, path, op)
			responses := op["responses"].(object)
			if len(responses) == 0 {
				t.Error(at, "has no responses")
			}
			for status, r := range responses {
				if !regexp.MustCompile(`^([1-5]\d\d|default)$`).MatchString(status) || r.(object)["description"] == nil {
					t.Error(at, "response", status, r)
				}
			}
			if body, ok := op["requestBody"].(object); ok && (body["content"] == nil || method == "get") {
				t.Error(at, "request body", body)
			}
			security, _ := op["security"].(list)
			for _, requirement := range security {
				for scheme := range requirement.(object) {
					if components["securitySchemes"].(object)[scheme] == nil {
						t.Error(at, "names the unknown security scheme", scheme)
					}
				}
			}
		}
	}
	checkReferences(t, doc)
}

func checkParameters(t *testing.T, at, path string, op object) {
	t.Helper()
	var inPath []string
	seen := map[string]bool{}
	parameters, _ := op["parameters"].(list)
	for _, p := range parameters {
		p := p.(object)
		key := p["in"].(string) + " " + p["name"].(string)
		if seen[key] || p["schema"] == nil {
			t.Errorf("%s: parameter %s stands twice or has no schema", at, key)
		}
		seen[key] = true
		switch p["in"] {
		case "path":
			inPath = append(inPath, p["name"].(string))
			if required, _ := p["required"].(bool); !required {
				t.Errorf("%s: path parameter %v is not required", at, p["name"])
			}
		case "query", "header":
		default:
			t.Errorf("%s: parameter in %v", at, p["in"])
		}
	}
	var want []string
	for _, m := range regexp.MustCompile(`{(\w+)}`).FindAllStringSubmatch(path, -1) {
		want = append(want, m[1])
	}
	slices.Sort(want)
	slices.Sort(inPath)
	if !slices.Equal(want, inPath) {
		t.Errorf("%s: path parameters %v, documented %v", at, want, inPath)
	}
}

// checkReferences wants every $ref to lead somewhere and every schema to be
// led to.
func checkReferences(t *testing.T, doc object) {
	t.Helper()
	const prefix = "#/components/schemas/"
	schemas := doc["components"].(object)["schemas"].(object)
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, member := range v {
				walk(member)
			}
		case object:
			if ref, ok := v["$ref"].(string); ok {
				name, ours := strings.CutPrefix(ref, prefix)
				if !ours || schemas[name] == nil {
					t.Error("leads nowhere:", ref)
				}
				used[name] = true
			}
			for _, member := range v {
				walk(member)
			}
		}
	}
	walk(doc)
	for name := range schemas {
		if !used[name] {
			t.Error("nothing uses the schema", name)
		}
	}
}

// What Huma would make of the Host header is an attacker's to choose.
func TestNothingIsMadeOfTheHostHeader(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	doc := w.document(o, `{"a":1}`)
	evil := func(r *http.Request) {
		r.Host = "evil.example"
		r.Header.Set("X-Forwarded-Host", "evil.example")
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("Forwarded", "host=evil.example;proto=https")
	}
	for _, path := range []string{
		"/", "/docs", "/openapi.json", "/healthz", "/v1/organizations/" + o.slug, "/v1/organizations", doc, "/nowhere", "/errors", "/v1/me",
	} {
		a := w.do("GET", path, o.token, nil, evil)
		if strings.Contains(a.String(), "evil") || strings.Contains(string(a.body), "$schema") || a.header.Get("Link") != "" {
			t.Error(path, a)
		}
	}
	a := w.do("POST", "/v1/organizations", w.operator, `{"name":"Hosted","owner":{"email":"hosted@x.example","password":"correct-horse-battery"}}`, evil)
	if a.status != 201 || strings.Contains(a.String(), "evil") || !strings.HasPrefix(a.header.Get("Location"), "/v1/organizations/") {
		t.Error(a)
	}
	public := newWorld(t, func(s *settings) { s.opts.PublicURL = "https://orgs.example.com" })
	o = public.tenant()
	a = public.do("POST", "/v1/organizations/"+o.slug+"/documents", o.token, `{"type":"a","data":{}}`, evil)
	if !strings.HasPrefix(a.header.Get("Location"), "https://orgs.example.com/v1/organizations/") {
		t.Error(a)
	}
}
