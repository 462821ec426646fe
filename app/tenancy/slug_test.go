package tenancy

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tenantry/app"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSlugCorpus holds the slugs that names have: data that was written stays
// findable only while none of them changes. A difference here is a difference
// in somebody's data folder, and wants a migration and not an -update.
func TestSlugCorpus(t *testing.T) {
	const file = "testdata/slugs.txt"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var anew strings.Builder
	names := 0
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			fmt.Fprintln(&anew, line)
			continue
		}
		name, want, _ := strings.Cut(line, "\t")
		names++
		got := "refused"
		parsed, err := ParseName(name)
		if err == nil && parsed != name {
			t.Errorf("the corpus has %q, which is not a name as it is kept", name)
		}
		if slug, err := Slugify(parsed); err == nil {
			got = slug
		}
		if got != want && !*update {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
		fmt.Fprintf(&anew, "%s\t%s\n", name, got)
	}
	if names < 50 {
		t.Fatalf("only %d names in the corpus", names)
	}
	if *update {
		if err := os.WriteFile(file, []byte(anew.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSlugifyOfOneName(t *testing.T) {
	long := strings.Repeat("Very Long Name ", 7)[:100]
	same := [][]string{
		{"Acme Corp", "acme corp", "ACME-CORP", "Acme, Corp.", "«Acme» (Corp)", "acme_corp", "Ａｃｍｅ　Ｃｏｒｐ", "Acme Corp\u200b"},
		{"Ünal", "U\u0308nal", "ÜNAL", "unal"},
		{"Straße", "STRASSE"},
		{"ქართული", "ᲥᲐᲠᲗᲣᲚᲘ"},
		{"ᏣᎳᎩ", "ꮳꮃꭹ"},
		{"A", "a", "Ａ"},
		{"北京", "Bei Jing"},
		{long, strings.ToUpper(long), strings.ReplaceAll(long, " ", "_")},
	}
	for _, names := range same {
		want, err := Slugify(names[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names[1:] {
			if got, err := Slugify(name); got != want || err != nil {
				t.Errorf("%q: got %q, %v; %q has %q", name, got, err, names[0], want)
			}
		}
	}
}

func TestSlugifyTellsNamesApart(t *testing.T) {
	long := strings.Repeat("x", 99)
	names := []string{
		"🎉", "🎉🎉", "🚀", "C", "C++", "C#", "!", "?", "𐌰", "𐌱", "a b", "ab",
		long + "a", long + "b", long, strings.Repeat("x", 63), strings.Repeat("x", 64),
	}
	seen := map[string]string{}
	for _, name := range names {
		slug, err := Slugify(name)
		if err != nil {
			t.Fatal(name, err)
		}
		if other, there := seen[slug]; there {
			t.Errorf("%q and %q share %q", name, other, slug)
		}
		seen[slug] = name
	}
}

func TestSlugLengths(t *testing.T) {
	for _, n := range []int{2, 62, 63} {
		name := strings.Repeat("n", n)
		if got, err := Slugify(name); got != name || err != nil {
			t.Errorf("%d characters: %q, %v", n, got, err)
		}
	}
	for _, name := range []string{strings.Repeat("n", 64), strings.Repeat("n", 53) + " - " + strings.Repeat("n", 40), strings.Repeat("鬱", 100)} {
		got, err := Slugify(name)
		if err != nil || len(got) > 63 || len(got) < 62 {
			t.Errorf("%q: %q (%d), %v", name, got, len(got), err)
		}
		if p, err := ParseSlug(got); p != got || err != nil {
			t.Errorf("%q is no slug: %v", got, err)
		}
	}
}

func TestReservedNames(t *testing.T) {
	for _, name := range []string{"admin", "Admin", "ADMIN!", "  «Organizations» ", "v1", "Me", "Operator Keys", "ＡＤＭＩＮ", "well_known",
		"018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f", "018F3C1E 7A2B 7C3D 8E4F 5A6B7C8D9E0F"} {
		slug, err := Slugify(name)
		if slug != "" {
			t.Errorf("%q: got %q", name, slug)
		}
		wantField(t, err, "name", "organization_name_reserved")
	}
	for slug := range reserved {
		if hyphenate(slug) != slug || len(slug) < minSlug {
			t.Errorf("the reserved %q can never be a slug", slug)
		}
	}
}

func TestParseSlug(t *testing.T) {
	for _, s := range []string{"ab", "a-b", "00", "a1-2b-3c", strings.Repeat("x", 63), "org-6146299cd5", "018f3c1e"} {
		if got, err := ParseSlug(s); got != s || err != nil {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	tests := []struct{ in, code string }{
		{"a", "invalid_slug"}, {"Acme", "invalid_slug"}, {"-a-", "invalid_slug"}, {"a-", "invalid_slug"}, {"a--b", "invalid_slug"},
		{"a_b", "invalid_slug"}, {"a b", "invalid_slug"}, {"a/b", "invalid_slug"}, {"..", "invalid_slug"}, {"ä-b", "invalid_slug"},
		{"ab\x00", "invalid_slug"}, {"ab\n", "invalid_slug"}, {"", "invalid_slug"}, {strings.Repeat("x", 64), "invalid_slug"},
		{"$x", "invalid_slug"}, {"ab\u0301", "invalid_slug"}, {strings.Repeat("x", 10_000), "invalid_slug"},
		{"admin", "organization_name_reserved"}, {"organizations", "organization_name_reserved"},
		{"018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f", "organization_name_reserved"},
	}
	for _, tt := range tests {
		got, err := ParseSlug(tt.in)
		if got != "" {
			t.Errorf("%q: got %q", tt.in, got)
		}
		wantField(t, err, "slug", tt.code)
	}
}

func TestSlugProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkSlug(t, text().Draw(t, "name")) })
}

func FuzzSlugify(f *testing.F) {
	for _, seed := range []string{"Acme", "org.$x", "a/../b", "🎉", "admin", "ß", "ᲐႠⴀ", strings.Repeat("鬱", 100), "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) { checkSlug(t, s) })
}

func FuzzParseSlug(f *testing.F) {
	for _, seed := range []string{"acme", "a-b", "a--b", "-", "Ä", "admin", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		slug, err := ParseSlug(s)
		if err != nil && (slug != "" || !errors.Is(err, app.ErrInvalid)) || err == nil && slug != s {
			t.Fatalf("ParseSlug(%q) = %q, %v", s, slug, err)
		}
		if err == nil && !slugForm.MatchString(slug) {
			t.Fatalf("%q passes for a slug", slug)
		}
	})
}

var slugForm = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9]){1,62}$`)

// checkSlug holds what is true of the slug of every name.
func checkSlug(t failer, s string) {
	t.Helper()
	name, err := ParseName(s)
	if err != nil {
		return
	}
	slug, err := Slugify(name)
	if err != nil {
		if slug != "" || !errors.Is(err, app.ErrInvalid) {
			t.Fatalf("Slugify(%q) = %q, %v", name, slug, err)
		}
		return
	}
	if !slugForm.MatchString(slug) || len(slug) > 63 || reserved[slug] || app.IsID(slug) {
		t.Fatalf("Slugify(%q) = %q, which is no slug", name, slug)
	}
	for _, like := range []string{name, slug, FoldName(name)} {
		if got, err := Slugify(like); got != slug || err != nil {
			t.Fatalf("%q has the slug %q, and %q has %q, %v", name, slug, like, got, err)
		}
	}
	if got, err := ParseSlug(slug); got != slug || err != nil {
		t.Fatalf("ParseSlug(%q) = %q, %v", slug, got, err)
	}
	if c := app.CollectionName(slug); strings.ContainsAny(strings.TrimPrefix(c, "org_"), "-. $/\"") {
		t.Fatalf("the collection %q", c)
	}
}
