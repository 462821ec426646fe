package mongodb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/auth"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"tenantry/app"
)

const (
	retryAway = time.Second      // to wait for a server that is away
	retryFull = 10 * time.Second // to wait for room on a disk
)

// Codes of MongoDB's (src/mongo/base/error_codes.yml).
const (
	codeUnauthorized       = 13
	codeAuthentication     = 18
	codeTransactionsAbsent = 20
	codeNamespaceNotFound  = 26
	codeIndexNotFound      = 27
	codeCursorNotFound     = 43
	codeNamespaceExists    = 48
	codeInvalid            = 121 // DocumentValidationFailure
	codeWriteConflict      = 112
	codeQueryPlanKilled    = 175
	codeCursorKilled       = 237
	codeHistoryLost        = 286
	codeTooLarge           = 10334
	codeNoSpace            = 14031
	codeAtlas              = 8000
	codeAtlasAuth          = 8007
)

// moments are codes that say that trying again will help: no primary, one that
// is stepping down or starting, a lock or a time that was waited for too long.
var moments = []int{6, 7, 24, 50, 63, 64, 89, 91, 112, 133, 134, 189, 202, 244, 246, 251, 262, 290, 317, 358,
	384, 462, 9001, 10107, 11600, 11602, 13388, 13435, 13436}

// hasCode looks for codes in an error, of a command and of each write in it.
func hasCode(err error, codes ...int) bool {
	var e interface{ ErrorCodes() []int }
	if !errors.As(err, &e) {
		return false
	}
	return slices.ContainsFunc(e.ErrorCodes(), func(code int) bool { return slices.Contains(codes, code) })
}

// isDuplicate reports a violated unique index.
func isDuplicate(err error) bool { return hasCode(err, 11000, 11001, 12582) }

// isServerError reports an answer of the server, as opposed to none. The driver
// words its own errors, such as a connection that ended, as it does those of
// the server; they have no code.
func isServerError(err error) bool {
	var e interface{ ErrorCodes() []int }
	return errors.As(err, &e) && slices.ContainsFunc(e.ErrorCodes(), func(code int) bool { return code != 0 })
}

// isRefused reports that the server has answered that it did not do what it was
// told. One that stops or is no primary any more may have done it.
func isRefused(err error) bool {
	return isServerError(err) && !hasCode(err, moments...) && !mongo.IsTimeout(err) && !mongo.IsNetworkError(err)
}

// translate turns a driver's error into one of package app's.
func (s *server) translate(err error) error {
	var ours *app.Error
	switch {
	case err == nil, errors.As(err, &ours), isSentinel(err):
		return err
	case errors.Is(err, mongo.ErrNoDocuments):
		return app.ErrNotFound
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case hasCode(err, codeUnauthorized):
		what := "do all that the program needs"
		if command := refusedCommand(err); command != "" {
			what = "do " + command
		}
		return s.refusal("This server's user may not "+what+" on "+s.name+". Give it the role that docs/mongodb.md has,"+
			" or the roles readWrite and dbAdmin on the database.", err)
	case hasCode(err, codeAuthentication, codeAtlas, codeAtlasAuth), isAuthentication(err):
		return s.refusal("The user or the password of "+s.name+
			" is not right. Check the connection string, its authSource too.", err)
	case hasCode(err, codeTransactionsAbsent):
		return s.refusal("The server of "+s.name+
			" takes no transactions any more: it was a replica set when this program connected. Restart the program.", err)
	case hasCode(err, codeNoSpace):
		return &app.Error{Kind: app.ErrNoSpace, Code: "storage_full", RetryAfter: retryFull, Cause: s.cause(err),
			Detail: "There is no room left on the disk of " + s.name + ". Nothing was stored. Make room, and writing goes on by itself."}
	case hasCode(err, codeTooLarge), errors.Is(err, driver.ErrDocumentTooLarge):
		return app.Fail(app.ErrTooLarge, "document_too_large", "This is more than the database takes in one piece.")
	case isDuplicate(err):
		return fmt.Errorf("%w: %w", app.ErrConflict, s.cause(err))
	case isRefused(err):
		return fmt.Errorf("%s: %w", s.name, s.cause(err)) // a fault of ours, or something new
	}
	return s.unavailable(err)
}

// unavailable is the answer when the server cannot be reached, has no primary
// or does not answer in time, and to whatever else only the log can tell.
func (s *server) unavailable(err error) error {
	var told *app.Error
	if errors.As(err, &told) {
		return told
	}
	cause := &app.UnreachableError{Err: s.cause(err), Why: s.hide(reason(err))}
	var selection topology.ServerSelectionError
	if errors.As(err, &selection) {
		return &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", RetryAfter: retryAway, Cause: cause,
			Detail: "No primary of " + s.name + " can be reached right now. Try again shortly; if it stays so, see whether its servers run and agree on a primary."}
	}
	e := app.Unavailable("The "+s.name, cause)
	e.RetryAfter = retryAway
	return e
}

func (s *server) refusal(detail string, err error) error {
	return &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", Detail: detail, Cause: s.cause(err)}
}

// cause is an error for the log, without the password.
func (s *server) cause(err error) error {
	if s.secret == "" {
		return err
	}
	return errors.New(s.scrub(err))
}

// isSentinel reports an error that is one of package app's already.
func isSentinel(err error) bool {
	for _, kind := range []error{app.ErrNotFound, app.ErrConflict, app.ErrStale, app.ErrInvalid,
		app.ErrUnauthenticated, app.ErrMoved, app.ErrFrozen, errOvertaken} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func isAuthentication(err error) bool {
	var e *auth.Error
	return errors.As(err, &e)
}

// refusals are the words in which a server says what is not allowed: there is
// no code for it.
var refusals = regexp.MustCompile(`to execute command (?:\{ (\w+)|\(action: (\w+)\))|command (\w+) requires authentication`)

// refusedCommand is the command, or the action, that a server did not allow, or
// "".
func refusedCommand(err error) string {
	var e mongo.CommandError
	if !errors.As(err, &e) {
		return ""
	}
	return strings.Join(append(refusals.FindStringSubmatch(e.Message), "", "")[1:], "")
}
