//go:build unix

package cli_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Keys at random, in a real terminal on a real server, and still it works.
// TENANTRY_TEST_RANDOM_KEYS says for how long, such as 5m.
func TestTUIRandomKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	long := 5 * time.Second
	if set := os.Getenv("TENANTRY_TEST_RANDOM_KEYS"); set != "" {
		var err error
		if long, err = time.ParseDuration(set); err != nil {
			t.Fatal(err)
		}
	}
	server := serve(t, filepath.Join(t.TempDir(), "data"))
	for _, name := range []string{"Acme", "株式会社サンプル", "شركة المثال"} {
		post(t, server, "/v1/organizations", `{"name":"`+name+`","owner":{"email":"`+strings.ToLower(name[:2])+`@example.com","password":"correct-horse-battery"}}`)
	}
	s := openScreen(t, 80, 24, []string{"TENANTRY_KEY=" + server.Key, "EDITOR=true"}, "tui", "--url", server.URL)
	s.see("3 active")
	names := []string{"Enter", "Escape", "Tab", "BTab", "Up", "Down", "Left", "Right", "PageUp", "PageDown", "Home", "End", "Space", "BSpace", "C-u", "C-k"}
	letters := []rune("jkgGnfscRoSAUDewWyYitTX/:?m123456-+=rxżq")
	random := rand.New(rand.NewPCG(6, 6))
	for begun, n := time.Now(), 0; time.Since(begun) < long; n++ {
		keys := make([]string, 1+random.IntN(8))
		for i := range keys {
			if random.IntN(2) == 0 {
				keys[i] = names[random.IntN(len(names))]
				continue
			}
			keys[i] = string(letters[random.IntN(len(letters))])
		}
		s.press(keys...)
		if n%40 == 0 {
			s.resize(50+random.IntN(80), 12+random.IntN(40))
		}
		if text := s.text(); strings.Contains(text, "ended ") {
			if !strings.Contains(text, "ended 0 whole") {
				t.Fatalf("it ended badly:\n%s", text)
			}
			// q where it quits. On with a new one.
			s = openScreen(t, 80, 24, []string{"TENANTRY_KEY=" + server.Key, "EDITOR=true"}, "tui", "--url", server.URL)
			s.see("organizations")
		}
		if strings.Contains(s.text(), "has a fault") {
			t.Fatalf("a fault:\n%s", s.text())
		}
	}
	s.resize(80, 24)
	s.press("C-c")
	s.see("ended 0 whole")
}
