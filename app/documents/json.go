package documents

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"tenantry/app"
)

// maxDepth is how deep objects and arrays may nest. BSON allows 100 levels
// (MongoDB manual, "Limits and thresholds"), and the envelope takes some.
const maxDepth = 90

// Compact checks a document's data and takes out the white space between its
// tokens. The data is a JSON object of valid UTF-8 without duplicate keys,
// nested at most 90 deep, whose keys have no NUL, and whose numbers fit: an
// integer a signed 64-bit one, any other a finite double. A larger integer
// would come back rounded, and belongs in a string.
// The error is app.FieldErrors at location.
func Compact(location string, data []byte) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	if dec.PeekKind() != '{' {
		return nil, app.Invalid(location, "not_an_object", "This must be a JSON object.")
	}
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, app.Invalid(location, "invalid_json", "This is not valid JSON: "+jsonFault(err)+".")
		}
		if dec.StackDepth() > maxDepth {
			return nil, app.Invalid(location, "too_deep", "Objects and arrays nest deeper than 90 levels.")
		}
		switch token.Kind() {
		case '0':
			if !numberFits(token.String()) {
				return nil, app.Invalid(location, "number_out_of_range",
					"The number at "+place(dec.StackPointer())+" cannot be kept exactly. Send it as text.")
			}
		case '"':
			// In an object, every other token is a key.
			if kind, n := dec.StackIndex(dec.StackDepth()); kind == '{' && n%2 == 1 && strings.IndexByte(token.String(), 0) >= 0 {
				return nil, app.Invalid(location, "invalid_key", "A key has a NUL character.")
			}
		}
		if dec.StackDepth() == 0 {
			if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
				return nil, app.Invalid(location, "invalid_json", "Something follows the JSON object.")
			}
			break
		}
	}
	value := jsontext.Value(bytes.Clone(data))
	if err := value.Compact(); err != nil {
		return nil, app.Invalid(location, "invalid_json", "This is not valid JSON: "+jsonFault(err)+".")
	}
	return value, nil
}

// place is where something is, for a sentence: keys can be megabytes long.
func place(p jsontext.Pointer) string {
	const long = 200
	if len(p) <= long {
		return string(p)
	}
	return strings.ToValidUTF8(string(p[:long]), "") + "…"
}

// jsonFault words what is wrong without repeating the data.
func jsonFault(err error) string {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "a key stands twice in one object"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	case errors.As(err, &syntax):
		return "there is a fault at byte " + strconv.FormatInt(syntax.ByteOffset, 10)
	}
	return "it cannot be read"
}

func numberFits(s string) bool {
	if !strings.ContainsAny(s, ".eE") {
		_, err := strconv.ParseInt(s, 10, 64)
		return err == nil
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
