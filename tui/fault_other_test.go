//go:build !unix

package tui

const asFaulty = "TENANTRY_TEST_FAULT_IN"

func runFaulty(string) int { return 1 }
