//go:build unix

package failpoint_test

import (
	"bytes"
	"net/http"
	"os"
	"testing"
)

// The program that everybody else builds has no failpoints: nothing in it
// reads the variable, and it lives where the other dies.
func TestOrdinaryBuildsHaveNone(t *testing.T) {
	const variable = "FAILPOINT"
	for name, c := range map[string]struct {
		build func() (string, error)
		has   bool
	}{"with": {buildWithPoints, true}, "without": {buildWithoutThem, false}} {
		program, err := c.build()
		if err != nil {
			t.Fatal(err)
		}
		binary, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(binary, []byte(variable)); got != c.has {
			t.Errorf("built %s the tag: it names the variable: %v", name, got)
		}
		p := launch(t, program, t.TempDir(), variable+"=from=BeginCreate at=0 when=before")
		if !p.ready() {
			t.Fatalf("it does not serve:\n%s", p.log)
		}
		s := subject{name: "Whole"}
		a, err := p.ask("POST", "/v1/organizations", "", s.creation())
		if c.has {
			if err == nil {
				t.Errorf("built with the tag, it answers %d", a.Status)
			}
			p.killedItself()
		} else if err != nil || a.Status != http.StatusCreated {
			t.Errorf("built without the tag: %v, %d %s", err, a.Status, a.Body)
		}
	}
}
