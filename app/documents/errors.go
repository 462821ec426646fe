package documents

import (
	"errors"

	"tenantry/app"
)

// spoken turns an engine's refusal into the sentence for a person.
func spoken(err error) error {
	var told *app.Error
	var fields app.FieldErrors
	switch {
	case errors.As(err, &told), errors.As(err, &fields):
		return err
	case errors.Is(err, app.ErrNotFound):
		return errUnknown()
	case errors.Is(err, app.ErrStale):
		return app.Fail(app.ErrStale, "revision_mismatch",
			"The document has changed since you read it. Read it again and repeat your change.")
	case errors.Is(err, app.ErrConflict):
		return app.Fail(app.ErrConflict, "document_id_taken", "There is a document with this id already.")
	}
	return err
}

// gone is for acts that need no document: what they do not find is the
// organization, deleted since it was resolved.
func gone(err error) error {
	if errors.Is(err, app.ErrNotFound) {
		return app.Fail(app.ErrNotFound, "organization_not_found", "There is no such organization any more.")
	}
	return err
}

func errUnknown() error {
	return app.Fail(app.ErrNotFound, "document_not_found", "There is no document with this id in this organization.")
}
