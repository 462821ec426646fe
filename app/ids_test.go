package app_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"tenantry/app"
)

func TestNewID(t *testing.T) {
	const makers, each = 8, 2000
	lists := make([][]string, makers)
	var group sync.WaitGroup
	for i := range lists {
		group.Go(func() {
			for range each {
				lists[i] = append(lists[i], string(app.NewID[app.OrganizationID]()))
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for _, list := range lists {
		if !slices.IsSorted(list) {
			t.Error("ids are not in the order in which they were made")
		}
		for _, id := range list {
			if seen[id] {
				t.Fatal(id, "was made twice")
			}
			seen[id] = true
			u, err := uuid.Parse(id)
			if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 || !app.IsID(id) {
				t.Fatalf("%s is no UUIDv7 in canonical form: %v", id, err)
			}
		}
	}
}

func TestParseID(t *testing.T) {
	const good = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f"
	if id, err := app.ParseID[app.UserID](good); id != good || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	for _, s := range []string{
		"", "018f3c1e7a2b7c3d8e4f5a6b7c8d9e0f", strings.ToUpper(good), "{" + good + "}", "urn:uuid:" + good, good + " ", " " + good[1:],
		good[:35], good + "0", strings.Replace(good, "-", "_", 1), strings.Replace(good, "f", "g", 1), good[:35] + "\x00", good[:35] + "é",
		"018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0-", strings.Repeat("x", 10_000),
	} {
		id, err := app.ParseID[app.UserID](s)
		if id != "" || !errors.Is(err, app.ErrInvalid) || len(err.Error()) > 200 {
			t.Errorf("%.50q: %q, %v", s, id, err)
		}
	}
}

func TestParseDocumentID(t *testing.T) {
	for _, s := range []string{"a", "Z", "0", "-", "_", "~", "...", "..a", ".a", "a.", "a-b_c.d~e", strings.Repeat("x", 128)} {
		id, err := app.ParseDocumentID(s)
		if string(id) != s || err != nil {
			t.Errorf("%q: %q, %v", s, id, err)
		}
		if url.PathEscape(s) != s {
			t.Errorf("%q needs escaping in a URL", s)
		}
	}
	for _, s := range []string{"", ".", "..", " ", "a b", "a/b", `a\b`, "a%41", "a?b", "a#b", "a:b", "a@b", "a+b", "a,b", "$a", "a'b", "é",
		"a\x00", "a\n", "a\x7f", "\xff", "a\u200b", strings.Repeat("x", 129)} {
		id, err := app.ParseDocumentID(s)
		var fields app.FieldErrors
		if id != "" || !errors.As(err, &fields) || fields[0].Location != "id" || fields[0].Code != "invalid_document_id" {
			t.Errorf("%q: %q, %v", s, id, err)
		}
	}
}

func FuzzParseDocumentID(f *testing.F) {
	for _, seed := range []string{"a", "..", "a/b", "é", "\x00", "~"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := app.ParseDocumentID(s)
		if err != nil {
			if id != "" || !errors.Is(err, app.ErrInvalid) {
				t.Fatalf("%q: %q, %v", s, id, err)
			}
			return
		}
		u, parseErr := url.Parse("http://host/documents/" + s)
		if string(id) != s || parseErr != nil || u.JoinPath().Path != "/documents/"+s || u.EscapedPath() != "/documents/"+s {
			t.Fatalf("%q does not travel in a URL", s)
		}
	})
}
