package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxBodyDepth is how deep objects and arrays of a body may nest.
const maxBodyDepth = 100

// bodyKind says what a route takes as its body.
type bodyKind int

const (
	noBody   bodyKind = iota
	jsonBody          // checked here, then read by Huma
	rawJSON           // read by the handler, which checks as it goes
	mayBody           // JSON or nothing
	formBody          // JSON or a form, read by the handler
)

// Media types of bodies.
const (
	jsonType  = "application/json"
	mergeType = "application/merge-patch+json"
	formType  = "application/x-www-form-urlencoded"
)

// checkBody refuses what is not a body that the route takes.
func (c *call) checkBody(kind bodyKind) *Problem {
	req := c.fiber.Request()
	if kind == noBody {
		return nil
	}
	// Fiber would unpack a body, whatever it grows to.
	if enc := req.Header.Peek("Content-Encoding"); len(enc) > 0 && !strings.EqualFold(string(enc), "identity") {
		return newProblem(http.StatusUnsupportedMediaType, "encoding_not_supported", "Send the body as it is, without Content-Encoding.")
	}
	body := req.Body()
	if len(body) == 0 {
		if kind == mayBody {
			return nil
		}
		return newProblem(http.StatusBadRequest, "body_required", "The request has no body. Send a JSON object.")
	}
	mediaType := bodyType(req.Header.ContentType())
	switch {
	case kind == formBody && mediaType == formType:
		return nil
	case mediaType == "" || mediaType == jsonType || strings.HasSuffix(mediaType, "+json") && strings.HasPrefix(mediaType, "application/"):
	default:
		return newProblem(http.StatusUnsupportedMediaType, "content_type_not_supported",
			`The body must be JSON. Send the header "Content-Type: application/json".`)
	}
	if kind == rawJSON {
		return nil
	}
	if kind == jsonBody {
		req.Header.SetContentType(jsonType) // Huma knows it in this spelling alone
	}
	return checkJSON(body)
}

// bodyType is a Content-Type without its parameters.
func bodyType(header []byte) string {
	mediaType, _, _ := strings.Cut(string(header), ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// checkJSON takes one JSON value of valid UTF-8 without duplicate names.
func checkJSON(body []byte) *Problem {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	for {
		_, err := dec.ReadToken()
		if err != nil {
			return bodyFault(err)
		}
		if dec.StackDepth() > maxBodyDepth {
			return newProblem(http.StatusBadRequest, "body_too_deep", "Objects and arrays in the body nest deeper than 100 levels.")
		}
		if dec.StackDepth() == 0 {
			break
		}
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return newProblem(http.StatusBadRequest, "body_not_json", "Something follows the JSON value in the body.")
	}
	return nil
}

// bodyFault words what is wrong with a body without repeating it.
func bodyFault(err error) *Problem {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		where := ""
		if errors.As(err, &syntax) {
			where = " (" + string(syntax.JSONPointer) + ")"
		}
		return newProblem(http.StatusBadRequest, "body_duplicate_key", "A name stands twice in one object of the body"+where+".")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return newProblem(http.StatusBadRequest, "body_not_json", "The JSON in the body ends too early.")
	case errors.As(err, &syntax) && strings.Contains(syntax.Err.Error(), "UTF-8"):
		return newProblem(http.StatusBadRequest, "body_not_utf8", "The body is not valid UTF-8.")
	}
	return newProblem(http.StatusBadRequest, "body_not_json", "The body is not valid JSON.")
}

// readBody reads a JSON body into one of our own types, once, for routes where
// Huma's two passes cost too much. Names that v lacks are refused.
func readBody(body []byte, v any) error {
	return readInto(body, v, json.RejectUnknownMembers(true))
}

// readLoose is readBody for routes that pass over names they do not know.
func readLoose(body []byte, v any) error { return readInto(body, v) }

func readInto(body []byte, v any, opts ...json.Options) error {
	if jsontext.Value(body).Kind() == 'n' { // null would leave v as it is
		return invalidField("", "wrong_type", "The body must be a JSON object.")
	}
	err := json.Unmarshal(body, v, opts...)
	if err == nil {
		return nil
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return bodyFault(err)
	}
	location := strings.ReplaceAll(strings.TrimPrefix(string(semantic.JSONPointer), "/"), "/", ".")
	if errors.Is(err, json.ErrUnknownName) {
		return invalidField(location, "unknown_field", "There is no such field.")
	}
	return invalidField(location, "wrong_type", "This is a JSON value of another type than the field's.")
}

func invalidField(location, code, message string) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid", message)
	p.Errors = []InvalidField{{Location: location, Code: code, Message: message}}
	return p
}
