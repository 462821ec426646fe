package verify

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// proxy stands before a real server and breaks one of its promises.
type proxy struct {
	t    *testing.T
	real string
	hurt func(*proxy, *exchange)

	mu sync.Mutex
	// What the proxy has seen go by, to lie with.
	tokens map[string]string  // access tokens, by the address that signed in
	orgs   map[string]seenOrg // by the word that the name ends with
	docs   []map[string]any   // documents as they were answered
	calls  map[string]int     // how often the hurt function counted what
}

type seenOrg struct{ ID, Name, Slug string }

// exchange is a request and, once it was forwarded, its answer.
type exchange struct {
	Method, Path, Token string
	Header              http.Header
	Body                []byte

	Status int
	Type   string
	Answer []byte
	sent   bool
	p      *proxy
}

// broken starts the proxy and gives its URL.
func broken(t *testing.T, url string, hurt func(*proxy, *exchange)) string {
	t.Helper()
	p := &proxy{t: t, real: url, hurt: hurt, tokens: map[string]string{}, orgs: map[string]seenOrg{}, calls: map[string]int{}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	x := &exchange{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body, p: p,
		Token: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}
	p.hurt(p, x)
	x.forward()
	w.Header().Set("Content-Type", x.Type)
	w.WriteHeader(x.Status)
	_, _ = w.Write(x.Answer)
}

// forward sends the request on, unless it was sent or answered already.
func (x *exchange) forward() {
	if x.sent {
		return
	}
	x.sent = true
	req, err := http.NewRequest(x.Method, x.p.real+x.Path, bytes.NewReader(x.Body))
	if err != nil {
		x.p.t.Error(err)
		return
	}
	req.Header = x.Header
	req.Header.Del("Accept-Encoding")
	req.Header.Del("Authorization")
	if x.Token != "" {
		req.Header.Set("Authorization", "Bearer "+x.Token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		x.p.t.Error(err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	x.Answer, _ = io.ReadAll(res.Body)
	x.Status, x.Type = res.StatusCode, res.Header.Get("Content-Type")
	x.p.learn(x)
}

// learn keeps what later lies need.
func (p *proxy) learn(x *exchange) {
	switch {
	case x.Status == http.StatusOK && x.Path == "/v1/auth/login":
		p.tokens[x.field("email")] = field(x.Answer, "access_token")
	case x.Status < 300 && x.creates() || x.Status < 300 && x.Method == http.MethodPatch:
		name := field(x.Answer, "name")
		p.orgs[name[strings.LastIndex(name, " ")+1:]] = seenOrg{field(x.Answer, "id"), name, field(x.Answer, "slug")}
	case x.Status == http.StatusCreated && strings.HasSuffix(x.Path, "/documents"):
		var doc map[string]any
		_ = json.Unmarshal(x.Answer, &doc)
		p.docs = append(p.docs, doc)
	}
}

// answer answers in the server's place.
func (x *exchange) answer(status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		x.p.t.Error(err)
	}
	x.sent, x.Status, x.Answer, x.Type = true, status, raw, "application/json"
}

func (x *exchange) refuse(status int, code string) {
	x.answer(status, map[string]string{"code": code, "detail": "It is the test that refuses this."})
	x.Type = "application/problem+json"
}

// change forwards the request and puts another value into the answer.
func (x *exchange) change(key string, value any) {
	x.forward()
	var v map[string]any
	if err := json.Unmarshal(x.Answer, &v); err != nil {
		x.p.t.Errorf("%s %s: %s: %v", x.Method, x.Path, x.Answer, err)
		return
	}
	v[key] = value
	x.Answer, _ = json.Marshal(v)
}

func field(raw []byte, key string) string {
	var v map[string]any
	_ = json.Unmarshal(raw, &v)
	s, _ := v[key].(string)
	return s
}

func (x *exchange) field(key string) string { return field(x.Body, key) }

// is tells a request by its method and path.
func (x *exchange) is(method, path string) bool {
	return x.Method == method && regexp.MustCompile("^"+path+"$").MatchString(x.Path)
}

func (x *exchange) creates() bool { return x.is("POST", "/v1/organizations") }

// about tells whether the request is about the organization of the run whose
// name ended so, by id or slug; below is what follows in the path.
func (x *exchange) about(which, method, below string) bool {
	org, seen := x.p.orgs[which]
	return seen && x.is(method, "/v1/organizations/("+org.ID+"|"+org.Slug+")"+below)
}

// by tells who signs the request.
func (x *exchange) by(which string) bool {
	token := x.p.token(which)
	return token != "" && x.Token == token
}

func (p *proxy) token(which string) string {
	for email, token := range p.tokens {
		if strings.HasSuffix(email, "-"+which+"@example.com") {
			return token
		}
	}
	return ""
}

// nth counts, and tells when it is the n-th time.
func (p *proxy) nth(what string, n int) bool {
	p.calls[what]++
	return p.calls[what] == n
}
