package web

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// Huma's validator says what is wrong in its own words; ours are made of how
// they begin. An upgrade that changes them is seen here.
func TestWordsAreThoseOfTheValidator(t *testing.T) {
	type nested struct {
		Email string `json:"email"`
	}
	type body struct {
		Text   string         `json:"text" maxLength:"3" minLength:"2"`
		Number int            `json:"number,omitempty" minimum:"1" maximum:"5"`
		Choice string         `json:"choice,omitempty" enum:"a,b"`
		When   string         `json:"when,omitempty" format:"date-time"`
		Few    map[string]int `json:"few,omitempty" maxProperties:"1"`
		Inside *nested        `json:"inside,omitempty"`
		Flag   bool           `json:"flag,omitempty"`
		Items  []string       `json:"items,omitempty"`
	}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	schema := registry.Schema(reflect.TypeFor[body](), true, "Body")
	for name, c := range map[string]struct {
		value       object
		where, code string
	}{
		"missing":          {object{}, "text", "required"},
		"missing, deeper":  {object{"text": "ab", "inside": object{}}, "inside.email", "required"},
		"unknown":          {object{"text": "ab", "x": 1.0}, "x", "unknown_field"},
		"too long":         {object{"text": "S3cr3t"}, "text", "too_long"},
		"too short":        {object{"text": "a"}, "text", "too_short"},
		"other type":       {object{"text": 1.0}, "text", "wrong_type"},
		"other type, bool": {object{"text": "ab", "flag": "S3cr3t"}, "flag", "wrong_type"},
		"other type, list": {object{"text": "ab", "items": "S3cr3t"}, "items", "wrong_type"},
		"other type, map":  {object{"text": "ab", "inside": "S3cr3t"}, "inside", "wrong_type"},
		"in a list":        {object{"text": "ab", "items": list{1.0}}, "items[0]", "wrong_type"},
		"no integer":       {object{"text": "ab", "number": 1.5}, "number", "wrong_type"},
		"too small":        {object{"text": "ab", "number": 0.0}, "number", "out_of_range"},
		"too large":        {object{"text": "ab", "number": 6.0}, "number", "out_of_range"},
		"not a choice":     {object{"text": "ab", "choice": "S3cr3t"}, "choice", "not_allowed"},
		"no time":          {object{"text": "ab", "when": "S3cr3t"}, "when", "wrong_format"},
		"too many":         {object{"text": "ab", "few": object{"a": 1.0, "b": 2.0}}, "few", "too_many"},
	} {
		t.Run(name, func(t *testing.T) {
			res := &huma.ValidateResult{}
			path := huma.NewPathBuffer([]byte("body"), 0)
			huma.Validate(registry, schema, path, huma.ModeWriteToServer, c.value, res)
			model := &huma.ErrorModel{Status: http.StatusUnprocessableEntity}
			for _, err := range res.Errors {
				model.Add(err)
			}
			p := fromHuma(model)
			if len(p.Errors) != 1 || p.Errors[0].Location != c.where || p.Errors[0].Code != c.code {
				t.Errorf("%v is told as %+v", res.Errors, p.Errors)
			}
			if strings.Contains(string(p.appendJSON(nil)), "S3cr3t") {
				t.Errorf("the value comes back: %+v", p)
			}
		})
	}
}

func TestHumasOwnErrorsBecomeProblems(t *testing.T) {
	for status, code := range map[int]string{
		400: "body_not_json", 415: "content_type_not_supported", 413: "too_large", 408: "request_timeout", 500: "internal",
	} {
		p := fromHuma(&huma.ErrorModel{Status: status, Detail: "detail"})
		if p.Status != status || p.Code != code || status == 500 && strings.Contains(string(p.appendJSON(nil)), `"detail":"detail"`) {
			t.Errorf("%d becomes %+v", status, p)
		}
	}
}
