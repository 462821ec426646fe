package app_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"tenantry/app"
)

var kinds = []error{app.ErrInvalid, app.ErrUnauthenticated, app.ErrForbidden, app.ErrNotFound, app.ErrConflict,
	app.ErrStale, app.ErrLimit, app.ErrTooLarge, app.ErrUnavailable, app.ErrNoSpace}

func TestErrorIsOfItsKindAlone(t *testing.T) {
	for _, kind := range kinds {
		err := fmt.Errorf("wrapped: %w", app.Fail(kind, "some_code", "Some detail."))
		for _, other := range kinds {
			if errors.Is(err, other) != (kind == other) { //nolint:errorlint // the sentinels themselves
				t.Errorf("an error of kind %q is %q: %v", kind, other, kind != other) //nolint:errorlint // likewise
			}
		}
		var told *app.Error
		if !errors.As(err, &told) || told.Code != "some_code" || told.Detail != "Some detail." {
			t.Errorf("got %+v", told)
		}
	}
}

func TestErrorShowsItsCauseToTheLog(t *testing.T) {
	err := app.Unavailable("The registry", io.ErrUnexpectedEOF)
	if !errors.Is(err, app.ErrUnavailable) || !errors.Is(err, io.ErrUnexpectedEOF) || err.RetryAfter <= 0 {
		t.Errorf("%+v", err)
	}
	if !strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error()) || strings.Contains(err.Detail, "EOF") || !strings.Contains(err.Detail, "The registry") {
		t.Errorf("%q, shown as %q", err.Error(), err.Detail)
	}
	if bare := app.Unavailable("It", nil); strings.Contains(bare.Error(), "nil") || errors.Unwrap(bare) != nil {
		t.Errorf("%q", bare.Error())
	}
}

func TestTaken(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", app.Taken(app.ConflictEmail))
	var taken *app.TakenError
	if !errors.Is(err, app.ErrConflict) || errors.Is(err, app.ErrInvalid) || !errors.As(err, &taken) || taken.Field != app.ConflictEmail {
		t.Errorf("%v", err)
	}
	if !strings.Contains(err.Error(), "email") {
		t.Errorf("%q does not say what is taken", err)
	}
}

func TestFieldErrors(t *testing.T) {
	err := app.Invalid("email", "required", "An address is required.")
	if !errors.Is(fmt.Errorf("wrapped: %w", err), app.ErrInvalid) || errors.Is(err, app.ErrConflict) {
		t.Error("they are not invalid, or more than that")
	}
	both := append(app.Invalid("name", "too_long", "Too long."), err...)
	if got := both.Error(); !strings.Contains(got, "name: Too long.") || !strings.Contains(got, "email: An address is required.") {
		t.Errorf("%q", got)
	}
}

func TestAt(t *testing.T) {
	inner := append(app.Invalid("email", "required", "m"), app.FieldError{Location: "name", Code: "too_long", Message: "n"})
	var got app.FieldErrors
	if !errors.As(app.At("owner", fmt.Errorf("wrapped: %w", inner)), &got) || len(got) != 2 ||
		got[0].Location != "owner.email" || got[1].Location != "owner.name" || got[1].Code != "too_long" {
		t.Errorf("got %+v", got)
	}
	if inner[0].Location != "email" {
		t.Error("the errors that were given have changed")
	}
	if app.At("owner", nil) != nil {
		t.Error("no error has become one")
	}
	if err := app.At("owner", io.EOF); err != io.EOF { //nolint:errorlint // it is promised as it is
		t.Errorf("got %v", err)
	}
}
