package web

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// access says who may come to a route at all. What they may do there is for
// the capabilities.
type access int

const (
	// exempt: anybody, as often as they like.
	exempt access = iota
	// limited: anybody, so many times a minute. A token is not looked at.
	limited
	// optional: with a token as whoever it says, without one like limited.
	optional
	// required: only with a token.
	required
)

// route is one row of the table of routes.
type route struct {
	method, path string // as OpenAPI writes it
	access       access
	body         bodyKind
	op           huma.Operation
	// takes is the type that documents the body where the handler reads it;
	// media are its media types.
	takes any
	media []string
	// shown are the bodies of failures that are no Problem.
	shown map[int]any
	// query are the parameters there are; others are refused unless loose.
	query map[string]bool
	loose bool
	// long: answered 202 with the operation when it takes too long.
	long bool
	// compat: a conflict is answered 400.
	compat   bool
	register func(huma.API)
	// plain is the handler of a route that Huma does not serve.
	plain func(*call) error
	// metrics of the method and, for GET, of HEAD.
	metrics, headMetrics *routeMetrics
}

// at makes a route from "METHOD /path" whose handler takes and gives what
// OpenAPI shows. The handler's context is the call.
func at[I, O any](pattern string, a access, body bodyKind, handler func(context.Context, *I) (*O, error), id, summary string) *route {
	rt := newRoute(pattern, a, body, id, summary)
	rt.register = func(api huma.API) {
		huma.Register(api, rt.op, func(ctx context.Context, in *I) (*O, error) {
			out, err := handler(ctx, in)
			if err != nil {
				return nil, callOf(ctx).failure(err)
			}
			return out, nil
		})
	}
	return rt
}

// serve makes a route that writes its answer itself.
func serve(pattern string, handler func(*call) error, id, summary string) *route {
	rt := newRoute(pattern, exempt, noBody, id, summary)
	rt.plain, rt.loose = handler, true
	return rt
}

func newRoute(pattern string, a access, body bodyKind, id, summary string) *route {
	method, path, _ := strings.Cut(pattern, " ")
	rt := &route{method: method, path: path, access: a, body: body}
	rt.op = huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		// The server bounds bodies and their time.
		MaxBodyBytes: -1, BodyReadTimeout: -1,
	}
	return rt
}

// The rest of a row reads like prose.

func (rt *route) tag(name string) *route    { rt.op.Tags = []string{name}; return rt }
func (rt *route) says(text string) *route   { rt.op.Description = text; return rt }
func (rt *route) answers(status int) *route { rt.op.DefaultStatus = status; return rt }
func (rt *route) seed() *route              { rt.compat, rt.loose = true, true; return rt }
func (rt *route) accepts(body any) *route   { rt.takes = body; return rt }
func (rt *route) in(media ...string) *route { rt.media = media; return rt }

// also documents a second status of success.
func (rt *route) also(status int, text string) *route {
	if rt.op.Responses == nil {
		rt.op.Responses = map[string]*huma.Response{}
	}
	rt.op.Responses[strconv.Itoa(status)] = &huma.Response{Description: text}
	return rt
}

// shows documents a failure that is told by something else than a Problem.
func (rt *route) shows(status int, text string, body any) *route {
	rt.also(status, text)
	rt.shown = map[int]any{status: body}
	return rt
}

// goesOn says that an act may be answered before it is done.
func (rt *route) goesOn() *route { rt.long = true; return rt }

// header documents request headers that the handler reads.
func (rt *route) header(h ...string) *route {
	for _, name := range h {
		rt.op.Parameters = append(rt.op.Parameters, &huma.Param{
			Name: name, In: "header", Description: headerDocs[name], Schema: &huma.Schema{Type: huma.TypeString},
		})
		if name == "If-None-Match" {
			rt.also(http.StatusNotModified, "It still has this ETag")
		}
	}
	return rt
}

var headerDocs = map[string]string{
	"If-Match":      `The change is made only if the thing still has this ETag: "*", or a list of entity tags in quotes.`,
	"If-None-Match": "Answered 304 if the thing still has this ETag.",
	"Idempotency-Key": "A word of your own, new for each new request. The same request with the same key, within 24 hours, " +
		"is answered as the first was; 409 while that is on its way, 422 for another request.",
}

