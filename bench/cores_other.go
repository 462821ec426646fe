//go:build !linux

package main

import (
	"os/exec"
	"time"
)

// Elsewhere than on Linux nothing is pinned, and what a process uses is not
// looked up.

func findCores() cores { return cores{} }

func (cores) takeClientCore() error { return nil }

func (cores) start(cmd *exec.Cmd) error { return cmd.Start() }

func processTime(int) time.Duration { return 0 }

func resident(int) int64 { return 0 }

func machineTime() time.Duration { return 0 }

func childrenTime() time.Duration { return 0 }
