package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// findCores chooses the server's core and the client's among those that this
// process may use.
func findCores() (c cores) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return cores{}
	}
	var found []int
	for cpu := 0; cpu < 1024 && len(found) < 2; cpu++ {
		if allowed.IsSet(cpu) {
			found = append(found, cpu)
		}
	}
	if len(found) < 2 {
		return cores{}
	}
	return cores{pinned: true, server: found[0], client: found[1]}
}

// takeClientCore moves this process with all its threads to the client's core;
// threads to come inherit it.
func (c cores) takeClientCore() error {
	if !c.pinned {
		return nil
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, only(c.client)); err != nil {
			return fmt.Errorf("move to core %d: %w", c.client, err)
		}
	}
	return nil
}

// start starts the command on the server's core.
func (c cores) start(cmd *exec.Cmd) error {
	if !c.pinned {
		return cmd.Start()
	}
	// A child inherits the core of the thread that makes it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedSetaffinity(0, only(c.server)); err != nil {
		return fmt.Errorf("move to core %d: %w", c.server, err)
	}
	err := cmd.Start()
	if back := unix.SchedSetaffinity(0, only(c.client)); err == nil && back != nil {
		return back
	}
	return err
}

func only(cpu int) *unix.CPUSet {
	var set unix.CPUSet
	set.Set(cpu)
	return &set
}

// ticks is in how many parts of a second /proc counts.
const ticks = 100

// processTime is what a process has had of the processors.
func processTime(pid int) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks
}

// resident is a process's memory in bytes.
func resident(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(raw), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// machineTime is what all processes have had of the processors.
func machineTime() time.Duration {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	fields := strings.Fields(line)
	var busy int
	for i, f := range fields {
		// cpu user nice system idle iowait irq softirq steal; guests count as user.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, _ := strconv.Atoi(f)
		busy += n
	}
	return time.Duration(busy) * time.Second / ticks
}

// childrenTime is what the children that have ended had of the processors.
func childrenTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
