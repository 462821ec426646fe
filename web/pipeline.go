package web

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"tenantry/app"
)

// pipeline is all that happens to a request before and after its handler. It
// is one function, not a chain, since most requests are answered faster than
// a chain of ten is walked.
func (s *Server) pipeline(rt *route, handler fiber.Handler) fiber.Handler {
	return func(f *fiber.Ctx) (err error) {
		c := s.begin(f, rt)
		defer func() {
			if fault := recover(); fault != nil {
				s.recovered(c, fault)
			}
			s.finish(c)
		}()
		if p := s.admit(c); p != nil {
			c.refuse(p)
			return nil
		}
		f.SetUserContext(c)
		return handler(f)
	}
}

// Headers of every answer, as fasthttp wants them.
var (
	keyRequestID          = []byte(requestIDHeader)
	keyContentTypeOptions = []byte("X-Content-Type-Options")
	valueNoSniff          = []byte("nosniff")
	keyCacheControl       = []byte("Cache-Control")
	valueNoStore          = []byte("no-store")
)

// begin starts a request's way.
func (s *Server) begin(f *fiber.Ctx, rt *route) *call {
	s.metrics.inFlight.Inc()
	now := time.Now()
	c := &call{server: s, fiber: f, route: rt, start: now, deadline: now.Add(s.opts.RequestTimeout)}
	c.id = s.ids.of(f.Request().Header.Peek(requestIDHeader))
	s.commonHeaders(c)
	return c
}

// commonHeaders are on every answer; a route may set others.
func (s *Server) commonHeaders(c *call) {
	h := &c.fiber.Response().Header
	h.SetCanonical(keyRequestID, []byte(c.id))
	h.SetCanonical(keyContentTypeOptions, valueNoSniff)
	h.SetCanonical(keyCacheControl, valueNoStore)
	if s.cors != nil {
		s.cors.answer(c.fiber)
	}
}

// admit finds out who asks and whether they may ask now.
func (s *Server) admit(c *call) *Problem {
	if p := s.authenticate(c); p != nil {
		if p.Status == http.StatusUnauthorized {
			// Guessing is counted like coming without a token.
			if over := s.count(c); over != nil {
				return over
			}
		}
		return p
	}
	if c.route.access == limited || c.route.access == optional && c.actor.Kind == app.Anonymous {
		if p := s.count(c); p != nil {
			return p
		}
	}
	if p := c.checkQuery(); p != nil {
		return p
	}
	return c.checkBody(c.route.body)
}

func (s *Server) authenticate(c *call) *Problem {
	if c.route.access == exempt || c.route.access == limited {
		return nil
	}
	header := c.fiber.Request().Header.Peek("Authorization")
	if len(header) == 0 {
		switch {
		case overSocket(c.fiber):
			c.actor = app.Actor{Kind: app.AsOperator}
			return nil
		case c.route.access == optional:
			return nil
		}
		return problemOf(app.ErrUnauthenticated)
	}
	token := bearerToken(header)
	if token == "" {
		p := newProblem(http.StatusUnauthorized, "authorization_malformed",
			`Send the header as "Authorization: Bearer " and the access token or operator key.`)
		p.challenge = true
		return p
	}
	actor, err := s.services.Identity.Authenticate(c, token)
	if err != nil {
		return problemOf(err)
	}
	c.actor = actor
	return nil
}

