package web

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"tenantry/app"
)

// What is written by hand must read as the view says that documents it.
func TestAppendersWriteTheirViews(t *testing.T) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 7_000_000, time.UTC)
	nasty := "<b>\"quoted\" \\ \u2028 \x00 é 🎉 \xff"
	total := int64(7)
	full := app.Organization{
		ID: "0190aaaa-0000-7000-8000-000000000000", Name: nasty, Slug: "a-b", ExternalID: nasty,
		Metadata: map[string]string{"k": nasty}, State: app.StateActive, Revision: math.MaxInt64, CreatedAt: at, UpdatedAt: at.Add(time.Hour),
	}
	bare := app.Organization{ID: "x", State: app.StateSuspended}
	document := app.Document{ID: "d~1", Type: "t", Revision: 3, CreatedAt: at, UpdatedAt: at, Data: []byte(`{"a":[1,"é"]}`)}
	problem := &Problem{
		Type: "/errors/x", Title: "T", Status: 409, Detail: nasty, Instance: nasty, Code: "x", RequestID: "r",
		Errors:        []InvalidField{{nasty, "c", "m"}},
		Organizations: []organizationChoice{{"i", nasty, "s"}},
	}
	for name, c := range map[string]struct {
		writes appender
		view   any
	}{
		"organization":      {(*organizationAnswer)(&full), new(organizationView)},
		"bare organization": {(*organizationAnswer)(&bare), new(organizationView)},
		"organizations": {&organizationPage{Items: []app.Organization{full, bare}, NextCursor: "c", Total: &total},
			new(organizationPageView)},
		"no organizations": {&organizationPage{}, new(organizationPageView)},
		"document":         {(*documentAnswer)(&document), new(documentView)},
		"documents":        {&documentPage{Items: []app.Document{document, document}, NextCursor: "c"}, new(documentPageView)},
		"no documents":     {&documentPage{}, new(documentPageView)},
		"problem":          {problem, new(Problem)},
		"bare problem":     {&Problem{Status: 500, Code: "internal"}, new(Problem)},
	} {
		t.Run(name, func(t *testing.T) {
			raw := c.writes.appendJSON(nil)
			if err := json.Unmarshal(raw, c.view); err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			byTags, err := json.Marshal(c.view)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			_, _ = json.Unmarshal(raw, &got), json.Unmarshal(byTags, &want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("wrote\n%s\nthe view\n%s", raw, byTags)
			}
		})
	}
}

func TestAppendTime(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2024, 2, 29, 0, 0, 0, 1_000_000, time.FixedZone("east", 3*3600)),
		time.Date(9999, 1, 2, 3, 4, 5, 60_000_000, time.UTC), time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, want := string(appendTime(nil, at)), `"`+formatTime(at)+`"`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
