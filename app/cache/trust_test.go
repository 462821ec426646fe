package cache

import "testing"

func always() bool { return true }

func TestNothingKeptIsGivenWhileUntrusted(t *testing.T) {
	trusted := true
	c := New[string, int](100, func() bool { return trusted })
	c.Put("a", 1)
	trusted = false
	if _, ok := c.Peek("a"); ok {
		t.Fatal("a kept value was given")
	}
	if v, err := c.Get(t.Context(), "a", loaded(2)); v != 2 || err != nil {
		t.Fatalf("got %d (%v), want what is loaded", v, err)
	}
	trusted = true
	if v, ok := c.Peek("a"); !ok || v != 2 {
		t.Fatalf("got %d, want what was loaded last", v)
	}
	c.Clear()
	if c.Len() != 0 {
		t.Fatal("something is left")
	}
}

func TestOnlyWhatIsWorthItIsKept(t *testing.T) {
	c := New[string, int](100, always).Keeping(func(v int) bool { return v < 10 })
	for v, kept := range map[int]bool{9: true, 10: false} {
		if got, err := c.Get(t.Context(), "a", loaded(v)); got != v || err != nil {
			t.Fatalf("got %d (%v), want what is loaded", got, err)
		}
		if _, ok := c.Peek("a"); ok != kept {
			t.Errorf("%d is kept: %v", v, ok)
		}
		c.Drop("a")
	}
}
