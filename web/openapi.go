package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
)

// newAPI makes the Huma API. Nothing of Huma's own is served: its pages load
// from another host, and its schema links are made from the Host header.
func (s *Server) newAPI() (huma.API, *registrar) {
	registry := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "View")
	})
	registry.RegisterTypeAlias(reflect.TypeFor[organizationAnswer](), reflect.TypeFor[organizationView]())
	registry.RegisterTypeAlias(reflect.TypeFor[organizationPage](), reflect.TypeFor[organizationPageView]())
	registry.RegisterTypeAlias(reflect.TypeFor[documentAnswer](), reflect.TypeFor[documentView]())
	registry.RegisterTypeAlias(reflect.TypeFor[documentPage](), reflect.TypeFor[documentPageView]())
	r := &registrar{App: s.app, server: s}
	api := humafiber.NewWithGroup(s.app, r, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Tenantry", Version: s.services.Version,
				Description: "Organizations for multi-tenant products: members, sign-in, isolated data.\n\n" +
					"Sign in with **Authorize**, by email and password, or with an access token or operator key.",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: s.securitySchemes()},
			Tags: []*huma.Tag{
				{Name: "Organizations", Description: "Tenants: names, state, where their data is."},
				{Name: "Documents", Description: "An organization's data."},
				{Name: "Sign-in", Description: "Tokens."},
				{Name: "Operations", Description: "Acts of several steps that end by themselves, wherever a server dies."},
				{Name: "Operation", Description: "For those who run the server."},
				{Name: "Compatible", Description: "The routes of the first system, for its clients."},
				{Name: "Reference"},
			},
		},
		Formats:       map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{translate},
	})
	if s.opts.PublicURL != "" {
		api.OpenAPI().Servers = []*huma.Server{{URL: s.opts.PublicURL}}
	}
	return api, r
}

func (s *Server) securitySchemes() map[string]*huma.SecurityScheme {
	schemes := map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An access token or an operator key."},
	}
	if s.opts.CompatEnabled {
		schemes["password"] = &huma.SecurityScheme{
			Type: "oauth2", Description: "Email address and password. Leave the client fields empty.",
			Flows: &huma.OAuthFlows{Password: &huma.OAuthFlow{TokenURL: "admin/login", Scopes: map[string]string{}}},
		}
	}
	return schemes
}

// knowQuery remembers which query parameters there are.
func (rt *route) knowQuery(doc *huma.OpenAPI) {
	rt.query = map[string]bool{}
	for _, p := range operation(doc.Paths[rt.path], rt.method).Parameters {
		if p.In == "query" {
			rt.query[p.Name] = true
		}
	}
}

// documentPlain describes a route that Huma does not serve.
func (s *Server) documentPlain(api huma.API, rt *route) {
	registry := api.OpenAPI().Components.Schemas
	schema := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	if rt.path == "/" {
		schema = registry.Schema(reflect.TypeFor[rootView](), true, "Root")
	}
	rt.op.Responses = map[string]*huma.Response{
		"200": {Description: "OK", Content: map[string]*huma.MediaType{jsonType: {Schema: schema}}},
		"default": {Description: "Any other failure", Content: map[string]*huma.MediaType{
			problemType: {Schema: registry.Schema(reflect.TypeFor[Problem](), true, "Problem")}}},
	}
	if rt.path == "/" {
		rt.also(http.StatusSeeOther, "To the documentation page")
	} else {
		rt.also(http.StatusNotModified, "It still has this ETag")
	}
	api.OpenAPI().AddOperation(&rt.op)
}

// finishAPI corrects what Huma says of itself and keeps the document.
func (s *Server) finishAPI(api huma.API) error {
	doc := api.OpenAPI()
	if s.opts.CompatEnabled {
		login := doc.Paths["/admin/login"].Post.RequestBody.Content
		login[formType] = &huma.MediaType{Schema: &huma.Schema{
			Type:     huma.TypeObject,
			Required: []string{"username", "password"},
			Properties: map[string]*huma.Schema{
				"grant_type": {Type: huma.TypeString, Enum: []any{"password"}},
				"username":   {Type: huma.TypeString, Description: "The email address."},
				"password":   {Type: huma.TypeString, Format: "password"},
			},
		}}
	}
	// Problems are described by our own type.
	delete(doc.Components.Schemas.Map(), "ErrorModel")
	delete(doc.Components.Schemas.Map(), "ErrorDetail")
	raw, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("openapi: %w", err)
	}
	s.openAPI = newAsset(jsonType, raw)
	return nil
}

func (s *Server) openAPIDocument(c *call) error { return c.send(s.openAPI, "no-cache") }
