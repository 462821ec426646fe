package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// translate is a Huma transformer: what Huma answers by itself becomes a
// Problem. (Replacing huma.NewError would do it for every API in the process.)
func translate(ctx huma.Context, _ string, v any) (any, error) {
	var p *Problem
	switch v := v.(type) {
	case *Problem:
		p = v
	case *huma.ErrorModel:
		p = fromHuma(v)
	default:
		return v, nil
	}
	return callOf(ctx.Context()).settle(p), nil
}

// words are how Huma's validator says what is wrong, by how the message
// begins, and our code for it. A test holds each to the validator.
var words = []struct{ begins, code, message string }{
	{"expected required property ", "required", "This field is required."},
	{"required ", "required", "This parameter is required."},
	{"unexpected property", "unknown_field", "There is no such field."},
	{"expected length <= ", "too_long", ""},
	{"expected length >= ", "too_short", ""},
	{"expected value to be one of ", "not_allowed", ""},
	{"expected number >= ", "out_of_range", ""},
	{"expected number <= ", "out_of_range", ""},
	{"expected object with at most ", "too_many", ""},
	{"expected string to be RFC ", "wrong_format", ""},
	{"expected ", "wrong_type", ""},
	{"invalid integer", "wrong_type", "This must be a whole number."},
	{"invalid boolean", "wrong_type", `This must be "true" or "false".`},
}

// fromHuma keeps Huma's status and drops the values that it repeats: a
// password must not come back in an answer.
func fromHuma(m *huma.ErrorModel) *Problem {
	switch m.Status {
	case http.StatusUnprocessableEntity:
		p := newProblem(m.Status, "invalid", `Some fields are not valid. "errors" names each of them.`)
		for _, detail := range m.Errors {
			p.Errors = append(p.Errors, translateField(detail))
		}
		if len(p.Errors) == 1 {
			p.Detail = p.Errors[0].Location + ": " + p.Errors[0].Message
		}
		return p
	case http.StatusBadRequest:
		return newProblem(m.Status, "body_not_json", "The body is not what this route takes.")
	case http.StatusInternalServerError:
		return problemOf(errors.New(m.Detail))
	}
	return newProblem(m.Status, frameworkCode(m.Status), m.Detail)
}

func translateField(d *huma.ErrorDetail) InvalidField {
	location := d.Location
	for _, in := range []string{"body", "query", "path", "header"} {
		if rest, ok := strings.CutPrefix(location, in); ok && (rest == "" || rest[0] == '.') {
			location = strings.TrimPrefix(rest, ".")
			break
		}
	}
	f := InvalidField{Location: location, Code: "invalid", Message: d.Message}
	for _, w := range words {
		if !strings.HasPrefix(d.Message, w.begins) {
			continue
		}
		f.Code = w.code
		if w.message != "" {
			f.Message = w.message
		}
		break
	}
	// Huma puts a missing property at its parent and names it in the message.
	if rest, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name, _, _ := strings.Cut(rest, " ")
		f.Location = strings.TrimPrefix(f.Location+"."+name, ".")
	}
	return f
}

// frameworkCode is the code of what Fiber or fasthttp answer by themselves.
func frameworkCode(status int) string {
	switch status {
	case http.StatusNotFound:
		return "route_not_found"
	case http.StatusMethodNotAllowed:
		return "method_not_allowed"
	case http.StatusRequestTimeout:
		return "request_timeout"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnsupportedMediaType:
		return "content_type_not_supported"
	case http.StatusRequestHeaderFieldsTooLarge:
		return "headers_too_large"
	case http.StatusNotImplemented:
		return "method_unknown"
	case http.StatusInternalServerError:
		return "internal"
	}
	return "bad_request"
}
