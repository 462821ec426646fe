package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tenantry/app"
)

const (
	// healthFresh is how long an answer counts: who asks often must not load
	// what is asked about.
	healthFresh = time.Second
	// healthTimeout bounds the asking.
	healthTimeout = 3 * time.Second
)

// healthCache keeps the last answer.
type healthCache struct {
	mu      sync.Mutex
	at      time.Time
	checks  []Check
	failing map[string]bool
}

// ask gives the state of every part. A part that fails is logged when it does
// so first, and when it works again, not each time that somebody asks.
func (h *healthCache) ask(ctx context.Context, health func(context.Context) []Check, log *slog.Logger) []Check {
	if health == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.at) > healthFresh {
		// The answer is not this request's alone.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
		defer cancel()
		h.checks, h.at = health(ctx), time.Now()
		if h.failing == nil {
			h.failing = map[string]bool{}
		}
		for _, check := range h.checks {
			switch was := h.failing[check.Name]; {
			case check.Err != nil && !was:
				log.Warn("not ready", "check", check.Name, "error", check.Err)
			case check.Err == nil && was:
				log.Info("ready again", "check", check.Name)
			}
			h.failing[check.Name] = check.Err != nil
		}
	}
	return h.checks
}

type healthzOutput struct{ Body *statusView }

// healthz says that the process answers at all.
func (s *Server) healthz(context.Context, *struct{}) (*healthzOutput, error) {
	return &healthzOutput{&statusView{Status: "ok"}}, nil
}

type readyView struct {
	Status string      `json:"status" enum:"ready,not_ready,stopping"`
	Checks []checkView `json:"checks" nullable:"false"`
}

type checkView struct {
	Name   string `json:"name"`
	Status string `json:"status" enum:"ok,failing"`
	Detail string `json:"detail,omitempty" doc:"What is wrong, where it can be told."`
}

type readyzOutput struct {
	Status int
	Body   *readyView
}

// readyz says whether requests should be sent here. It tells no secrets: only
// sentences made for callers.
func (s *Server) readyz(ctx context.Context, _ *struct{}) (*readyzOutput, error) {
	out := &readyzOutput{Status: http.StatusOK, Body: &readyView{Status: "ready", Checks: []checkView{}}}
	for _, check := range s.health.ask(ctx, s.services.Health, s.log) {
		view := checkView{Name: check.Name, Status: "ok"}
		if check.Err != nil {
			out.Status, out.Body.Status = http.StatusServiceUnavailable, "not_ready"
			view.Status, view.Detail = "failing", "See the server's log."
			var told *app.Error
			if errors.As(check.Err, &told) {
				view.Detail = told.Detail
			}
		}
		out.Body.Checks = append(out.Body.Checks, view)
	}
	if s.draining.Load() {
		out.Status, out.Body.Status = http.StatusServiceUnavailable, "stopping"
	}
	return out, nil
}
