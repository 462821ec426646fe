package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Server answers HTTP. Serve it on as many listeners as needed.
type Server struct {
	opts     Options
	services Services
	log      *slog.Logger

	app       *fiber.App
	routes    []*route
	unmatched *route // what no route is for
	openAPI   asset
	metrics   *metrics
	limiter   *limiter
	proxies   proxies
	cors      *cors
	ids       *requestIDs
	health    healthCache
	admin     *http.Server
	started   time.Time

	active    atomic.Int64 // requests being answered
	draining  atomic.Bool
	lastStart atomic.Int64 // of a request while draining, in Unix ns

	mu      sync.Mutex
	gates   []*gate
	stopped chan struct{}
	stopErr error
}

// New builds the server. The error says which option is wrong.
func New(services Services, opts Options) (*Server, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: opts, services: services, log: opts.Logger,
		limiter: newLimiter(opts.RateLimit), proxies: opts.TrustedProxies,
		cors: newCORS(opts.CORSOrigins), ids: newRequestIDs(),
		started: time.Now(), stopped: make(chan struct{}),
	}
	if s.metrics, err = newMetrics(opts.Metrics, services); err != nil {
		return nil, err
	}
	s.app = fiber.New(fiber.Config{
		// Without it, strings of a request change when the next one comes: a
		// leak between tenants.
		Immutable:             true,
		CaseSensitive:         true,
		DisableStartupMessage: true,
		BodyLimit:             opts.BodyLimit,
		ReadBufferSize:        opts.HeaderLimit,
		ReadTimeout:           opts.ReadTimeout,
		WriteTimeout:          opts.WriteTimeout,
		IdleTimeout:           opts.IdleTimeout,
		ErrorHandler:          s.frameworkError,
		// Forms are read as plain bodies.
		DisablePreParseMultipartForm: true,
	})
	if err := s.register(); err != nil {
		return nil, err
	}
	handler := s.app.Handler()
	server := s.app.Server()
	server.Handler = func(ctx *fasthttp.RequestCtx) { s.entry(ctx, handler) }
	server.Logger = fasthttpLog{s.log}
	server.CloseOnShutdown = true
	server.SecureErrorLogMessage = true
	s.admin = s.newAdmin()
	return s, nil
}

// entry is what every request passes first.
func (s *Server) entry(ctx *fasthttp.RequestCtx, handler fasthttp.RequestHandler) {
	s.active.Add(1)
	defer s.active.Add(-1)
	switch {
	case s.cors != nil && isPreflight(ctx):
		f := s.app.AcquireCtx(ctx)
		s.preflight(f)
		s.app.ReleaseCtx(f)
	case !knownMethod(ctx.Method()):
		f := s.app.AcquireCtx(ctx)
		_ = s.frameworkError(f, fiber.NewError(http.StatusNotImplemented))
		s.app.ReleaseCtx(f)
	default:
		handler(ctx)
	}
	if s.draining.Load() {
		s.lastStart.Store(time.Now().UnixNano())
		ctx.SetConnectionClose()
	}
}

// knownMethod reports the methods that Fiber has routes for; it answers others
// in plain text.
func knownMethod(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return true
	}
	return false
}

// frameworkError answers what Fiber and fasthttp refuse by themselves.
func (s *Server) frameworkError(f *fiber.Ctx, err error) error {
	c := s.begin(f, s.unmatched)
	defer s.finish(c)
	var refused *fiber.Error
	if !errors.As(err, &refused) {
		c.refuse(problemOf(err))
		return nil
	}
	detail := map[int]string{
		http.StatusNotFound:                    "There is no such route. GET /openapi.json lists them.",
		http.StatusMethodNotAllowed:            "The route has no such method. The Allow header lists those that it has.",
		http.StatusRequestTimeout:              "The request did not arrive in time.",
		http.StatusRequestEntityTooLarge:       "The body is larger than this server takes.",
		http.StatusRequestHeaderFieldsTooLarge: "The request's line and headers are larger than this server takes.",
		http.StatusNotImplemented:              "This server does not know the method.",
	}[refused.Code]
	if refused.Code != http.StatusNotFound && refused.Code != http.StatusMethodNotAllowed {
		leaveUnread(f)
	}
	status := refused.Code
	if detail == "" {
		status, detail = http.StatusBadRequest, "This is not a request that the server understands."
	}
	c.refuse(newProblem(status, frameworkCode(status), detail))
	return nil
}

// Serve answers on the listener until Shutdown, or until the context ends,
// which shuts down every listener of the server within ShutdownTimeout.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	unhook := context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.ShutdownTimeout)
		defer cancel()
		_ = s.Shutdown(bounded)
	})
	defer unhook()
	return s.serve(&gate{Listener: ln, log: s.log})
}

// ServeSocket answers on the listener until Shutdown. Whoever connects through
// it and shows no token acts as operator: it is for the data folder's Unix
// socket, which only its owner can open, and for connections inside a process.
func (s *Server) ServeSocket(ln net.Listener) error {
	return s.serve(&gate{Listener: ln, log: s.log, operator: true})
}

func (s *Server) serve(g *gate) error {
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		_ = g.Close() // nobody would answer who connects
		return http.ErrServerClosed
	}
	s.gates = append(s.gates, g)
	s.mu.Unlock()
	err := s.app.Server().Serve(g)
	if s.draining.Load() {
		<-s.stopped
		return s.stopErr
	}
	return err
}

// quiet is how long no request may have come before idle connections are
// closed at a shutdown: a client that is about to send its next one is told
// to go by the answer, not by a reset.
const quiet = 300 * time.Millisecond

// Shutdown closes the listeners, answers what has arrived, and returns when
// all is answered, or with the context's error. It may be called more than
// once; all calls return the same.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.draining.Swap(true) {
		s.mu.Unlock()
		<-s.stopped
		return s.stopErr
	}
	s.lastStart.Store(time.Now().UnixNano())
	for _, g := range s.gates {
		_ = g.Close()
	}
	s.mu.Unlock()
	server := s.app.Server()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for ctx.Err() == nil && server.GetOpenConnectionsCount() > 0 {
		if s.active.Load() == 0 && time.Now().UnixNano()-s.lastStart.Load() > int64(quiet) {
			break
		}
		select {
		case <-ctx.Done():
		case <-poll.C:
		}
	}
	s.stopErr = errors.Join(server.ShutdownWithContext(ctx), s.admin.Shutdown(ctx))
	close(s.stopped)
	return s.stopErr
}
