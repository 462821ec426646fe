package web

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"tenantry/app"
)

// cramped is a cluster that says that it has so much room.
type cramped struct {
	app.Cluster
	room  atomic.Pointer[app.Room]
	unfit atomic.Bool
}

func (c *cramped) Room(context.Context) (app.Room, error) {
	if c.unfit.Load() {
		return app.Room{}, &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", Detail: "Not now.",
			Cause: &app.VersionError{Err: errors.New("it was written by tenantry 9.9")}}
	}
	return *c.room.Load(), nil
}

// What would be moved is held against the room at the target before anything is
// begun, in a dry run and without, and the answer has the figures.
func TestRoomAtTheTarget(t *testing.T) {
	c := &cramped{}
	c.room.Store(&app.Room{Known: true, Free: 1 << 40})
	w := newWorld(t, relocating(nil), func(s *settings) {
		s.cluster = func(inner app.Cluster) app.Cluster { c.Cluster = inner; return c }
	})
	o := w.tenant()
	w.document(o, `{"a":1}`)
	here := "/v1/organizations/" + o.slug
	dry := func() answer {
		return w.do("POST", here+"/relocate", w.operator, `{"isolation":"shared","dry_run":true}`)
	}
	needed := func(a answer) int64 {
		n, err := strconv.ParseInt(a.field("relocation.room.needed"), 10, 64)
		if err != nil {
			t.Fatal("what is needed:", a)
		}
		return n
	}

	a := dry()
	w.expect(a, 200, "")
	before := needed(a)
	if a.field("relocation.room.free") != strconv.Itoa(1<<40) || before < 1<<20 || before > 1<<30 {
		t.Error("with much room:", a)
	}
	for range 3 {
		w.document(o, `{"text":"`+strings.Repeat("x", 200_000)+`"}`)
	}
	a = dry()
	w.expect(a, 200, "")
	if more := needed(a) - before; more < 600_000 || more > 1_200_000 {
		t.Errorf("600,000 bytes more need %d more", more)
	}

	c.room.Store(&app.Room{})
	a = dry()
	w.expect(a, 200, "")
	if needed(a) == 0 || a.field("relocation.room.free") != "" {
		t.Error("where the store does not say:", a)
	}

	c.room.Store(&app.Room{Known: true, Free: 1_500_000})
	for _, body := range []string{`{"isolation":"shared","dry_run":true}`, `{"isolation":"shared"}`} {
		a := w.do("POST", here+"/relocate", w.operator, body)
		w.expect(a, 409, "no_room_at_target")
		if want := "1.5 MB free"; !strings.Contains(a.field("detail"), want) || !strings.Contains(a.field("detail"), "cluster default") {
			t.Error("the figures:", a)
		}
	}
	c.unfit.Store(true)
	for _, body := range []string{`{"isolation":"shared","dry_run":true}`, `{"isolation":"shared"}`} {
		a := w.do("POST", here+"/relocate", w.operator, body)
		w.expect(a, 409, "cluster_version")
		if !strings.Contains(a.field("detail"), "tenantry 9.9") {
			t.Error("the version:", a)
		}
	}
	if list := w.do("GET", "/v1/operations?kind=relocate", w.operator, nil); list.field("items.0.id") != "" {
		t.Error("something was begun:", list)
	}
	c.unfit.Store(false)
	c.room.Store(&app.Room{Known: true, Free: 1 << 40})
	w.expect(w.do("POST", here+"/relocate", w.operator, `{"isolation":"shared"}`), 200, "")
}

// A drain says what its targets need against the room that they have; whoever
// does not fit stays, and it is said why.
func TestRoomForADrain(t *testing.T) {
	c := &cramped{}
	c.room.Store(&app.Room{Known: true, Free: 1 << 40})
	w := newWorld(t, relocating(nil), func(s *settings) {
		s.cluster = func(inner app.Cluster) app.Cluster { c.Cluster = inner; return c }
	})
	w.expect(w.do("POST", "/v1/clusters", w.operator, `{"name":"more","url":"sqlite:a-place"}`), 201, "")
	for _, name := range []string{"One", "Two"} {
		w.expect(w.do("POST", "/v1/organizations", w.operator, `{"name":"`+name+`","owner":{"email":"`+name+`@drained.example","password":"correct-horse-battery"},`+
			`"placement":{"cluster":"more"}}`), 201, "")
	}
	const drain = "/v1/clusters/more/drain"
	dry := w.do("POST", drain, w.operator, `{"to":"default","dry_run":true}`)
	w.expect(dry, 200, "")
	if dry.field("drain.plan.targets.0.organizations") != "2" || dry.field("drain.plan.targets.0.room.needed") == "" ||
		dry.field("drain.plan.targets.0.room.free") != strconv.Itoa(1<<40) {
		t.Error("with much room:", dry)
	}
	c.room.Store(&app.Room{Known: true, Free: 1000})
	dry = w.do("POST", drain, w.operator, `{"to":"default","dry_run":true}`)
	w.expect(dry, 200, "")
	if dry.field("drain.plan.stay") != "2" || dry.field("drain.plan.targets.0.cluster") != "" ||
		!strings.Contains(dry.field("drain.plan.moves.0.reason"), "1 kB free") {
		t.Error("with none:", dry)
	}
	stuck := w.do("POST", drain, w.operator, `{"to":"default"}`)
	w.expect(stuck, 200, "")
	if stuck.field("state") != "failed" || stuck.field("drain.left") != "2" || !strings.Contains(stuck.field("drain.failed.0.reason"), "1 kB free") {
		t.Error("drained all the same:", stuck)
	}
}
