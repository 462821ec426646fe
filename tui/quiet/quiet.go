// Package quiet keeps Bubble Tea from asking the terminal for the colour of its
// background whenever the program starts, be it for "--help". Bubble Tea 1 does
// so while it is initialized, and what the terminal answers is read by
// whichever command runs then.
//
// Termenv, which asks, leaves alone a terminal that TERM calls dumb. Packages
// are initialized in the order of their import paths as far as their imports
// allow it (Go specification, "Package initialization"). This one imports next
// to nothing, and Bubble Tea imports package strings and with it unicode, which
// comes after "tenantry": so TERM is another word before Bubble Tea looks, and
// package tui, which imports Bubble Tea, says the right one again. A test sees
// that nothing is asked.
package quiet

import "os"

var term, set = os.LookupEnv("TERM")

func init() {
	if set {
		_ = os.Setenv("TERM", "dumb")
	}
}

// Restore gives TERM its value back.
func Restore() {
	if set {
		_ = os.Setenv("TERM", term)
	}
}
