package main

import (
	"os/exec"
	"testing"
)

// What tools leave beside the source is not kept with it: a link to somebody's
// folder of tools would take the place of everybody else's.
func TestWhatToolsLeaveIsNotKept(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", ".cache", "dist", "tenantry", "tenantry-data").Output()
	if err != nil {
		t.Skipf("this is no clone: %v", err)
	}
	if len(out) > 0 {
		t.Errorf("kept in the repository:\n%s", out)
	}
}
