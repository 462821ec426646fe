package web

import (
	"net/http"
	"testing"
)

func TestHEADIsGETWithoutBody(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	doc := w.document(o, `{"a":1}`)
	paths := []string{
		"/", "/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/openapi.json", "/health", "/healthz", "/readyz", "/.well-known/jwks.json",
		"/errors", "/errors/internal", "/v1/me", "/v1/organizations", "/v1/organizations/" + o.slug, "/v1/organizations/nobody",
		"/v1/organizations/" + o.slug + "/placement", "/v1/organizations/" + o.slug + "/documents", doc, seedGet(o.name), "/nowhere",
		"/v1/organizations?nonsense=1",
	}
	for _, path := range paths {
		id := header("X-Request-Id", "same")
		get, head := w.do("GET", path, o.token, nil, id), w.do("HEAD", path, o.token, nil, id)
		if head.status != get.status || len(head.body) != 0 {
			t.Errorf("%s: GET %d, HEAD %v", path, get.status, head)
		}
		for name := range get.header {
			if name != "Date" && name != "Ratelimit-Remaining" && head.header.Get(name) != get.header.Get(name) {
				t.Errorf("%s: %s is %q for HEAD, %q for GET", path, name, head.header.Get(name), get.header.Get(name))
			}
		}
		if len(head.header) != len(get.header) {
			t.Errorf("%s: headers %v for HEAD, %v for GET", path, head.header, get.header)
		}
	}
	// Nothing of a HEAD's body is on the wire, either.
	a := w.raw("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if a.status != http.StatusOK || len(a.body) != 0 {
		t.Error(a)
	}
}
