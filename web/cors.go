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
	c.allow(&f.Request().Header, &f.Response().Header)
}

func (c *cors) allow(req *fasthttp.RequestHeader, res *fasthttp.ResponseHeader) bool {
	res.Add("Vary", "Origin")
	origin := string(req.Peek("Origin"))
	if !slices.Contains(c.origins, origin) {
		return false
	}
	res.Set("Access-Control-Allow-Origin", origin)
	res.Set("Access-Control-Expose-Headers", corsExposed)
	return true
}

// preflight answers the question that a browser asks before a request. What
// is not such a question is left to the routes.
func (c *cors) preflight(ctx *fasthttp.RequestCtx) bool {
	if !ctx.IsOptions() || len(ctx.Request.Header.Peek("Origin")) == 0 ||
		len(ctx.Request.Header.Peek("Access-Control-Request-Method")) == 0 {
		return false
	}
	if c.allow(&ctx.Request.Header, &ctx.Response.Header) {
		h := &ctx.Response.Header
		h.Set("Access-Control-Allow-Methods", corsMethods)
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", "600")
	}
	ctx.SetStatusCode(http.StatusNoContent)
	return true
}
