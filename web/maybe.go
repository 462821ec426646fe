package web

import "github.com/go-json-experiment/json"

// maybe is a member of a merge patch: absent, null, or a value.
type maybe[T any] struct {
	value *T
	null  bool
}

// UnmarshalJSON tells null from absent.
func (o *maybe[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = maybe[T]{null: true}
		return nil
	}
	o.value = new(T)
	return json.Unmarshal(b, o.value)
}
