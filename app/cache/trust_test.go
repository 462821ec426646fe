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
