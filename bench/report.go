package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
)

// row is one figure. At most one of AtLeast and AtMost is set; a row with
// neither is there to be known.
type row struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"` // "x" is a ratio
	AtLeast float64 `json:"at_least,omitempty"`
	AtMost  float64 `json:"at_most,omitempty"`
	// Zero is a target of none at all.
	Zero bool `json:"zero,omitempty"`
	// Stretch is a better AtLeast.
	Stretch float64 `json:"stretch,omitempty"`
	// Figures are what the value was made of.
	Figures string `json:"figures,omitempty"`
}

// target is what the value should be, and whether it is.
func (r row) target() (target, verdict string) {
	var met bool
	switch {
	case r.AtLeast > 0:
		target, met = "≥ "+r.amount(r.AtLeast), r.Value >= r.AtLeast
	case r.AtMost > 0:
		target, met = "≤ "+r.amount(r.AtMost), r.Value <= r.AtMost
	case r.Zero:
		target, met = "0", r.Value == 0
	default:
		return "", ""
	}
	switch {
	case !met:
		return target, "missed"
	case r.Stretch > 0 && r.Value >= r.Stretch:
		return target, "met, also " + r.amount(r.Stretch)
	}
	return target, "met"
}

func (r row) amount(v float64) string {
	switch {
	case r.Unit == "x":
		return fmt.Sprintf("%.2fx", v)
	case v >= 100 || v == float64(int(v)):
		return strings.TrimSpace(fmt.Sprintf("%.0f %s", v, r.Unit))
	}
	return fmt.Sprintf("%.1f %s", v, r.Unit)
}

// report is what one run found.
type report struct {
	Machine string `json:"machine"`
	// Others is the share of the processors that other programs had meanwhile.
	Others float64 `json:"others"`
	Rows   []row   `json:"rows"`
}

func newReport(c cores) *report {
	r := &report{Rows: []row{}}
	r.Machine = fmt.Sprintf("%s/%s, %s, %d processors, ", runtime.GOOS, runtime.GOARCH, runtime.Version(), processors())
	if c.pinned {
		r.Machine += fmt.Sprintf("server on core %d, client on core %d", c.server, c.client)
	} else {
		r.Machine += "server and client share what there is: the ratios say less"
	}
	return r
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *report) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	lines := [][]string{{"what", "measured", "target", "", "figures"}}
	for _, row := range r.Rows {
		target, verdict := row.target()
		lines = append(lines, []string{row.Name, row.amount(row.Value), target, verdict, row.Figures})
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(t, strings.Join(l, "\t")); err != nil {
			return err
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s; other programs had %.0f %% of the processors meanwhile\n", r.Machine, 100*r.Others)
	return err
}
