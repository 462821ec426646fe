package verify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tenantry/app/client"
)

// cleanUpTime bounds the removal of what was made; it goes on when the run has
// been interrupted.
const cleanUpTime = 30 * time.Second

// Result is what came of one check.
type Result struct {
	Name string
	// Promise is what the check demands, in a sentence.
	Promise string
	Took    time.Duration
	// Err says what is wrong; nil when the check passed.
	Err error
	// Skipped: the check could not be made, since one that it builds on failed.
	Skipped bool
}

// Report is what came of a run.
type Report struct {
	Results []Result
	Took    time.Duration
	// Interrupted: the context ended before all checks were made.
	Interrupted bool
}

// Passed reports whether every check was made and passed.
func (r Report) Passed() bool {
	for _, result := range r.Results {
		if result.Err != nil || result.Skipped {
			return false
		}
	}
	return !r.Interrupted && len(r.Results) > 0
}

// Observer is told how a run goes; either may be nil.
type Observer struct {
	Begin func(name string)
	End   func(Result)
}

// Run makes every check against the server that c reaches. The client's token
// may be "" where anybody may create organizations, else an operator key.
func Run(ctx context.Context, c *client.Client, o Observer) Report {
	start := time.Now()
	r := &run{client: c, id: rand.Text()[:10]}
	var report Report
	failed := map[string]bool{}
	record := func(name, promise string, skipped bool, f func() error) {
		result := Result{Name: name, Promise: promise, Skipped: skipped}
		if !skipped {
			if o.Begin != nil {
				o.Begin(name)
			}
			began := time.Now()
			result.Err = f()
			result.Took = time.Since(began)
		}
		failed[name] = skipped || result.Err != nil
		report.Results = append(report.Results, result)
		if o.End != nil {
			o.End(result)
		}
	}
	for _, check := range checks {
		if ctx.Err() != nil {
			report.Interrupted = true
			break
		}
		skipped := false
		for _, need := range check.needs {
			skipped = skipped || failed[need]
		}
		record(check.name, check.promise, skipped, func() error { return check.do(r, ctx) })
	}
	if ctx.Err() != nil {
		report.Interrupted = true
	}
	record("clean up", "What the run made is removed again.", false, func() error { return r.cleanUp(ctx) })
	report.Took = time.Since(start)
	return report
}

// run is what the checks of one run share.
type run struct {
	client *client.Client
	id     string // random: runs side by side do not meet

	first, second tenant
	made          []*tenant // also those of which nobody knows whether they were
	document      client.Document
	renamed       client.Organization
}

// tenant is an organization of the run with its owner's sign-in.
type tenant struct {
	name, email, password string
	org                   client.Organization
	owner                 *client.Client
	deleted               bool // the server said so
	retained              bool // deleted, and its names stay taken for a while
	doubted               bool // and it was not seen yet
}

// patience is how long a busy server is asked again.
const patience = time.Minute

// patiently asks again, when it is told to, while the server has too much to
// do to look at the request at all: that is no broken promise.
func patiently[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	for begun := time.Now(); ; {
		answer, err := ask()
		var refusal *client.Error
		if !errors.As(err, &refusal) || refusal.Code != "sign_in_busy" && refusal.Code != "rate_limited" ||
			refusal.RetryAfter == 0 || time.Since(begun)+refusal.RetryAfter > patience {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, err
		case <-time.After(refusal.RetryAfter):
		}
	}
}

// plan names a tenant and makes nothing.
func (r *run) plan(which string) tenant {
	return tenant{
		name:     fmt.Sprintf("Tenantry verify %s %s", r.id, which),
		email:    fmt.Sprintf("verify-%s-%s@example.com", r.id, which),
		password: rand.Text(),
	}
}

// create makes a tenant. It is remembered for the cleaning up before it is
// known whether it was made.
func (r *run) create(ctx context.Context, t *tenant) error {
	r.made = append(r.made, t)
	var err error
	t.org, err = patiently(ctx, func() (client.Organization, error) {
		return r.client.CreateOrganization(ctx, client.NewOrganization{
			Name: t.name, Owner: &client.NewOwner{Email: t.email, Password: t.password},
		})
	})
	return err
}

func (r *run) login(ctx context.Context, t *tenant) (client.Tokens, error) {
	tokens, err := patiently(ctx, func() (client.Tokens, error) {
		return r.client.As("").Login(ctx, t.email, t.password, "")
	})
	if err == nil {
		t.owner = r.client.As(tokens.AccessToken)
	}
	return tokens, err
}

func (r *run) remove(ctx context.Context, t *tenant) error {
	deletion, err := t.owner.DeleteOrganization(ctx, t.org.ID)
	t.deleted = t.deleted || err == nil
	if due := deletion.Operation.DueAt; err == nil && deletion.Pending && due != nil && due.After(time.Now()) {
		// The server keeps what is deleted for a while. An operator need not wait
		// for that; who runs this may be one.
		_, err := r.client.DeleteOrganization(ctx, t.org.ID)
		t.retained = err != nil
	}
	return err
}

// cleanUp removes every organization, whatever came of the checks.
func (r *run) cleanUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	var errs []error
	for _, t := range r.made {
		if err := r.removeAnyhow(ctx, t); err != nil {
			errs = append(errs, fmt.Errorf("the organization %q may still be there: %w", t.name, err))
		}
	}
	return errors.Join(errs...)
}

// removeAnyhow signs in anew, for the token may be worth nothing by now. Where
// that fails it tries with what else there is.
func (r *run) removeAnyhow(ctx context.Context, t *tenant) error {
	if t.deleted && !t.doubted {
		return nil
	}
	before := t.owner
	tokens, err := r.login(ctx, t)
	if err == nil {
		t.org.ID = tokens.Organization.ID
		return r.remove(ctx, t)
	}
	if (t.org.ID == "" || t.deleted) && isStatus(err, http.StatusUnauthorized) {
		return nil // never made, or gone indeed
	}
	for _, c := range []*client.Client{before, r.client} {
		if c == nil || t.org.ID == "" {
			continue
		}
		t.owner = c
		if r.remove(ctx, t) == nil {
			return nil
		}
	}
	return err
}
