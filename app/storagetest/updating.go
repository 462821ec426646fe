package storagetest

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"tenantry/app"
)

func updating(s clusterSuite) {
	s.test("UpdateDocument/StoresWithTheNextRevision", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		want := k.insert(ns, "a", "note", `{"n":1}`)
		other := k.insert(ns, "b", "note", `{"n":1}`)
		for _, expected := range []int64{app.AnyRevision, 2} {
			got, err := k.UpdateDocument(k.ctx, ns, "a", expected, func(d *app.Document) error {
				equal(t, "what f is given", *d, want)
				d.Type, d.Data, d.UpdatedAt = d.Type+"!", []byte(`{"n":2}`), d.UpdatedAt.Add(time.Second)
				return nil
			})
			must(t, err)
			want.Type, want.Data, want.UpdatedAt, want.Revision = want.Type+"!", []byte(`{"n":2}`), want.UpdatedAt.Add(time.Second), want.Revision+1
			equal(t, "answer", got, want)
			equal(t, "document", k.document(ns, "a"), want)
		}
		equal(t, "the other document", k.document(ns, "b"), other)
		list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Type: "note!!", Limit: 5})
		must(t, err)
		equal(t, "documents of the new type", list, []app.Document{want})
	})

	s.test("UpdateDocument/TheRevisionIsNotTheCallers", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		got, err := k.UpdateDocument(k.ctx, ns, "a", 1, func(d *app.Document) error {
			d.Revision = 77
			return nil
		})
		must(t, err)
		equal(t, "revision", got.Revision, int64(2))
		equal(t, "revision as read", k.document(ns, "a").Revision, int64(2))
	})

	s.test("UpdateDocument/UnknownIsNotFound", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		for _, expected := range []int64{app.AnyRevision, 1} {
			_, err := k.UpdateDocument(k.ctx, ns, "a", expected, func(*app.Document) error { return nil })
			is(t, err, app.ErrNotFound)
		}
	})

	s.test("UpdateDocument/StaleChangesNothing", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		for _, expected := range []int64{2, -1, 99} {
			_, err := k.UpdateDocument(k.ctx, ns, "a", expected, func(d *app.Document) error {
				d.Data = []byte(`{"stale":true}`)
				return nil
			})
			is(t, err, app.ErrStale)
		}
		equal(t, "document", k.document(ns, "a"), d)
	})

	s.test("UpdateDocument/TheErrorOfFIsReturnedAsItIs", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		refusal := errors.New("f does not want to")
		for _, want := range []error{refusal, app.Fail(app.ErrForbidden, "code", "detail"), app.Invalid("data", "code", "message")} {
			_, got := k.UpdateDocument(k.ctx, ns, "a", app.AnyRevision, func(d *app.Document) error {
				d.Data = []byte(`{"refused":true}`)
				return want
			})
			equal(t, "error", got, want)
		}
		equal(t, "document", k.document(ns, "a"), d)
		k.insert(ns, "b", "note", `{}`) // writing goes on
	})

	s.test("UpdateDocument/APanicOfFHarmsNobodyElse", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		answers := race(8, func(i int) (err error) {
			if i > 0 {
				return k.InsertDocument(k.ctx, ns, newDocument(app.DocumentID(fmt.Sprintf("b-%d", i)), "note", `{}`))
			}
			defer func() {
				if recover() != nil {
					err = errors.New("panicked")
				}
			}()
			_, err = k.UpdateDocument(k.ctx, ns, "a", app.AnyRevision, func(d *app.Document) error {
				d.Data = nil
				panic("f is broken")
			})
			return err
		})
		if answers[0] == nil {
			t.Fatal("an update whose f panicked was acknowledged")
		}
		for _, err := range answers[1:] {
			must(t, err)
		}
		equal(t, "document", k.document(ns, "a"), d)
		equal(t, "number of documents", len(k.all(ns)), 8)
	})

	s.test("UpdateDocument/ConcurrentWritersOneWins", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		winner := oneWinner(t, race(16, func(i int) error {
			_, err := k.UpdateDocument(k.ctx, ns, "a", 1, func(d *app.Document) error {
				d.Data = fmt.Appendf(nil, `{"writer":%d}`, i)
				return nil
			})
			return err
		}), app.ErrStale)
		got := k.document(ns, "a")
		equal(t, "revision", got.Revision, int64(2))
		equal(t, "data", string(got.Data), fmt.Sprintf(`{"writer":%d}`, winner))
	})

	s.test("UpdateDocument/NoOtherWriteComesBetween", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `0`)
		const writers, rounds = 16, 4
		for _, err := range race(writers, func(int) error {
			for range rounds {
				_, err := k.UpdateDocument(k.ctx, ns, "a", app.AnyRevision, func(d *app.Document) error {
					n, err := strconv.Atoi(string(d.Data))
					d.Data = strconv.AppendInt(nil, int64(n+1), 10)
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		}) {
			must(t, err)
		}
		got := k.document(ns, "a")
		equal(t, "sum", string(got.Data), strconv.Itoa(writers*rounds))
		equal(t, "revision", got.Revision, int64(writers*rounds+1))
	})
}
