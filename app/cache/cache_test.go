package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

func loaded[V any](v V) func(context.Context) (V, error) {
	return func(context.Context) (V, error) { return v, nil }
}

func TestGetLoadsOnce(t *testing.T) {
	c := New[string, int](100, always)
	loads := 0
	for range 3 {
		v, err := c.Get(t.Context(), "a", func(context.Context) (int, error) { loads++; return 7, nil })
		if v != 7 || err != nil {
			t.Fatal(v, err)
		}
	}
	if loads != 1 || c.Len() != 1 {
		t.Errorf("%d loads, %d kept", loads, c.Len())
	}
	if v, ok := c.Peek("a"); v != 7 || !ok {
		t.Error("Peek:", v, ok)
	}
	if _, ok := c.Peek("b"); ok {
		t.Error("Peek gave what was never there")
	}
	c.Drop("a")
	if v, _ := c.Get(t.Context(), "a", loaded(8)); v != 8 {
		t.Error("a dropped value came back:", v)
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	c := New[string, int](100, always)
	away := errors.New("away")
	for range 2 {
		if v, err := c.Get(t.Context(), "a", func(context.Context) (int, error) { return 7, away }); !errors.Is(err, away) || v != 7 {
			t.Fatal(v, err)
		}
	}
	if c.Len() != 0 {
		t.Error("an error was kept")
	}
	if v, err := c.Get(t.Context(), "a", loaded(1)); v != 1 || err != nil {
		t.Error(v, err)
	}
}

// TestWhatWasReadBeforeAnInvalidationIsNotKept drops while a load is under
// way: its caller gets the old value, which was true when it asked, and nobody
// after it does.
func TestWhatWasReadBeforeAnInvalidationIsNotKept(t *testing.T) {
	for name, invalidate := range map[string]func(c *Cache[string, int]){
		"Drop":   func(c *Cache[string, int]) { c.Drop("a") },
		"DropIf": func(c *Cache[string, int]) { c.DropIf(func(string, int) bool { return false }) },
	} {
		t.Run(name, func(t *testing.T) {
			c := New[string, int](100, always)
			v, err := c.Get(t.Context(), "a", func(context.Context) (int, error) {
				invalidate(c)
				return 1, nil
			})
			if v != 1 || err != nil {
				t.Fatal(v, err)
			}
			if _, kept := c.Peek("a"); kept {
				t.Error("a value from before the invalidation is kept")
			}
			if v, _ := c.Get(t.Context(), "a", loaded(2)); v != 2 {
				t.Error("got", v)
			}
		})
	}
}

func TestDropIf(t *testing.T) {
	c := New[int, string](1000, always)
	for i := range 100 {
		c.Put(i, fmt.Sprint(i%2))
	}
	c.DropIf(func(k int, v string) bool { return v == "1" && k != 51 })
	if c.Len() != 51 {
		t.Error(c.Len(), "are kept")
	}
	if _, ok := c.Peek(51); !ok {
		t.Error("51 was dropped")
	}
}

func TestReadingKeepsWhatNobodyDropped(t *testing.T) {
	c := New[string, int](100, always).Keeping(func(v int) bool { return v < 10 })
	keep, late, large := c.Reading("a"), c.Reading("b"), c.Reading("c")
	c.Drop("b")
	keep(1)
	late(2)
	large(10)
	if v, ok := c.Peek("a"); v != 1 || !ok {
		t.Error("what was read is not kept:", v, ok)
	}
	for _, k := range []string{"b", "c"} {
		if v, ok := c.Peek(k); ok {
			t.Errorf("%s is kept as %d", k, v)
		}
	}
}

func TestBound(t *testing.T) {
	for _, bound := range []int{1, 16, 100, 1000} {
		c := New[int, int](bound, always)
		for i := range 20 * bound {
			c.Put(i, i)
			if v, ok := c.Peek(i); !ok || v != i {
				t.Fatalf("bound %d: the newest, %d, is not kept", bound, i)
			}
		}
		// Each of 16 parts is bounded by itself.
		if n := c.Len(); n > bound+16 || n < bound/2 {
			t.Errorf("bound %d: %d are kept", bound, n)
		}
	}
	c := New[int, int](16, always)
	c.Put(1, 1)
	for i := range 100 {
		c.Put(1, i) // what is there already takes no other's place
	}
	if c.Len() != 1 {
		t.Error("one key is kept", c.Len(), "times")
	}
}

// TestAgainstAModel has any order of acts: what is kept is always the newest
// that the source had when it was asked last.
func TestAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := New[int, int](rapid.IntRange(1, 40).Draw(t, "bound"), always)
		source := map[int]int{}
		key := rapid.IntRange(0, 30)
		get := func(t *rapid.T, k int) {
			v, err := c.Get(context.Background(), k, func(context.Context) (int, error) { return source[k], nil })
			if v != source[k] || err != nil {
				t.Fatalf("key %d: got %d, %v, the source has %d", k, v, err, source[k])
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"get": func(t *rapid.T) { get(t, key.Draw(t, "key")) },
			"change": func(t *rapid.T) {
				k := key.Draw(t, "key")
				source[k]++
				c.Drop(k)
			},
			"change while another loads it": func(t *rapid.T) {
				k := key.Draw(t, "key")
				_, _ = c.Get(context.Background(), k, func(context.Context) (int, error) {
					before := source[k]
					source[k]++
					c.Drop(k)
					return before, nil
				})
			},
			"read beside another": func(t *rapid.T) {
				k := key.Draw(t, "key")
				keep := c.Reading(k)
				v := source[k]
				if rapid.Bool().Draw(t, "changed meanwhile") {
					source[k]++
					c.Drop(k)
				}
				keep(v)
			},
			"change many": func(t *rapid.T) {
				from := key.Draw(t, "from")
				for k := range maps.Clone(source) {
					if k >= from {
						source[k]++
					}
				}
				c.DropIf(func(k, _ int) bool { return k >= from })
			},
			"put": func(t *rapid.T) {
				k := key.Draw(t, "key")
				c.Put(k, source[k])
			},
			"": func(t *rapid.T) {
				for k := range 31 {
					if v, ok := c.Peek(k); ok && v != source[k] {
						t.Fatalf("key %d is kept as %d, the source has %d", k, v, source[k])
					}
				}
				if c.Len() > 31 {
					t.Fatalf("%d are kept", c.Len())
				}
			},
		})
	})
}

// TestNobodyReadsWhatWasBeforeAChange changes a source while many read through
// the cache: whoever asks after a change was told of gets that or a newer one.
func TestNobodyReadsWhatWasBeforeAChange(t *testing.T) {
	const keys, changes, readers = 8, 3000, 8
	c := New[int, int64](4, always) // too small, so that values go and are loaded again
	var source, told [keys]atomic.Int64
	var stop atomic.Bool
	var group sync.WaitGroup
	for r := range readers {
		group.Go(func() {
			for i := r; !stop.Load(); i++ {
				k := i % keys
				atLeast := told[k].Load()
				v, err := c.Get(context.Background(), k, func(context.Context) (int64, error) { return source[k].Load(), nil })
				if err != nil || v < atLeast {
					t.Errorf("key %d: got %d, %v after %d was told", k, v, err, atLeast)
					return
				}
			}
		})
	}
	for i := range changes {
		k := i % keys
		now := source[k].Add(1)
		if i%100 == 0 {
			c.DropIf(func(other int, _ int64) bool { return other == k })
		} else {
			c.Drop(k)
		}
		told[k].Store(now)
	}
	stop.Store(true)
	group.Wait()
}
