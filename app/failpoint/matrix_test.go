//go:build unix

package failpoint_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"tenantry/app/mongodb/mongotest"
)

// whole reports whether all of the matrix is asked for. The ordinary run has all
// of it with files, where it takes seconds. With MongoDB it leaves out what
// differs in nothing that a store could see: after one command is before the
// next, and after the methods of the ports likewise. And it kills those who
// recover at every third command.
func whole() bool { return os.Getenv("TENANTRY_TEST_CRASH_MATRIX") == "whole" }

// TestCrashMatrix kills a real process at each write of each act, before the
// write and after it, and, of those that recover it, one at each write of the
// recovery. Another one finds the world done or never begun.
func TestCrashMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("the programs that it kills are not the one that is tested")
	}
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		matrix(t, nil, "port")
	})
	for _, kind := range mongotest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var server *mongotest.Server
			if kind == mongotest.Given {
				server = mongotest.Shared(t, kind)
			} else {
				server = mongotest.Start(t, kind, mongotest.ShortTransactions...)
			}
			matrix(t, server, "port", "command")
		})
	}
}

func matrix(t *testing.T, server *mongotest.Server, levels ...string) {
	for _, a := range acts {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			levels := levels
			if a.long {
				if levels = levels[:1]; server != nil && !whole() {
					t.Skip("takes seconds each time, and has its kills in app/outage")
				}
			}
			m := &lane{installation: install(t, server), act: a}
			writes := m.kills("port")
			for _, level := range levels[1:] {
				m.kills(level)
			}
			// With files, nobody else writes in between; and after the last write there
			// is nothing to recover.
			if server == nil && writes != len(a.half)+1 && !a.long {
				t.Errorf("it has %d writes", writes)
			}
			for state := range a.half {
				for _, level := range levels {
					m.recoveries(state, level)
				}
			}
			m.end()
		})
	}
}

// lane is a part of the matrix, one process after the other.
type lane struct {
	*installation
	act
	subjects []*subject
}

// kills kills a process at each write of a level, and gives how many there are.
func (m *lane) kills(level string) int {
	writes := 0
	for _, when := range m.sides(level) {
		writes = 0
		for m.killed(level, when, writes) {
			writes++
		}
	}
	return writes
}

// sides are those of a write on which processes are killed.
func (m *lane) sides(level string) []string {
	switch {
	case m.server == nil || whole():
		return []string{"before", "after"}
	case level == "port":
		return []string{"after"}
	}
	return []string{"before"}
}

// recoveries kills a process in the middle of the act, and the one that
// recovers from that at each write of a level.
func (m *lane) recoveries(state int, level string) {
	step := 1
	if m.server != nil && !whole() {
		if step = 3; level == "port" {
			return
		}
	}
	for _, when := range m.sides(level) {
		for n := state % step; ; n += step {
			if !m.killed("port", "after", m.half[state]) {
				m.t.Fatalf("%s does not come to %s", m.name, m.half[state])
			}
			if !m.killedRecovering(level, when, n) {
				break
			}
		}
	}
}

// killed does the act in a process that kills itself at a write, and reports
// whether it came so far.
func (m *lane) killed(level, when string, at any) bool {
	s := &subject{name: fmt.Sprintf("%s %s %s %d", m.name, level, when, len(m.subjects))}
	m.subjects = append(m.subjects, s)
	p := m.serve(fmt.Sprintf("only=%s from=%s level=%s when=%s at=%v", s.slug(), m.from, level, when, at), m.act.env...)
	defer p.kill()
	m.make(p, s)
	s.story = fmt.Sprintf("%s, not killed %s %s %v", m.name, when, level, at)
	if err := m.do(p, s); err == nil && !p.dead() {
		return false
	}
	p.killedItself()
	s.story = m.name + ", " + p.where()
	return true
}

// killedRecovering lets a process recover what the last one has left, which
// kills itself at a write of that, and reports whether it came so far.
func (m *lane) killedRecovering(level, when string, n int) bool {
	s := m.subjects[len(m.subjects)-1]
	p := m.launch(m.t, fmt.Sprintf("only=%s level=%s when=%s at=%d", s.slug(), level, when, n))
	defer p.kill()
	if p.reconciled() == nil {
		return false
	}
	p.killedItself()
	s.story += "; recovering, " + p.where()
	return true
}

// end lets a last process take over, and looks at what has become of it all.
func (m *lane) end() {
	p := m.settle()
	found := map[outcome]int{}
	var wrong sync.Once
	for _, s := range m.subjects {
		got := m.look(p, s)
		found[got]++
		if s.acknowledged && got != done {
			m.t.Errorf("%s: acknowledged, and %s", s.story, got)
		}
		if m.t.Failed() {
			wrong.Do(func() { m.t.Logf("the last process said:\n%s", p.log) })
		}
	}
	m.sound(p)
	m.t.Logf("%d cases: %d done, %d never begun", len(m.subjects), found[done], found[neverBegun])
	if found[done] == 0 {
		m.t.Error("nothing was ever done")
	}
}
