package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tenantry/app"
)

// Error is a failure that the server told of.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Code is the stable word to branch on; "" when what answered is no
	// Tenantry server.
	Code   string
	Detail string
	// Fields are the invalid fields.
	Fields []app.FieldError
	// RequestID names the request in the server's log.
	RequestID  string
	RetryAfter time.Duration
	// Organizations goes with the code organization_required.
	Organizations []OrganizationChoice
}

// OrganizationChoice is an organization that one can sign in to.
type OrganizationChoice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// Error is the sentence for a person, with what is wrong in each field.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Detail)
	if len(e.Fields) > 1 || len(e.Fields) == 1 && !strings.Contains(e.Detail, e.Fields[0].Message) {
		for _, f := range e.Fields {
			fmt.Fprintf(&b, "\n  %s: %s", f.Location, f.Message)
		}
	}
	if e.Status >= http.StatusInternalServerError && e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	return b.String()
}

// Is makes errors.Is see the kind that the status stands for.
func (e *Error) Is(target error) bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return target == app.ErrInvalid
	case http.StatusUnauthorized:
		return target == app.ErrUnauthenticated
	case http.StatusForbidden:
		return target == app.ErrForbidden
	case http.StatusNotFound:
		return target == app.ErrNotFound
	case http.StatusConflict:
		return target == app.ErrConflict
	case http.StatusPreconditionFailed:
		return target == app.ErrStale
	case http.StatusRequestEntityTooLarge:
		return target == app.ErrTooLarge
	case http.StatusTooManyRequests:
		return target == app.ErrLimit
	case http.StatusServiceUnavailable:
		return target == app.ErrUnavailable
	case http.StatusInsufficientStorage:
		return target == app.ErrNoSpace
	}
	return false
}

// UnreachableError is a server that could not be reached, or that ended the
// connection without an answer. It is an app.ErrUnavailable.
type UnreachableError struct {
	// URL is the server's, or its data folder.
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s cannot be reached: %v", e.URL, e.Err)
}

// Is makes errors.Is see app.ErrUnavailable.
func (e *UnreachableError) Is(target error) bool { return target == app.ErrUnavailable }

// Unwrap gives what the network said.
func (e *UnreachableError) Unwrap() error { return e.Err }

func readError(res *http.Response, raw []byte) error {
	e := &Error{Status: res.StatusCode, RequestID: res.Header.Get("X-Request-Id")}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	var problem struct {
		Code          string               `json:"code"`
		Detail        string               `json:"detail"`
		Title         string               `json:"title"`
		Organizations []OrganizationChoice `json:"organizations"`
		Errors        []struct {
			Location string `json:"location"`
			Code     string `json:"code"`
			Message  string `json:"message"`
		} `json:"errors"`
	}
	media, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if media != "application/problem+json" || json.Unmarshal(raw, &problem) != nil || problem.Code == "" {
		e.Detail = fmt.Sprintf("the server answered %s, not as Tenantry does; is the URL right?", res.Status)
		return e
	}
	e.Code, e.Detail, e.Organizations = problem.Code, problem.Detail, problem.Organizations
	if e.Detail == "" {
		e.Detail = problem.Title
	}
	for _, f := range problem.Errors {
		e.Fields = append(e.Fields, app.FieldError{Location: f.Location, Code: f.Code, Message: f.Message})
	}
	return e
}
