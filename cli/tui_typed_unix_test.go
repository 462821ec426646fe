//go:build unix

package cli_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// 100 kB in every field: the field takes what it takes, and all goes on.
func TestTUIPaste(t *testing.T) {
	s := openTUI(t, 80, 24, nil, "--data-dir", dataDir(t))
	s.See("none yet")
	huge := strings.Repeat("paste\x1b[31m\n世界q ", 100_000/20)
	s.Press("n")
	s.See("New organization")
	for _, said := range []string{"longer than 100 characters", "email address", "at most 72 bytes", "A slug is 2 to 63", "at most 255"} {
		s.Paste(huge)
		s.See("✗", said)
		s.Clear()
		switch {
		case strings.Contains(said, "100"):
			s.Answers("Pasted")
		case strings.Contains(said, "email"):
			s.Answers("p@example.com")
		case strings.Contains(said, "72"):
			s.Answers("correct-horse-battery")
		default:
			s.Answers("")
		}
	}
	s.See("Pasted is made")
	s.Press("Tab")
	s.See("Documents belong")
	s.Press("Enter")
	s.See("Member's email")
	s.Answers("", "correct-horse-battery")
	s.See("no document yet")
	s.Press("n")
	s.See("New document")
	s.Answers("note")
	s.Paste(`{"text": "` + strings.Repeat("x", 100_000) + `"}`)
	s.See("This is good JSON")
	s.Press("Enter", "Enter")
	s.See("is made.", "       now") // the row
	s.Press("Enter")
	s.See(`"text": "xxx`)
	s.Press("2")
	s.See("oldest first")
	s.Press("/")
	s.Paste(huge)
	s.See("No organization is like that")
	s.Press("Escape")
	s.See("1 of 1")
	s.Press("q")
	s.See("ended 0 whole")
}

// endedLine is what the terminal says when the program has ended, which no list of
// suspended ones.
var endedLine = regexp.MustCompile(`\bended \d+ (whole|broken)`)

// Keys at random, in a real terminal on a real server, and still it works.
// TENANTRY_TEST_RANDOM_KEYS says for how long, such as 5m.
func TestTUIRandomKeys(t *testing.T) {
	long := 5 * time.Second
	if set := os.Getenv("TENANTRY_TEST_RANDOM_KEYS"); set != "" {
		var err error
		if long, err = time.ParseDuration(set); err != nil {
			t.Fatal(err)
		}
	}
	server := serve(t, dataDir(t))
	for i, name := range []string{"Acme", "株式会社サンプル", "شركة المثال"} {
		owned(server, name, fmt.Sprintf("owner%d@example.com", i))
	}
	s := openTUI(t, 80, 24, []string{"TENANTRY_KEY=" + server.Key, "EDITOR=true"}, "--url", server.URL)
	s.See("3 active")
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
		s.Press(keys...)
		if n%40 == 0 {
			s.Resize(50+random.IntN(80), 12+random.IntN(40))
			// On a busy machine keys would come faster than they are handled, and
			// the last of them after all patience.
			before := ""
			s.Until("rest", func() bool {
				now := s.Text()
				rests := now == before
				before = now
				return rests
			})
		}
		if text := s.Text(); endedLine.MatchString(text) {
			if !strings.Contains(text, "ended 0 whole") {
				t.Fatalf("it ended badly:\n%s", text)
			}
			// q where it quits. On with a new one.
			s = openTUI(t, 80, 24, []string{"TENANTRY_KEY=" + server.Key, "EDITOR=true"}, "--url", server.URL)
			s.See("organizations")
		}
		if strings.Contains(s.Text(), "has a fault") {
			t.Fatalf("a fault:\n%s", s.Text())
		}
	}
	s.Resize(80, 24)
	s.Press("C-c")
	s.See("ended 0 whole")
}
