package tenancy

import (
	"errors"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"

	"tenantry/app"
)

// Bounds of what an organization carries for its owner.
const (
	maxMetadata      = 50
	maxMetadataKey   = 40
	maxMetadataValue = 600
	maxExternalID    = 255
)

// CheckExternalID is the rule of an external id: at most 255 characters, none
// of them a control character. The error is app.FieldErrors at "external_id".
func CheckExternalID(s string) error {
	if utf8.RuneCountInString(s) > maxExternalID || !plainText(s) {
		return app.Invalid("external_id", "invalid_external_id",
			"An external id is at most 255 characters without control characters.")
	}
	return nil
}

func checkMetadata(m map[string]string) error {
	var fields app.FieldErrors
	if len(m) > maxMetadata {
		fields = append(fields, app.FieldError{Location: "metadata", Code: "too_many",
			Message: "Metadata has at most 50 keys."})
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v := m[k]
		if k == "" || utf8.RuneCountInString(k) > maxMetadataKey || !plainText(k) {
			fields = append(fields, app.FieldError{Location: "metadata", Code: "invalid_key",
				Message: "A metadata key is 1 to 40 characters without control characters."})
			continue
		}
		if utf8.RuneCountInString(v) > maxMetadataValue || !utf8.ValidString(v) {
			fields = append(fields, app.FieldError{Location: "metadata." + k, Code: "too_long",
				Message: "A metadata value is text of at most 600 characters."})
		}
	}
	return orNil(fields)
}

func plainText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// collect adds err to fields where it is app.FieldErrors, and gives it back
// where it is something else.
func collect(fields *app.FieldErrors, err error) error {
	if err == nil {
		return nil
	}
	var more app.FieldErrors
	if errors.As(err, &more) {
		*fields = append(*fields, more...)
		return nil
	}
	return err
}

// orNil keeps an empty list from being an error.
func orNil(fields app.FieldErrors) error {
	if len(fields) == 0 {
		return nil
	}
	return fields
}
