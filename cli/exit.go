package cli

import (
	"errors"
	"fmt"
	"io"

	"tenantry/app"
	"tenantry/app/client"
)

// The exit codes, as "tenantry help exit-codes" lists them.
const (
	exitOK            = 0
	exitFailed        = 1
	exitUsage         = 2
	exitConfiguration = 3
	exitDataFolder    = 4
	exitUnreachable   = 5
)

const exitCodes = `Every command ends with one of these codes:

  0  done, or every check passed
  1  failed, or a check did not pass; standard error says why
  2  the command line is wrong
  3  the configuration is wrong
  4  the data folder cannot be used: another server holds it, it is not
     writable, a newer version wrote it, or it is damaged
  5  the server cannot be reached or does not answer
`

// exitError is an error with an exit code and, maybe, what to do next.
type exitError struct {
	code int
	err  error
	next string
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// fail gives err an exit code; next says what to do.
func fail(code int, err error, next string) error {
	if err == nil {
		return nil
	}
	return &exitError{code: code, err: err, next: next}
}

// report prints err for a person and gives the exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	code, next := exitFailed, ""
	var exit *exitError
	var answer *client.Error
	switch {
	case errors.As(err, &exit):
		code, next = exit.code, exit.next
	case errors.As(err, &answer):
		next = answerHint(answer)
	case errors.Is(err, app.ErrUnavailable):
		code = exitUnreachable
	}
	var away *client.UnreachableError
	if next == "" && errors.As(err, &away) {
		next = "Is the server running, and the URL right?"
	}
	_, _ = fmt.Fprintf(w, "tenantry: %s\n", harmlessLines(err.Error()))
	if next != "" {
		_, _ = fmt.Fprintln(w, next)
	}
	return code
}

func answerHint(e *client.Error) string {
	if errors.Is(e, app.ErrUnauthenticated) {
		return `Set TENANTRY_KEY (or TENANTRY_KEY_FILE) to an operator key; "tenantry operator key create" on the server's machine makes one.`
	}
	return ""
}
