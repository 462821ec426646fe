package app

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The kinds of failure. Everything that the core returns is one of these
// (errors.Is) or a fault of ours. The core knows no HTTP status.
var (
	// ErrInvalid: what was asked for can never be done as it was put.
	ErrInvalid = errors.New("invalid")
	// ErrUnauthenticated: nobody, or not who they say they are.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrForbidden: known, but may not.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: there is none, or none that the actor may know of.
	ErrNotFound = errors.New("not found")
	// ErrConflict: something unique is taken, or the state does not allow it.
	ErrConflict = errors.New("conflict")
	// ErrStale: the revision that was expected is not the one there is.
	ErrStale = errors.New("stale revision")
	// ErrLimit: too much at once; trying later helps.
	ErrLimit = errors.New("limit reached")
	// ErrTooLarge: more than is taken in one piece.
	ErrTooLarge = errors.New("too large")
	// ErrUnavailable: a store or a server cannot do it now; trying later helps.
	ErrUnavailable = errors.New("unavailable")
	// ErrNoSpace: the disk is full; trying later helps when there is room.
	ErrNoSpace = errors.New("no space left")
	// ErrMoved: the namespace is not, or not any more, where it was looked for.
	// The placement has to be read again. No caller of the core meets it.
	ErrMoved = errors.New("moved")
	// ErrLost: data that is recorded is not where it was put. Every such error is
	// an ErrUnavailable, too.
	ErrLost = errors.New("lost")
	// ErrUnfenced: what stands in its place could take what is out of date. Every
	// such error is an ErrLost, too.
	ErrUnfenced = errors.New("unfenced")
	// ErrFrozen: the namespace takes no writes for a moment, while it is being
	// moved. The write has to wait. No caller of the core meets it.
	ErrFrozen = errors.New("frozen")
)

// Error is a failure with what a person and a program need to go on: a stable
// code and a sentence that says what to do.
type Error struct {
	Kind error
	// Code is a stable word to branch on; Codes lists them all.
	Code   string
	Detail string
	// RetryAfter is how long to wait before trying again; zero says nothing.
	RetryAfter time.Duration
	// Cause is for the log alone and is never shown to a caller.
	Cause error
}

func (e *Error) Error() string {
	s := e.Code + ": " + e.Detail
	if e.Cause != nil {
		s += " (" + e.Cause.Error() + ")"
	}
	return s
}

// Is makes errors.Is see the kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Fail makes an Error of a kind.
func Fail(kind error, code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// Lost says that the data of an organization is not where it was put: somebody
// else has taken it away. The cause is for the log.
func Lost(cause error) error {
	return &Error{Kind: ErrUnavailable, Code: "storage_missing", Cause: errors.Join(ErrLost, cause),
		Detail: "The data of this organization is not where this program has put it: something else has removed it. " +
			`Nothing was done. Restore it from a backup; "tenantry doctor" says what is missing.`}
}

// Unfenced says that what stands in the place of an organization's data was
// made by something else than this program.
func Unfenced(cause error) error {
	return &Error{Kind: ErrUnavailable, Code: "storage_unfenced", Cause: errors.Join(ErrLost, ErrUnfenced, cause),
		Detail: "The data of this organization was removed and made again by something else than this program. " +
			`Nothing was done. Restore it from a backup, or have what is there taken over by "tenantry doctor --repair".`}
}

// ConflictField is the unique thing that is taken, as the engines report it.
type ConflictField string

const (
	ConflictSlug        ConflictField = "slug"
	ConflictEmail       ConflictField = "email"
	ConflictExternalID  ConflictField = "external_id"
	ConflictCollection  ConflictField = "collection"
	ConflictDocumentID  ConflictField = "id"
	ConflictOpenChange  ConflictField = "operation"
	ConflictOperatorKey ConflictField = "name"
	ConflictRepetition  ConflictField = "idempotency_key"
	ConflictCluster     ConflictField = "cluster"
	// ConflictClusterPlace: another cluster has its store there.
	ConflictClusterPlace ConflictField = "cluster_place"
	// ConflictInhabited: organizations live there.
	ConflictInhabited ConflictField = "organizations"
)

// TakenError is an engine's refusal of something unique. It is an ErrConflict.
type TakenError struct{ Field ConflictField }

func (e *TakenError) Error() string { return string(e.Field) + " is taken" }

// Is makes errors.Is see ErrConflict.
func (e *TakenError) Is(target error) bool { return target == ErrConflict }

// Taken is a TakenError of the field.
func Taken(field ConflictField) error { return &TakenError{Field: field} }

// FieldError is one invalid field of a request.
type FieldError struct {
	// Location is the field's path as the caller wrote it, such as "owner.email".
	Location string
	Code     string
	Message  string
}

// FieldErrors are all the invalid fields of a request. They are ErrInvalid.
type FieldErrors []FieldError

func (e FieldErrors) Error() string {
	parts := make([]string, len(e))
	for i, f := range e {
		parts[i] = f.Location + ": " + f.Message
	}
	return strings.Join(parts, "; ")
}

// Is makes errors.Is see ErrInvalid.
func (e FieldErrors) Is(target error) bool { return target == ErrInvalid }

// Invalid is a FieldErrors of one field.
func Invalid(location, code, message string) FieldErrors {
	return FieldErrors{{Location: location, Code: code, Message: message}}
}

// At prefixes the locations of FieldErrors in err with a parent's name and
// returns any other error as it is.
func At(parent string, err error) error {
	var fields FieldErrors
	if !errors.As(err, &fields) {
		return err
	}
	out := make(FieldErrors, len(fields))
	for i, f := range fields {
		f.Location = parent + "." + f.Location
		out[i] = f
	}
	return out
}

// Unavailable is an ErrUnavailable that names what is away.
func Unavailable(what string, cause error) *Error {
	return &Error{
		Kind: ErrUnavailable, Code: "unavailable", RetryAfter: time.Second, Cause: cause,
		Detail: fmt.Sprintf("%s cannot be reached right now. Try again shortly.", what),
	}
}

// UnreachableError is the cause of an ErrUnavailable where the store as a whole
// could not be reached or did not answer: calls to it for others would fare no
// better. Package circuit goes by it.
type UnreachableError struct {
	Err error
	// Why is why that may be, and what to do about it, for operators; or "".
	Why string
}

func (e *UnreachableError) Error() string { return e.Err.Error() }

// Unwrap gives what happened.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Told is what operators are told of an error: its Detail, and why a store is
// away where that is known. "" where nothing in it was made for people.
func Told(err error) string {
	var told *Error
	if !errors.As(err, &told) {
		return ""
	}
	if away := (*UnreachableError)(nil); errors.As(err, &away) && away.Why != "" {
		return told.Detail + " " + away.Why
	}
	return told.Detail
}

// VersionError is the cause of an ErrUnavailable where a store cannot be used as
// it is: another version of the program has written it, or its server is too
// old. Waiting does not help. Its text is for an operator.
type VersionError struct{ Err error }

func (e *VersionError) Error() string { return e.Err.Error() }

// Unwrap gives what was found.
func (e *VersionError) Unwrap() error { return e.Err }
