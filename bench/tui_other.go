//go:build !linux

package main

// measureTUI needs a terminal of this program's own, which only Linux is asked
// for.
func measureTUI(*bench) ([]row, error) { return nil, nil }
