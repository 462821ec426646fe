package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"tenantry/app"
)

// errRequestOver is why the context of a request ends that was answered.
var errRequestOver = context.Canceled

// logRequest writes one line. It names who and where, never what was sent: no
// query, no header, no body.
func (s *Server) logRequest(c *call, status int, took time.Duration) {
	var cause error
	if c.problem != nil {
		cause = c.problem.cause
	}
	fault := status == http.StatusInternalServerError && cause != nil
	wanted := s.opts.LogRequests == LogAll || s.opts.LogRequests == LogErrors && status >= http.StatusInternalServerError
	if !fault && !wanted {
		return
	}
	level := slog.LevelInfo
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status > http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("request_id", c.id),
		slog.String("method", c.fiber.Method()),
		slog.String("path", shorten(c.fiber.Path(), 200)),
		slog.String("route", c.route.path),
		slog.Int("status", status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	}
	attrs = append(attrs, s.whoAttrs(c)...)
	if c.problem != nil {
		attrs = append(attrs, slog.String("code", c.problem.Code))
	}
	if cause != nil && status >= http.StatusInternalServerError {
		attrs = append(attrs, slog.String("error", cause.Error()))
	}
	s.log.LogAttrs(context.Background(), level, "request", attrs...)
}

func (s *Server) whoAttrs(c *call) []slog.Attr {
	var attrs []slog.Attr
	if overSocket(c.fiber) {
		attrs = append(attrs, slog.String("client", "socket"))
	} else {
		remote := c.fiber.Context().RemoteAddr()
		attrs = append(attrs, slog.String("client", s.proxies.client(remote, c.lines("X-Forwarded-For")).String()))
		if s.proxies.secure(remote, c.fiber.Get("X-Forwarded-Proto")) {
			attrs = append(attrs, slog.Bool("tls", true))
		}
	}
	switch c.actor.Kind {
	case app.AsUser:
		attrs = append(attrs, slog.String("user_id", string(c.actor.UserID)), slog.String("org_id", string(c.actor.OrganizationID)))
	case app.AsOperator:
		attrs = append(attrs, slog.String("operator_key_id", string(c.actor.KeyID)))
	}
	return attrs
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// fasthttpLog takes what fasthttp says by itself: broken connections, mostly.
type fasthttpLog struct{ log *slog.Logger }

// Printf implements fasthttp.Logger.
func (l fasthttpLog) Printf(_ string, args ...any) {
	var err error
	for _, a := range args {
		if e, ok := a.(error); ok {
			err = e
		}
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		l.log.Debug("connection", "error", err)
	}
}
