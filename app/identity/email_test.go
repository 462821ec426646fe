package identity

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestParseEmail(t *testing.T) {
	long := strings.Repeat
	tests := []struct{ name, in, display, key string }{
		{"plain", "ada@example.com", "ada@example.com", "ada@example.com"},
		{"case and space", " \tAda.L@Example.COM\n", "Ada.L@Example.COM", "ada.l@example.com"},
		{"tag and odd characters", "o'b+x_{}|~!#$%&*-/=?^`@a.example", "o'b+x_{}|~!#$%&*-/=?^`@a.example", "o'b+x_{}|~!#$%&*-/=?^`@a.example"},
		{"one label", "root@mail", "root@mail", "root@mail"},
		{"IDN", "ADA@BÜCHER.example", "ADA@BÜCHER.example", "ada@bücher.example"},
		{"decomposed", "zoe\u0308@example.com", "zo\u00eb@example.com", "zo\u00eb@example.com"},
		{"other scripts", "用户@例え.テスト", "用户@例え.テスト", "用户@例え.テスト"},
		{"vowel signs", "a@हिन्दी.example", "a@हिन्दी.example", "a@हिन्दी.example"},
		{"longest local part", long("a", 64) + "@example.com", long("a", 64) + "@example.com", long("a", 64) + "@example.com"},
		{"longest", long("a", 64) + "@" + long("b", 63) + "." + long("c", 63) + "." + long("d", 61), "", ""},
	}
	for _, tt := range tests {
		if tt.name == "longest" {
			tt.display, tt.key = tt.in, tt.in
		}
		display, key, err := ParseEmail(tt.in)
		if err != nil || display != tt.display || key != tt.key {
			t.Errorf("%s: %q, %q, %v; want %q, %q", tt.name, display, key, err, tt.display, tt.key)
		}
	}
}

func TestParseEmailRefuses(t *testing.T) {
	long := strings.Repeat
	for name, in := range map[string]string{
		"empty":            "",
		"white space":      " \n ",
		"no at":            "ada.example.com",
		"two at":           "ada@x@example.com",
		"nothing before":   "@example.com",
		"nothing after":    "ada@",
		"NUL":              "ada\x00@example.com",
		"line end inside":  "ada@example.com\nbcc:x@example.com",
		"space inside":     "ada l@example.com",
		"no-break space":   "ada\u00a0l@example.com",
		"delete":           "ada\x7f@example.com",
		"invisible":        "ada\u200b@example.com",
		"direction":        "ada\u202e@example.com",
		"invalid UTF-8":    "ada\xff@example.com",
		"display name":     "Ada <ada@example.com>",
		"quoted":           `"ada"@example.com`,
		"two":              "a@example.com,b@example.com",
		"literal":          "ada@[127.0.0.1]",
		"dots":             "a..b@example.com",
		"dot first":        ".a@example.com",
		"dot before at":    "a.@example.com",
		"empty label":      "a@example..com",
		"dot at end":       "a@example.com.",
		"hyphen first":     "a@-example.com",
		"hyphen last":      "a@example-.com",
		"underscore":       "a@ex_ample.com",
		"slash":            "a@example.com/x",
		"long local part":  long("a", 65) + "@example.com",
		"long label":       "a@" + long("b", 64) + ".com",
		"255 bytes":        long("a", 64) + "@" + long("b", 63) + "." + long("c", 63) + "." + long("d", 62),
		"very long":        long("a", 1<<20) + "@example.com",
		"key grows longer": long("\u023a", 32) + "@" + long("b", 63) + "." + long("c", 63) + "." + long("\u023a", 31), // lower case is 3 bytes
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ParseEmail(in)
			wantField(t, err, "email", "invalid_email")
			if len(in) > 3 && strings.Contains(err.Error(), in) {
				t.Error("the message repeats what was sent")
			}
		})
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"a@b", "Ada@Example.com", "İ@x.example", "ΟΔΟΣ@x.example", "a\u0301@b.c", "@", "a@b@c", "\xff@x", "K@x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		display, key, err := ParseEmail(s)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "email: ") {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if strings.Count(key, "@") != 1 || len(key) > maxEmail || len(display) > maxEmail || !utf8.ValidString(key) {
			t.Fatalf("%q gives %q, %q", s, display, key)
		}
		if strings.ContainsFunc(display+key, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
			t.Fatalf("%q gives %q, %q", s, display, key)
		}
		// A key is its own key, and so is what a display is shown as.
		for _, again := range []string{display, key} {
			if _, k, err := ParseEmail(again); err != nil || k != key {
				t.Fatalf("%q gives the key %q, but %q gives %q, %v", s, key, again, k, err)
			}
		}
	})
}
