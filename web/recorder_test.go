package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// recorder holds every answer that a test gets to what /openapi.json promises,
// and remembers which promises were seen kept.
type recorder struct {
	mu   sync.Mutex
	seen map[string]bool // "GET /path 200"
}

var recorded = recorder{seen: map[string]bool{}}

func (r *recorder) saw(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[key] = true
}

// TestMain demands of a whole run that every operation succeeded and failed at
// least once before the recorder's eyes.
func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	whole := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" &&
		flag.Lookup("test.fuzz").Value.String() == "" && flag.Lookup("test.list").Value.String() == ""
	if status == 0 && whole {
		for _, unseen := range recorded.missing() {
			fmt.Println("no test got the answer:", unseen)
			status = 1
		}
	}
	os.Exit(status)
}

// missing gives the documented answers that no test has seen.
func (r *recorder) missing() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	// By the golden file, which another test holds to the server.
	raw, err := os.ReadFile("testdata/openapi.json")
	if err != nil {
		return []string{err.Error()}
	}
	var doc object
	if err := json.Unmarshal(raw, &doc); err != nil {
		return []string{err.Error()}
	}
	var missing []string
	for path, item := range doc["paths"].(object) {
		for method, op := range item.(object) {
			for status := range op.(object)["responses"].(object) {
				key := strings.ToUpper(method) + " " + path + " " + status
				if !r.seen[key] && !hardToGet(key) {
					missing = append(missing, key)
				}
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// hardToGet are answers that are the same code for every route and are tested
// on one, and those that a test of another package provokes.
func hardToGet(key string) bool {
	for _, status := range []string{" 413", " 415", " 429", " 503", " default"} {
		if strings.HasSuffix(key, status) {
			return true
		}
	}
	return key == "DELETE /v1/organizations/{org} 202"
}

// contract is a server's OpenAPI document.
type contract struct {
	paths  object
	schema jsonSchema
}

func contractOf(s *Server) (contract, error) {
	var doc object
	if err := json.Unmarshal(s.openAPI.plain, &doc); err != nil {
		return contract{}, err
	}
	schemas, _ := doc["components"].(object)["schemas"].(object)
	return contract{paths: doc["paths"].(object), schema: jsonSchema{schemas}}, nil
}

// operation finds what the document says of a method and path.
func (c contract) operation(method, path string) (template string, op object) {
	path, _, _ = strings.Cut(path, "?")
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, template := range slices.Sorted(maps.Keys(c.paths)) {
		if !fits(template, path) {
			continue
		}
		if op, ok := c.paths[template].(object)[strings.ToLower(method)].(object); ok {
			return template, op
		}
	}
	return "", nil
}

func fits(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && (!strings.HasPrefix(want[i], "{") || got[i] == "") {
			return false
		}
	}
	return true
}

// check gives what is wrong with an answer.
func (c contract) check(method, path string, a answer) []string {
	template, op := c.operation(method, path)
	if op == nil {
		if a.status < 400 {
			return nil // the documentation page is no part of the API
		}
		return c.checkBody(method, object{"$ref": "#/components/schemas/Problem"}, problemType, a)
	}
	responses := op["responses"].(object)
	status := strconv.Itoa(a.status)
	response, documented := responses[status].(object)
	if !documented {
		if a.status < 400 {
			return []string{"the status " + status + " is not documented"}
		}
		status = "default"
		response, _ = responses[status].(object)
	}
	recorded.saw(op2key(method, template, status))
	content, _ := response["content"].(object)
	if len(content) == 0 {
		if len(a.body) > 0 {
			return []string{"a body where none is documented"}
		}
		return nil
	}
	for media, body := range content {
		return c.checkBody(method, body.(object)["schema"].(object), media, a)
	}
	return nil
}

func op2key(method, template, status string) string {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return method + " " + template + " " + status
}

func (c contract) checkBody(method string, schema object, media string, a answer) []string {
	var faults []string
	if got := a.header.Get("Content-Type"); got != media {
		faults = append(faults, fmt.Sprintf("the media type is %q, not %q", got, media))
	}
	if method == http.MethodHead {
		if len(a.body) > 0 {
			faults = append(faults, "HEAD has a body")
		}
		return faults
	}
	if a.header.Get("Content-Encoding") == "gzip" {
		r, err := gzip.NewReader(bytes.NewReader(a.body))
		if err != nil {
			return append(faults, err.Error())
		}
		if a.body, err = io.ReadAll(r); err != nil {
			return append(faults, err.Error())
		}
	}
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		return append(faults, "the body is no JSON")
	}
	faults = append(faults, c.schema.check("body", schema, v)...)
	if media != problemType || a.status < 400 {
		return faults
	}
	p, _ := v.(object)
	if code, known := findCode(fmt.Sprint(p["code"])); !known {
		faults = append(faults, fmt.Sprintf("the code %v is not in the table", p["code"]))
	} else if code.Title != p["title"] {
		faults = append(faults, fmt.Sprintf("the title is %v, not the code's", p["title"]))
	}
	if p["status"] != float64(a.status) {
		faults = append(faults, fmt.Sprintf("the body says %v", p["status"]))
	}
	if p["request_id"] != a.header.Get("X-Request-Id") || p["request_id"] == "" {
		faults = append(faults, "request_id is not X-Request-Id")
	}
	return faults
}