// bearerToken gives what stands after "Bearer" (RFC 6750, 2.1), or nothing
// where the header is anything else.
func bearerToken(header []byte) string {
	const scheme = "bearer "
	if len(header) <= len(scheme) || !strings.EqualFold(string(header[:len(scheme)]), scheme) {
		return ""
	}
	token := bytes.Trim(header[len(scheme):], " ")
	for _, c := range token {
		if c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	return string(token)
}

// count takes the request off what its address may ask without a token.
func (s *Server) count(c *call) *Problem {
	if s.limiter == nil || overSocket(c.fiber) {
		return nil
	}
	addr := s.proxies.client(c.fiber.Context().RemoteAddr(), c.lines("X-Forwarded-For"))
	v := s.limiter.take(addr, c.start)
	h := &c.fiber.Response().Header
	h.Set("RateLimit-Limit", strconv.Itoa(v.limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(v.remaining))
	h.Set("RateLimit-Reset", strconv.Itoa(int((v.reset+time.Second-1)/time.Second)))
	if v.ok {
		return nil
	}
	p := newProblem(http.StatusTooManyRequests, "rate_limited",
		"Too many requests without a token came from your address. Wait as long as Retry-After says.")
	p.retryAfter = v.retry
	return p
}

// checkQuery refuses parameters that the route does not have, or has twice: a
// filter with a typing error would otherwise select everything.
func (c *call) checkQuery() *Problem {
	if len(c.fiber.Request().URI().QueryString()) == 0 {
		return nil
	}
	var p *Problem
	refuse := func(name, code, message string) {
		if p == nil {
			p = newProblem(http.StatusUnprocessableEntity, "invalid", message)
		}
		p.Errors = append(p.Errors, InvalidField{Location: name, Code: code, Message: message})
	}
	var seen []string
	for key, value := range c.fiber.Request().URI().QueryArgs().All() {
		switch {
		case !utf8.Valid(key) || !utf8.Valid(value):
			refuse(strings.ToValidUTF8(string(key), "\uFFFD"), "invalid_text", "A query parameter is not valid UTF-8.")
		case !c.route.loose && !c.route.query[string(key)]:
			refuse(string(key), "unknown_parameter", "There is no such query parameter here.")
		case !c.route.loose && slices.Contains(seen, string(key)):
			refuse(string(key), "repeated_parameter", "This query parameter stands more than once.")
		case !c.route.loose:
			seen = append(seen, string(key))
		}
	}
	return p
}

// repeatable gives the request's idempotency key and the body that it is for.
func (c *call) repeatable() (key string, body []byte) {
	return string(c.fiber.Request().Header.Peek("Idempotency-Key")), bytes.Clone(c.fiber.Request().Body())
}

func (c *call) lines(header string) []string {
	peeked := c.fiber.Request().Header.PeekAll(header)
	if len(peeked) == 0 {
		return nil
	}
	lines := make([]string, len(peeked))
	for i, l := range peeked {
		lines[i] = string(l)
	}
	return lines
}

// failure turns a handler's error into what Huma writes.
func (c *call) failure(err error) error {
	switch err.(type) { //nolint:errorlint // made by the handlers, never wrapped
	case *notModified, *accepted:
		return err
	}
	p := problemOf(err)
	if over := c.Err(); over != nil && p.Status == http.StatusInternalServerError {
		// What waited for the deadline may say so in its own words.
		p = problemOf(fmt.Errorf("%w: %w", over, err))
	}
	if c.route.body == rawJSON && p.Status == http.StatusUnprocessableEntity {
		// These bodies are read once, up to the first fault. What is no JSON at
		// all is told as on the other routes, whatever else is wrong with it.
		if fault := checkJSON(c.fiber.Request().Body()); fault != nil {
			return fault
		}
	}
	if c.route.compat && (p.Code == "organization_name_taken" || p.Code == "email_taken") {
		p.Status = http.StatusBadRequest
	}
	return p
}

// settle fills in what every problem says of its request.
func (c *call) settle(p *Problem) *Problem {
	p.Type = c.server.opts.PublicURL + "/errors/" + p.Code
	p.Instance, p.RequestID = c.fiber.Path(), c.id
	// A small request must not be answered by a large one.
	p.Errors = p.Errors[:min(len(p.Errors), maxFieldErrors)]
	if p.Title == "" {
		p.Title = title(p.Code)
	}
	c.problem = p
	return p
}

// refuse answers with a problem, where Huma does not.
func (c *call) refuse(p *Problem) {
	p = c.settle(p)
	res := c.fiber.Response()
	res.SetStatusCode(p.Status)
	for name, values := range p.GetHeaders() {
		res.Header.Set(name, values[0])
	}
	res.Header.SetContentType(problemType)
	res.SetBodyRaw(p.appendJSON(nil))
}

// recovered answers a request whose handler panicked.
func (s *Server) recovered(c *call, fault any) {
	s.log.Error("panic while answering a request", "request_id", c.id, "method", c.fiber.Method(),
		"route", c.route.path, "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
	c.fiber.Response().Reset()
	s.commonHeaders(c)
	p := problemOf(errPanicked)
	p.cause = nil // logged here, once
	c.refuse(p)
}

var errPanicked = fmt.Errorf("panic")

// finish ends a request's way: nothing of Fiber's is reachable from it
// afterwards.
func (s *Server) finish(c *call) {
	res := c.fiber.Response()
	status := res.StatusCode()
	if status == http.StatusNoContent || status == http.StatusNotModified {
		res.Header.Del("Content-Type")
		res.Header.SetNoDefaultContentType(true)
	}
	took := time.Since(c.start)
	m := c.route.metrics
	if c.route.headMetrics != nil && c.fiber.Request().Header.IsHead() {
		m = c.route.headMetrics
	}
	m.observe(status, took)
	s.metrics.inFlight.Dec()
	s.logRequest(c, status, took)
	c.end(errRequestOver)
	c.fiber = nil
}

var _ huma.StatusError = (*Problem)(nil)
