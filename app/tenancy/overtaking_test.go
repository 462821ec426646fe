package tenancy_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// TestMergesAtOnce has many who each set a key of their own without naming a
// revision: nobody is refused and no key is lost.
func TestMergesAtOnce(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	const writers = 40
	for i, err := range atOnce(writers, func(i int) error {
		_, err := h.Update(h.ctx, o.owner, o.Slug, tenancy.UpdateInput{Metadata: map[string]*string{fmt.Sprint("key", i): ptr("v")}})
		return err
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	if got := h.organization(o.ID); len(got.Metadata) != writers || got.Revision != writers+1 {
		t.Errorf("%d keys at revision %d", len(got.Metadata), got.Revision)
	}
}

func TestIfRevisionAtOnce(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	errs := atOnce(32, func(i int) error {
		in := tenancy.UpdateInput{IfRevision: 1, Metadata: map[string]*string{"writer": ptr(fmt.Sprint(i))}}
		if i%4 == 0 {
			in.Name = ptr(fmt.Sprint("Renamed by ", i))
		}
		_, err := h.Update(h.ctx, o.owner, string(o.ID), in)
		return err
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if code := codeOf(err); code != "revision_mismatch" && code != "change_in_progress" {
			t.Error(err)
		}
	}
	if got := h.organization(o.ID); won != 1 || got.Revision != 2 {
		t.Errorf("%d won, and it is at revision %d", won, got.Revision)
	}
	h.tidy()
}

// TestMergeBesideARename: what is acknowledged while a rename is under way is
// not lost to it.
func TestMergeBesideARename(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Name 0")
	acknowledged := make([][]string, 8)
	errs := atOnce(len(acknowledged), func(i int) error {
		for n := range 10 {
			in := tenancy.UpdateInput{Metadata: map[string]*string{fmt.Sprintf("%d-%d", i%4, n): ptr("v")}}
			if i >= 4 {
				in = tenancy.UpdateInput{Name: ptr(fmt.Sprintf("Name %d %d", i, n)), Metadata: map[string]*string{fmt.Sprintf("r%d", i): ptr("v")}}
			}
			_, err := h.Update(h.ctx, o.owner, string(o.ID), in)
			switch {
			case err == nil:
				for k := range in.Metadata {
					acknowledged[i] = append(acknowledged[i], k)
				}
			case codeOf(err) != "change_in_progress":
				return err
			}
		}
		return nil
	})
	got := h.organization(o.ID)
	for i, keys := range acknowledged {
		h.ok(errs[i])
		for _, k := range keys {
			if got.Metadata[k] != "v" {
				t.Errorf("%q was acknowledged and is lost", k)
			}
		}
	}
	h.tidy()
}

// TestRenamesAtOnce: each is begun from where the last one has left it.
func TestRenamesAtOnce(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Name 0")
	h.note(o, "a")
	for _, err := range atOnce(8, func(i int) error {
		for n := range 12 {
			change := tenancy.UpdateInput{Name: ptr(fmt.Sprintf("Name %d %d", i, n))}
			if n%3 == 2 {
				change = tenancy.UpdateInput{Slug: ptr(fmt.Sprintf("slug-%d-%d", i, n))}
			}
			if _, err := h.Update(h.ctx, o.owner, string(o.ID), change); err != nil && codeOf(err) != "change_in_progress" {
				return err
			}
		}
		return nil
	}) {
		h.ok(err)
	}
	h.hasNotes(o, "a")
	h.tidy()
}

// overtaken lets something happen just before a rename is recorded.
type overtaken struct {
	app.Registry
	by func()
}

func (r overtaken) BeginRename(ctx context.Context, op app.Operation) error {
	r.by()
	return r.Registry.BeginRename(ctx, op)
}

// TestARenameThatIsOvertaken has another rename between a rename's reading of
// the organization and its being recorded; undone, it leaves what that made.
func TestARenameThatIsOvertaken(t *testing.T) {
	for _, refuse := range []int{never, 1} {
		h := newHouse(t)
		o := h.tenant("First")
		by := sync.OnceFunc(func() {
			_, err := h.rename(o, "Second")
			h.ok(err)
		})
		f := &faults{refuse: refuse, crash: never}
		s := h.serve(overtaken{h.registry, by}, faultyCluster{h.cluster, f}, openHouse)
		f.count = 1 // only the cluster's writes are counted here: the renaming is number 1
		got, err := s.Update(h.ctx, o.owner, string(o.ID), tenancy.UpdateInput{Name: ptr("Third")})
		if refuse == never && (err != nil || got.Slug != "third" || got.Placement.Generation != 3) {
			t.Errorf("%+v, %v", got, err)
		}
		if refuse != never {
			if got := h.organization(o.ID); err == nil || got.Slug != "second" || got.Placement.Generation != 2 {
				t.Errorf("%+v, %v", got, err)
			}
		}
		h.tidy()
		h.tenant("First") // its names are free, its collection with them
		h.tidy()
	}
}
