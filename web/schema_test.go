package web

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Decoded JSON.
type (
	object = map[string]any
	list   = []any
)

// jsonSchema checks values against the schemas of an OpenAPI document. It
// knows the keywords that our document uses and complains about any other, so
// that none is passed over.
type jsonSchema struct{ schemas object }

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// check gives what is wrong, each with the place it is at.
func (s jsonSchema) check(at string, schema object, v any) []string {
	if ref, ok := schema["$ref"].(string); ok {
		target, ok := s.schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(object)
		if !ok {
			return []string{at + ": " + ref + " leads nowhere"}
		}
		return s.check(at, target, v)
	}
	var faults []string
	fault := func(format string, args ...any) {
		faults = append(faults, at+": "+fmt.Sprintf(format, args...))
	}
	for keyword, want := range schema {
		switch keyword {
		case "description", "examples", "default", "properties", "additionalProperties":
		case "type":
			if !hasType(want, v) {
				fault("%T is not of type %v", v, want)
			}
		case "enum":
			if values, _ := want.(list); !slices.Contains(values, v) {
				fault("%v is none of %v", v, want)
			}
		case "required":
			o, _ := v.(object)
			for _, name := range want.(list) {
				if _, there := o[name.(string)]; !there && v != nil {
					fault("%s is missing", name)
				}
			}
		case "items":
			items, _ := v.(list)
			for i, item := range items {
				faults = append(faults, s.check(fmt.Sprintf("%s.%d", at, i), want.(object), item)...)
			}
		case "format":
			if text, ok := v.(string); ok && !hasFormat(want, text) {
				fault("%q is no %s", text, want)
			}
		case "maxLength":
			if text, ok := v.(string); ok && float64(len([]rune(text))) > want.(float64) {
				fault("longer than %v", want)
			}
		case "minimum":
			if n, ok := v.(float64); ok && n < want.(float64) {
				fault("%v is less than %v", n, want)
			}
		case "maximum":
			if n, ok := v.(float64); ok && n > want.(float64) {
				fault("%v is more than %v", n, want)
			}
		default:
			fault("the check does not know the keyword %q", keyword)
		}
	}
	if o, ok := v.(object); ok {
		faults = append(faults, s.checkMembers(at, schema, o)...)
	}
	return faults
}

func (s jsonSchema) checkMembers(at string, schema, o object) []string {
	var faults []string
	properties, _ := schema["properties"].(object)
	for name, member := range o {
		if property, known := properties[name].(object); known {
			faults = append(faults, s.check(at+"."+name, property, member)...)
			continue
		}
		switch additional := schema["additionalProperties"].(type) {
		case bool:
			if !additional {
				faults = append(faults, at+": "+name+" is not in the schema")
			}
		case object:
			faults = append(faults, s.check(at+"."+name, additional, member)...)
		}
	}
	return faults
}

func hasType(want, v any) bool {
	if types, ok := want.(list); ok {
		return slices.ContainsFunc(types, func(w any) bool { return hasType(w, v) })
	}
	switch v := v.(type) {
	case nil:
		return want == "null"
	case bool:
		return want == "boolean"
	case string:
		return want == "string"
	case float64:
		return want == "number" || want == "integer" && v == float64(int64(v))
	case []any:
		return want == "array"
	case object:
		return want == "object"
	}
	return false
}

func hasFormat(format any, text string) bool {
	switch format {
	case "date-time":
		t, err := time.Parse(timeFormat, text)
		return err == nil && t.Format(timeFormat) == text
	case "uuid":
		return uuidPattern.MatchString(text)
	case "uri-reference":
		_, err := url.Parse(text)
		return err == nil
	case "password":
		return true
	}
	return false
}
