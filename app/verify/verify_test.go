package verify

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tenantry/app/client"
	"tenantry/app/servertest"
)

// firstBroken is the first check that did not pass, or "".
func firstBroken(r Report) string {
	for _, result := range r.Results {
		if result.Err != nil {
			return result.Name
		}
	}
	return ""
}

func newClient(t *testing.T, url, token string) *client.Client {
	t.Helper()
	c, err := client.New(url, client.Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// left names the organizations that are still there.
func left(t *testing.T, s *servertest.Server) []string {
	t.Helper()
	page, err := newClient(t, s.URL, s.Key).ListOrganizations(t.Context(), client.ListOrganizations{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range page.Items {
		names = append(names, o.Name)
	}
	return names
}

func TestPasses(t *testing.T) {
	s := servertest.Start(t)
	for who, token := range map[string]string{"anybody": "", "an operator": s.Key} {
		var begun, ended []string
		report := Run(t.Context(), newClient(t, s.URL, token), Observer{
			Begin: func(name string) { begun = append(begun, name) },
			End:   func(r Result) { ended = append(ended, r.Name) },
		})
		for _, r := range report.Results {
			if r.Err != nil || r.Skipped {
				t.Errorf("as %s: %s: %v (skipped %v)", who, r.Name, r.Err, r.Skipped)
			}
		}
		if !report.Passed() || len(begun) != len(checks)+1 || !slices.Equal(begun, ended) {
			t.Errorf("as %s: passed %v, begun %q, ended %q", who, report.Passed(), begun, ended)
		}
	}
	if names := left(t, s); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
}

// Every promise broken: the check that is there for it fails, no earlier one
// does, and what was made is removed all the same.
func TestCanFail(t *testing.T) {
	s := servertest.Start(t)
	covered := map[string]bool{}
	for _, b := range breakers {
		covered[b.check] = true
		t.Run(b.check+"/"+b.promise, func(t *testing.T) {
			report := Run(t.Context(), newClient(t, broken(t, s.URL, b.hurt), ""), Observer{})
			if got := firstBroken(report); got != b.check || report.Passed() {
				t.Errorf("the first check to fail is %q; passed: %v", got, report.Passed())
				for _, r := range report.Results {
					t.Logf("%-20s skipped=%v %v", r.Name, r.Skipped, r.Err)
				}
			}
			for _, name := range left(t, s) {
				if !b.leaves {
					t.Errorf("left behind: %s", name)
				}
				remove(t, s, name)
			}
		})
	}
	for _, c := range append(slices.Clone(checks), check{name: "clean up"}) {
		if !covered[c.name] {
			t.Errorf("no broken server shows that the check %q can fail", c.name)
		}
	}
}

func remove(t *testing.T, s *servertest.Server, name string) {
	t.Helper()
	c := newClient(t, s.URL, s.Key)
	page, err := c.ListOrganizations(t.Context(), client.ListOrganizations{Text: name})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range page.Items {
		if _, err := c.DeleteOrganization(t.Context(), o.ID); err != nil {
			t.Fatal(err)
		}
	}
}

// Interrupted at every check in turn: nothing is left, and the report says so.
func TestInterrupted(t *testing.T) {
	s := servertest.Start(t)
	for _, c := range checks {
		ctx, interrupt := context.WithCancel(t.Context())
		report := Run(ctx, newClient(t, s.URL, ""), Observer{Begin: func(name string) {
			if name == c.name {
				interrupt()
			}
		}})
		interrupt()
		if report.Passed() || !report.Interrupted {
			t.Errorf("interrupted at %q: passed %v, interrupted %v", c.name, report.Passed(), report.Interrupted)
		}
		if last := report.Results[len(report.Results)-1]; last.Name != "clean up" || last.Err != nil {
			t.Errorf("interrupted at %q: ended with %s: %v", c.name, last.Name, last.Err)
		}
		if names := left(t, s); len(names) > 0 {
			t.Fatalf("interrupted at %q: left behind %q", c.name, names)
		}
	}
}

// An interrupt that comes while the server makes an organization: nobody was
// told that it was made, and it is removed all the same.
func TestInterruptedWhileCreating(t *testing.T) {
	s := servertest.Start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	url := broken(t, s.URL, func(_ *proxy, x *exchange) {
		if x.creates() {
			x.forward()
			interrupt()
		}
	})
	report := Run(ctx, newClient(t, url, ""), Observer{})
	if report.Passed() || !report.Interrupted {
		t.Errorf("passed %v, interrupted %v", report.Passed(), report.Interrupted)
	}
	if names := left(t, s); len(names) > 0 {
		t.Fatalf("left behind %q", names)
	}
}

// What is no Tenantry server, and nobody at all.
func TestElsewhere(t *testing.T) {
	url := broken(t, "http://127.0.0.1:1", func(_ *proxy, x *exchange) {
		x.answer(http.StatusOK, "Welcome to nginx!")
		x.Type = "text/html"
	})
	for _, at := range []string{url, "http://127.0.0.1:1"} {
		report := Run(t.Context(), newClient(t, at, ""), Observer{})
		if report.Passed() || firstBroken(report) != "ready" {
			t.Errorf("%s: passed %v, first broken %q", at, report.Passed(), firstBroken(report))
		}
		for _, r := range report.Results {
			if r.Name != "ready" && r.Name != "create" && r.Name != "clean up" && !r.Skipped {
				t.Errorf("%s: %s was not skipped: %v", at, r.Name, r.Err)
			}
		}
	}
}

func hasNot(name string) bool { return strings.HasSuffix(name, "-not") }
