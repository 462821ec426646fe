package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tenantry/app"
	"tenantry/app/identity"
)

// problems says which status a failure of the core has, and its code where it
// brings none. The first row that fits is taken; what fits none is a fault of
// ours and answered 500 without detail.
var problems = []struct {
	is     error
	status int
	code   string
	detail string
}{
	{app.ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large", "This is more than is taken in one piece."},
	{app.ErrInvalid, http.StatusUnprocessableEntity, "invalid", "Something in the request is not valid."},
	{app.ErrUnauthenticated, http.StatusUnauthorized, "token_required", `Sign in first and send the access token as "Authorization: Bearer …".`},
	{app.ErrForbidden, http.StatusForbidden, "forbidden", "You may not do this."},
	{app.ErrNotFound, http.StatusNotFound, "not_found", "There is no such thing that you can see."},
	{app.ErrStale, http.StatusPreconditionFailed, "revision_mismatch", "It has changed since you read it. Read it again and repeat your change."},
	{app.ErrConflict, http.StatusConflict, "conflict", "It exists already, or its state does not allow this."},
	{app.ErrLimit, http.StatusTooManyRequests, "limit_reached", "This is too much at once. Try again later."},
	{app.ErrNoSpace, http.StatusInsufficientStorage, "storage_full", "The server's disk is full. Nothing was changed. Try again when its operator has made room."},
	{app.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "The server cannot do this right now. Try again shortly."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "timeout", "The server could not do this in time. A change may have been made or not: look before you repeat it."},
}

// Problem is the answer to everything that failed (RFC 9457).
type Problem struct {
	Type      string         `json:"type" format:"uri-reference" doc:"Names the kind of failure. Followed, it explains the code."`
	Title     string         `json:"title" doc:"What the code means."`
	Status    int            `json:"status" doc:"The HTTP status."`
	Detail    string         `json:"detail,omitempty" doc:"What went wrong this time and what to do, for a person."`
	Instance  string         `json:"instance" format:"uri-reference" doc:"The path that was asked for."`
	Code      string         `json:"code" example:"organization_name_taken" doc:"A stable word to branch on. GET /errors lists them all."`
	RequestID string         `json:"request_id" doc:"Names this request in the server's log."`
	Errors    []InvalidField `json:"errors,omitempty" nullable:"false" doc:"The fields that are not valid; the first 50."`
	// Organizations goes with the code organization_required.
	Organizations []organizationChoice `json:"organizations,omitempty" nullable:"false" doc:"With organization_required: which there are to choose from."`

	retryAfter time.Duration
	challenge  bool // WWW-Authenticate: Bearer
	// cause is for the log.
	cause error
}

// maxFieldErrors is how many invalid fields an answer names.
const maxFieldErrors = 50

// InvalidField says what is wrong with one field.
type InvalidField struct {
	Location string `json:"location" example:"owner.email" doc:"The field, as a path. Empty: the request as a whole."`
	Code     string `json:"code" example:"invalid_email" doc:"A stable word to branch on."`
	Message  string `json:"message" doc:"What is wrong, for a person."`
}

// organizationChoice is an organization that one can sign in to.
type organizationChoice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// Error makes a Problem an error that handlers return.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus gives Huma the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType gives Huma the media type.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// GetHeaders gives Huma what goes into the header.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(retrySeconds(p.retryAfter)))
	}
	if p.challenge {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

func retrySeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

// newProblem makes a Problem of a code in the table of codes.
func newProblem(status int, code, detail string) *Problem {
	return &Problem{Status: status, Code: code, Title: title(code), Detail: detail}
}

// problemOf turns any error into what a caller is told of it.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	p = classify(err)
	p.Title = title(p.Code)
	p.challenge = p.Status == http.StatusUnauthorized
	if p.retryAfter == 0 && retryable(p.Status) {
		p.retryAfter = time.Second
	}
	return p
}

func retryable(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests ||
		status == http.StatusInsufficientStorage
}

func classify(err error) *Problem {
	p := &Problem{Status: http.StatusInternalServerError, Code: "internal", cause: err,
		Detail: "The server made a mistake. Its log says more under this request_id."}
	for _, row := range problems {
		if errors.Is(err, row.is) {
			p.Status, p.Code, p.Detail = row.status, row.code, row.detail
			break
		}
	}
	var told *app.Error
	if p.Status != http.StatusInternalServerError && errors.As(err, &told) && statusOf(told.Kind) == p.Status {
		p.Code, p.Detail, p.retryAfter = told.Code, told.Detail, told.RetryAfter
	}
	var fields app.FieldErrors
	if p.Status == http.StatusUnprocessableEntity && errors.As(err, &fields) {
		p.Detail = "Some fields are not valid. \"errors\" names each of them."
		for _, f := range fields {
			p.Errors = append(p.Errors, InvalidField(f))
		}
		if len(fields) == 1 {
			p.Detail = fields[0].Message
		}
	}
	var choose *identity.ChooseOrganizationError
	if errors.As(err, &choose) {
		for _, o := range choose.Choices {
			p.Organizations = append(p.Organizations, organizationChoice{ID: string(o.ID), Name: o.Name, Slug: o.Slug})
		}
	}
	return p
}

func statusOf(kind error) int {
	for _, row := range problems {
		if row.is == kind { //nolint:errorlint // the rows are the kinds themselves
			return row.status
		}
	}
	return http.StatusInternalServerError
}

// appendJSON writes the problem; the fields are those of the struct.
func (p *Problem) appendJSON(b []byte) []byte {
	b = append(b, `{"type":`...)
	b = appendString(b, p.Type)
	b = append(b, `,"title":`...)
	b = appendString(b, p.Title)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(p.Status), 10)
	if p.Detail != "" {
		b = append(b, `,"detail":`...)
		b = appendString(b, p.Detail)
	}
	b = append(b, `,"instance":`...)
	b = appendString(b, p.Instance)
	b = append(b, `,"code":`...)
	b = appendString(b, p.Code)
	b = append(b, `,"request_id":`...)
	b = appendString(b, p.RequestID)
	if len(p.Errors) > 0 {
		b = append(b, `,"errors":`...)
		b = appendAny(b, p.Errors)
	}
	if len(p.Organizations) > 0 {
		b = append(b, `,"organizations":`...)
		b = appendAny(b, p.Organizations)
	}
	return append(b, '}')
}

// appendString writes s as a JSON string. What is not UTF-8 is replaced.
func appendString(b []byte, s string) []byte {
	out, err := jsontext.AppendQuote(b, s)
	if err != nil { // invalid UTF-8, already replaced in out
		return out
	}
	return out
}