// describe completes what OpenAPI says of the route, from what it is.
func (rt *route) describe(registry huma.Registry, password bool) {
	problem := registry.Schema(reflect.TypeFor[Problem](), true, "Problem")
	if rt.op.Responses == nil {
		rt.op.Responses = map[string]*huma.Response{}
	}
	fails := func(status int, text string) {
		key := strconv.Itoa(status)
		if status == 0 {
			key = "default"
		}
		rt.op.Responses[key] = &huma.Response{Description: text,
			Content: map[string]*huma.MediaType{problemType: {Schema: problem}}}
	}
	for status, body := range rt.shown {
		rt.op.Responses[strconv.Itoa(status)].Content = map[string]*huma.MediaType{
			jsonType: {Schema: registry.Schema(reflect.TypeOf(body), true, rt.op.OperationID)}}
	}
	if rt.long {
		rt.op.Responses[strconv.Itoa(http.StatusAccepted)] = &huma.Response{
			Description: "It goes on, or, for a deletion, waits until it cannot be taken back: the operation",
			Headers:     map[string]*huma.Param{"Location": {Schema: &huma.Schema{Type: huma.TypeString}}},
			Content:     map[string]*huma.MediaType{jsonType: {Schema: registry.Schema(reflect.TypeFor[operationView](), true, "Operation")}},
		}
	}
	if rt.access == exempt {
		fails(0, "Any other failure")
		return
	}
	if rt.body != noBody {
		fails(http.StatusBadRequest, "The body is not JSON")
		fails(http.StatusRequestEntityTooLarge, "Too large")
		fails(http.StatusUnsupportedMediaType, "The body's media type is not taken")
	}
	if rt.body != noBody || len(rt.op.Parameters) > 0 {
		fails(http.StatusUnprocessableEntity, "Some fields are not valid")
	}
	if rt.access != limited {
		fails(http.StatusUnauthorized, "No token, or not one that is good here")
		fails(http.StatusForbidden, "Not allowed")
	}
	if strings.Contains(rt.path, "{") {
		fails(http.StatusNotFound, "There is none that you can see")
	}
	if slices.ContainsFunc(rt.op.Parameters, func(p *huma.Param) bool { return p.Name == "If-Match" }) {
		fails(http.StatusPreconditionFailed, "It has another ETag by now")
	}
	fails(http.StatusTooManyRequests, "Too much at once")
	fails(http.StatusServiceUnavailable, "Not now")
	fails(0, "Any other failure")
	bearer := map[string][]string{"bearer": {}}
	form := map[string][]string{"password": {}}
	switch rt.access {
	case optional:
		rt.op.Security = []map[string][]string{{}, bearer, form}
	case required:
		rt.op.Security = []map[string][]string{bearer, form}
	}
	if !password && rt.op.Security != nil {
		rt.op.Security = rt.op.Security[:len(rt.op.Security)-1]
	}
}

// documentBody shows a body that the handler reads.
func (rt *route) documentBody(doc *huma.OpenAPI) {
	if rt.takes == nil {
		return
	}
	content := map[string]*huma.MediaType{}
	schema := doc.Components.Schemas.Schema(reflect.TypeOf(rt.takes), true, rt.op.OperationID+"Body")
	media := rt.media
	if media == nil {
		media = []string{jsonType}
	}
	for _, m := range media {
		content[m] = &huma.MediaType{Schema: schema}
	}
	operation(doc.Paths[rt.path], rt.method).RequestBody = &huma.RequestBody{
		Required: rt.body != mayBody, Content: content,
	}
}

func operation(item *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodGet:
		return item.Get
	case http.MethodPost:
		return item.Post
	case http.MethodPut:
		return item.Put
	case http.MethodPatch:
		return item.Patch
	}
	return item.Delete
}

// registrar stands where Huma registers its handlers, and puts the route's
// pipeline around each.
type registrar struct {
	*fiber.App
	server  *Server
	current *route
}

// Add implements fiber.Router for humafiber.
func (r *registrar) Add(method, path string, handlers ...fiber.Handler) fiber.Router {
	handler := r.server.pipeline(r.current, handlers[0])
	r.App.Add(method, path, handler)
	if method == http.MethodGet {
		r.App.Add(http.MethodHead, path, handler)
	}
	return r
}
