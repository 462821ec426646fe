package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tenantry/app"
)

// maxAnswer bounds how much of an answer is read, in bytes.
const maxAnswer = 64 << 20

// Options is how a server is reached. Zero fields take the defaults.
type Options struct {
	// Token is an access token or an operator key; "" is nobody, or the
	// operator over a data folder's socket.
	Token string
	// Name is what errors call the server; default: its URL.
	Name string
	// Dial opens a connection to the server; default: TCP to the URL's host.
	Dial func(context.Context) (net.Conn, error)
	// Timeout bounds one request with its answer; default 30 s.
	Timeout time.Duration
	// UserAgent is sent with every request; default "tenantry".
	UserAgent string
}

// Client speaks to one server. It is safe for concurrent use.
type Client struct {
	base  string // without a slash at its end
	name  string
	http  *http.Client
	token string
	agent string
	// socket: see OverSocket.
	socket bool
}

// New makes a client of the server at base, such as
// "https://orgs.example.com". It sends nothing yet.
func New(base string, opts Options) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not a server's URL such as https://orgs.example.com", withoutUser(base))
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     30 * time.Second,
		MaxIdleConnsPerHost: 16,
	}
	if opts.Dial != nil {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return opts.Dial(ctx) }
	}
	if opts.Timeout == 0 {
		opts.Timeout = 30 * time.Second
	}
	if opts.UserAgent == "" {
		opts.UserAgent = "tenantry"
	}
	if opts.Name == "" {
		opts.Name = strings.TrimRight(base, "/")
	}
	return &Client{
		base: strings.TrimRight(base, "/"), name: opts.Name, token: opts.Token, agent: opts.UserAgent,
		http: &http.Client{
			Transport: transport, Timeout: opts.Timeout,
			// A redirect would carry the token to wherever it leads.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// withoutUser leaves out what may be a password.
func withoutUser(url string) string {
	if at := strings.LastIndexByte(url, '@'); at >= 0 {
		return "…" + url[at:]
	}
	return url
}

// As is the same client with another token; "" is nobody.
func (c *Client) As(token string) *Client {
	other := *c
	other.token = token
	return &other
}

// URL is where the server is, as it was given.
func (c *Client) URL() string { return c.base }

// Token is what the client shows; "" is nothing.
func (c *Client) Token() string { return c.token }

// OverSocket reports whether the server takes who shows no token for the
// operator.
func (c *Client) OverSocket() bool { return c.socket }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call is one request.
type call struct {
	method, path string
	query        url.Values
	body         any    // sent as JSON unless nil
	media        string // of the body; default application/json
	ifMatch      int64  // a revision; 0 sends none
}

// do sends the request and reads the answer into out, unless that is nil.
func (c *Client) do(ctx context.Context, in call, out any) (status int, err error) {
	if strings.HasSuffix(in.path, "/") || strings.Contains(in.path, "//") {
		// Sent, it would ask for the list, or for something else.
		return 0, fmt.Errorf("an empty id or name: %w", app.ErrNotFound)
	}
	var body io.Reader
	if in.body != nil {
		var raw bytes.Buffer
		enc := json.NewEncoder(&raw)
		enc.SetEscapeHTML(false) // documents are sent as they are
		if err := enc.Encode(in.body); err != nil {
			return 0, fmt.Errorf("the request cannot be written as JSON: %w", err)
		}
		body = &raw
	}
	target := c.base + in.path
	if len(in.query) > 0 {
		target += "?" + in.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, in.method, target, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", c.agent)
	if body != nil {
		media := in.media
		if media == "" {
			media = "application/json"
		}
		req.Header.Set("Content-Type", media)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if in.ifMatch != 0 {
		req.Header.Set("If-Match", fmt.Sprintf(`"%d"`, in.ifMatch))
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, c.unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return 0, c.unreachable(ctx, err)
	}
	if len(raw) > maxAnswer {
		return 0, fmt.Errorf("the answer of %s is larger than %d MiB", c.name, maxAnswer>>20)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return res.StatusCode, readError(res, raw)
	}
	if out == nil || res.StatusCode == http.StatusNoContent {
		return res.StatusCode, nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return res.StatusCode, fmt.Errorf("%s answered %s with something that is not the JSON expected: %w", c.name, in.path, err)
	}
	return res.StatusCode, nil
}

// unreachable keeps the caller's own ending of a request apart from a server
// that is away.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	var told *UnreachableError // by Dial
	if errors.As(err, &told) {
		return told
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &UnreachableError{URL: c.name, Err: err}
}

func segment(s string) string { return url.PathEscape(s) }
