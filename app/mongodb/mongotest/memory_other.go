//go:build !linux

package mongotest

func inMemory() string { return "" }
