//go:build !linux

package sqlite

import "testing"

func mountPoint(t *testing.T, _ ...string) string {
	t.Helper()
	t.Skip("mounts are tested on Linux")
	return ""
}

func startChildAsNobody(t *testing.T, _ string, _ ...string) *child {
	t.Helper()
	t.Skip("other users are tested on Linux")
	return nil
}
