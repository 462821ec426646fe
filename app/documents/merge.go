package documents

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// field is a key of an object, in quotes as it was written, and its value.
type field struct {
	quoted []byte
	name   string
	value  jsontext.Value
}

// Merge applies a JSON merge patch (RFC 7396) to an object. Both are valid
// JSON objects in compact form, and so is the result. Keys keep their order;
// new ones go last.
func Merge(target, patch []byte) ([]byte, error) {
	fields, err := split(target)
	if err != nil {
		return nil, err
	}
	changes, err := split(patch)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		at := find(fields, change.name)
		switch change.value.Kind() {
		case 'n':
			if at >= 0 {
				fields = append(fields[:at], fields[at+1:]...)
			}
			continue
		case '{':
			into := []byte("{}")
			if at >= 0 && fields[at].value.Kind() == '{' {
				into = fields[at].value
			}
			if change.value, err = Merge(into, change.value); err != nil {
				return nil, err
			}
		}
		if at >= 0 {
			fields[at].value = change.value
		} else {
			fields = append(fields, change)
		}
	}
	return join(fields), nil
}

func find(fields []field, name string) int {
	for i := range fields {
		if fields[i].name == name {
			return i
		}
	}
	return -1
}

func split(object []byte) ([]field, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var fields []field
	for dec.PeekKind() != '}' {
		quoted, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		f := field{quoted: bytes.Clone(quoted)}
		name, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			return nil, err
		}
		f.name = string(name)
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		f.value = value.Clone()
		fields = append(fields, f)
	}
	return fields, nil
}

func join(fields []field) []byte {
	out := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, f.quoted...)
		out = append(out, ':')
		out = append(out, f.value...)
	}
	return append(out, '}')
}
