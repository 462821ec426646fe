package documents

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Merge applies a JSON merge patch (RFC 7396) to an object. Both are valid
// JSON objects in compact form, and so is the result. Keys keep their order;
// new ones go last. It reads either once, however deep they nest and however
// many keys they have: it runs where all writes of a file wait for it.
func Merge(target, patch []byte) ([]byte, error) {
	changes, err := readPatch(newReader(patch))
	if err != nil {
		return nil, err
	}
	return merge(make([]byte, 0, len(target)+len(patch)), newReader(target), changes)
}

// patch is one object of a merge patch.
type patch struct {
	members []*member
	byName  map[string]*member
}

// member is a key of a patch, in quotes as it was written, and its value: raw,
// or an object of its own, or null.
type member struct {
	quoted []byte
	raw    []byte
	object *patch
	null   bool
	// applied: the target had the key.
	applied bool
}

func readPatch(r reader) (*patch, error) {
	if _, err := r.ReadToken(); err != nil {
		return nil, err
	}
	p := &patch{byName: map[string]*member{}}
	for r.PeekKind() != '}' {
		quoted, name, err := r.key()
		if err != nil {
			return nil, err
		}
		m := &member{quoted: quoted, null: r.PeekKind() == 'n'}
		if r.PeekKind() == '{' {
			m.object, err = readPatch(r)
		} else {
			m.raw, err = r.value()
		}
		if err != nil {
			return nil, err
		}
		p.members, p.byName[name] = append(p.members, m), m
	}
	_, err := r.ReadToken()
	return p, err
}

// merge appends to out the object that r is at, changed.
func merge(out []byte, r reader, p *patch) ([]byte, error) {
	if _, err := r.ReadToken(); err != nil {
		return nil, err
	}
	out = append(out, '{')
	for r.PeekKind() != '}' {
		quoted, name, err := r.key()
		if err != nil {
			return nil, err
		}
		m := p.byName[name]
		if m != nil {
			m.applied = true
		}
		if m != nil && m.object != nil && r.PeekKind() == '{' {
			if out, err = merge(appendKey(out, quoted), r, m.object); err != nil {
				return nil, err
			}
			continue
		}
		value, err := r.value()
		switch {
		case err != nil:
			return nil, err
		case m == nil:
			out = append(appendKey(out, quoted), value...)
		case !m.null:
			out = m.append(appendKey(out, quoted))
		}
	}
	if _, err := r.ReadToken(); err != nil {
		return nil, err
	}
	return p.appendNew(out), nil
}

// appendNew appends what the target had no key for, and ends the object.
func (p *patch) appendNew(out []byte) []byte {
	for _, m := range p.members {
		if !m.applied && !m.null {
			out = m.append(appendKey(out, m.quoted))
		}
	}
	return append(out, '}')
}

// append appends the value as it is where nothing was.
func (m *member) append(out []byte) []byte {
	if m.object != nil {
		return m.object.appendNew(append(out, '{'))
	}
	return append(out, m.raw...)
}

// appendKey appends a key to an object that has begun.
func appendKey(out, quoted []byte) []byte {
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	return append(append(out, quoted...), ':')
}

// reader reads a text whose parts it gives without copying them.
type reader struct {
	*jsontext.Decoder
	text []byte
}

func newReader(text []byte) reader {
	return reader{jsontext.NewDecoder(bytes.NewBuffer(text)), text}
}

// value gives the next value as it is written.
func (r reader) value() ([]byte, error) {
	v, err := r.ReadValue()
	end := r.InputOffset()
	return r.text[end-int64(len(v)) : end], err
}

// key gives the next key as it is written and as it is meant.
func (r reader) key() (quoted []byte, name string, err error) {
	if quoted, err = r.value(); err != nil {
		return nil, "", err
	}
	meant, err := jsontext.AppendUnquote(nil, quoted)
	return quoted, string(meant), err
}
