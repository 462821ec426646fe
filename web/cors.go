package web

import (
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// cors lets the pages of some origins call the API (Fetch standard, "CORS
// protocol"). Cookies play no part in it: the API has none.
type cors struct{ origins []string }

const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	corsHeaders = "Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id"
	corsExposed = "ETag, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id"
)

func newCORS(origins []string) *cors {
	if len(origins) == 0 {
		return nil
	}
	return &cors{origins: origins}
}

// answer adds what lets the page read the answer.
func (c *cors) answer(f *fiber.Ctx) {
	res := &f.Response().Header
	res.Add("Vary", "Origin")
	origin := string(f.Request().Header.Peek("Origin"))
	if slices.Contains(c.origins, origin) {
		res.Set("Access-Control-Allow-Origin", origin)
		res.Set("Access-Control-Expose-Headers", corsExposed)
	}
}

// isPreflight reports the question that a browser asks before a request. What
// is not such a question is left to the routes.
func isPreflight(ctx *fasthttp.RequestCtx) bool {
	h := &ctx.Request.Header
	return ctx.IsOptions() && len(h.Peek("Origin")) > 0 && len(h.Peek("Access-Control-Request-Method")) > 0
}

// preflight answers it.
func (s *Server) preflight(f *fiber.Ctx) {
	c := s.begin(f, s.unmatched)
	defer s.finish(c)
	h := &f.Response().Header
	if len(h.Peek("Access-Control-Allow-Origin")) > 0 {
		h.Set("Access-Control-Allow-Methods", corsMethods)
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", "600")
	}
	f.Status(http.StatusNoContent)
}
