package tui

import (
	"errors"
	"strings"

	"tenantry/app"
	"tenantry/app/client"
)

// toldError is a sentence for the person at the terminal.
type toldError string

func (e toldError) Error() string { return string(e) }

// explain says what went wrong and what to do now. Errors of the server say
// both themselves. away: the server has not come back yet, and the status line
// says what is done about it.
func explain(err error, away bool) string {
	var told *client.Error
	switch {
	case gone(err) && away:
		return err.Error()
	case gone(err):
		return err.Error() + "\nIt answers again. See whether what you did was done before you repeat it."
	case errors.As(err, &told):
		return told.Error() + next(told)
	}
	return err.Error()
}

// next is what one can do here about an error that does not say it.
func next(e *client.Error) string {
	switch {
	case errors.Is(e, app.ErrStale):
		return "\nSomebody changed it meanwhile. Press r to see how it is now."
	case e.Code == "":
		return ""
	case errors.Is(e, app.ErrUnavailable), errors.Is(e, app.ErrLimit):
		return "\nPress r to try again."
	}
	return ""
}

// fieldProblems are the messages of an error's fields, by the last part of
// where they are: "email" for "owner.email".
func fieldProblems(err error) map[string]string {
	var told *client.Error
	var fields app.FieldErrors
	if errors.As(err, &told) {
		fields = told.Fields
	} else {
		errors.As(err, &fields)
	}
	found := map[string]string{}
	for _, f := range fields {
		name := f.Location[strings.LastIndexByte(f.Location, '.')+1:]
		if found[name] == "" {
			found[name] = f.Message
		}
	}
	return found
}

// sentence is the first message of a rule's error, or "".
func sentence(err error) string {
	var fields app.FieldErrors
	switch {
	case err == nil:
		return ""
	case errors.As(err, &fields) && len(fields) > 0:
		return fields[0].Message
	}
	var told *app.Error
	if errors.As(err, &told) {
		return told.Detail
	}
	return err.Error()
}
