package cli

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"tenantry/app/verify"
)

// nameWidth is that of the longest name of a check.
const nameWidth = 20

// newProgress prints one line for each check, and on a terminal the name of
// the one that is running.
func newProgress(w io.Writer) verify.Observer {
	terminal := isTerminal(w)
	return verify.Observer{
		Begin: func(name string) {
			if terminal {
				_, _ = fmt.Fprintf(w, "...   %s", name)
			}
		},
		End: func(r verify.Result) {
			if terminal {
				_, _ = fmt.Fprint(w, "\r\x1b[K")
			}
			_, _ = fmt.Fprintf(w, "%-5s %-*s %8s  %s\n", outcome(r), nameWidth, r.Name, duration(r.Took), r.Promise)
			if r.Err != nil {
				_, _ = fmt.Fprintf(w, "      %s\n", strings.ReplaceAll(harmlessLines(r.Err.Error()), "\n", "\n      "))
			}
		},
	}
}

func outcome(r verify.Result) string {
	switch {
	case r.Skipped:
		return "skip"
	case r.Err != nil:
		return "FAIL"
	}
	return "ok"
}

func duration(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func count(r verify.Report) (passed, failed, skipped int) {
	for _, result := range r.Results {
		switch outcome(result) {
		case "ok":
			passed++
		case "skip":
			skipped++
		default:
			failed++
		}
	}
	return passed, failed, skipped
}

func reportText(w io.Writer, r verify.Report) error {
	passed, failed, skipped := count(r)
	verdict := fmt.Sprintf("all %d checks passed", passed)
	if failed+skipped > 0 {
		verdict = fmt.Sprintf("%d passed, %d failed, %d skipped", passed, failed, skipped)
	}
	_, err := fmt.Fprintf(w, "\n%s in %s\n", verdict, duration(r.Took))
	return err
}

func reportJSON(w io.Writer, r verify.Report) error {
	type check struct {
		Name     string  `json:"name"`
		Promise  string  `json:"promise"`
		Outcome  string  `json:"outcome"` // passed, failed, skipped
		Duration float64 `json:"duration_ms"`
		Error    string  `json:"error,omitempty"`
	}
	out := struct {
		Passed      bool    `json:"passed"`
		Interrupted bool    `json:"interrupted,omitempty"`
		Duration    float64 `json:"duration_ms"`
		Checks      []check `json:"checks"`
	}{Passed: r.Passed(), Interrupted: r.Interrupted, Duration: milliseconds(r.Took)}
	for _, result := range r.Results {
		c := check{Name: result.Name, Promise: result.Promise, Duration: milliseconds(result.Took),
			Outcome: map[string]string{"ok": "passed", "FAIL": "failed", "skip": "skipped"}[outcome(result)]}
		if result.Err != nil {
			c.Error = result.Err.Error()
		}
		out.Checks = append(out.Checks, c)
	}
	return writeJSON(w, out)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// The format that continuous integration servers read; its elements are as in
// https://github.com/testmoapp/junitxml.
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"` // seconds
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"` // seconds
	Failure *junitFailure `xml:"failure"`
	Skipped *struct{}     `xml:"skipped"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func reportJUnit(w io.Writer, r verify.Report) error {
	_, failed, skipped := count(r)
	suite := junitSuite{Name: "tenantry verify", Tests: len(r.Results), Failures: failed, Skipped: skipped, Time: seconds(r.Took)}
	for _, result := range r.Results {
		c := junitCase{Name: result.Name, Class: "tenantry.verify", Time: seconds(result.Took)}
		if result.Skipped {
			c.Skipped = &struct{}{}
		}
		if result.Err != nil {
			c.Failure = &junitFailure{Message: result.Promise, Text: result.Err.Error()}
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(suite); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
