package mongodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"tenantry/app"
)

const (
	// operationTimeout bounds every call, retries included, unless the URL has a
	// timeoutMS. It is shorter than a request may take.
	operationTimeout = 10 * time.Second
	// selectionTimeout is how long a call waits for a primary. An election takes
	// a few seconds.
	selectionTimeout = 8 * time.Second
	// heartbeatInterval is how soon a new primary is noticed where nothing else
	// tells: the driver's ten seconds are longer than a request waits.
	heartbeatInterval = 2 * time.Second
	// connectTimeout is also how long a heartbeat that nobody answers, as when
	// a machine is cut off, leaves a primary that is none any more in its place.
	connectTimeout = 5 * time.Second
	maxPoolSize    = 64
	closeTimeout   = 5 * time.Second

	// oldestWire is MongoDB 6.0: partial indexes, transactions across shards and
	// change streams as they are used here.
	oldestWire = 17
	// bulkWire is MongoDB 8.0, which takes writes to several collections in one
	// command.
	bulkWire = 25
)

// Options are how a server is reached.
type Options struct {
	// URL is a connection string (mongodb:// or mongodb+srv://) with whichever
	// options the driver knows. Its path names the database.
	URL string
	// Name is what a person knows it by, such as `cluster "eu"`, for messages.
	Name string
	// AppVersion is recorded with the schema, for who cannot read it any more.
	AppVersion string
	Logger     *slog.Logger // nil: discarded
	// Lease is how late a registry may hear of what other servers change before
	// nothing is trusted that was remembered; zero is DefaultLease.
	Lease time.Duration
	// Patience is how long another server may hold the lock of a standalone server
	// without moving before it is taken from it; zero is two seconds.
	Patience time.Duration
	// Monitor hears of every command. It may be nil.
	Monitor *event.CommandMonitor
	// Metrics are told of commands and connections. They may be nil.
	Metrics *Metrics
	// store is what the figures are labelled with.
	store string
	// newest is the newest wire protocol that is spoken; zero: the server's own.
	newest int
	// known is the schema that the program knows; nil: registrySchema. A test has
	// that of another version.
	known *schema
}

// server is a connected MongoDB.
type server struct {
	name   string
	client *mongo.Client
	db     *mongo.Database
	log    *slog.Logger
	// secret is what must not appear in an error.
	secret string
	// version is that of the program.
	version string
	hello   hello
	lacks   lacks
	newest  int
	timeout time.Duration
}

// hello is what a server says of itself.
type hello struct {
	SetName string `bson:"setName"`
	Message string `bson:"msg"`
	MaxWire int    `bson:"maxWireVersion"`
}

// transactions reports whether several documents can be written as one.
func (h hello) transactions() bool { return h.SetName != "" || h.Message == "isdbgrid" }

// bulk reports whether several collections can be written by one command.
func (h hello) bulk() bool { return h.MaxWire >= bulkWire }

// connect reaches the server, proves the credentials, and finds out what it
// can do.
func connect(ctx context.Context, o Options, database string, monitor *event.CommandMonitor) (*server, error) {
	s, err := dial(o, database, monitor)
	if err != nil {
		return nil, err
	}
	if err := s.greet(ctx); err != nil {
		s.close()
		return nil, &AwayError{Name: s.name, Err: err}
	}
	return s, nil
}

// dial prepares the connection and sends nothing yet, though the hosts of a
// mongodb+srv URL are looked up.
func dial(o Options, database string, monitor *event.CommandMonitor) (*server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &server{name: o.Name, log: o.Logger, version: o.AppVersion, secret: password(o.URL), newest: o.newest}
	settings := options.Client().ApplyURI(o.URL)
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("%s: the connection string is not one: %s", s.name, s.scrub(err))
	}
	if path := databaseOf(o.URL); path != "" {
		database = path
	}
	withDefaults(settings, o.Metrics.watchCommands(o.store, monitor))
	settings.SetPoolMonitor(o.Metrics.watchPool(o.store))
	s.timeout = *settings.Timeout
	client, err := mongo.Connect(settings)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", s.name, s.scrub(err))
	}
	s.client, s.db = client, client.Database(database)
	return s, nil
}

// OldError says that a server is too old.
type OldError struct{ Wire int }

func (e *OldError) Error() string {
	return fmt.Sprintf("the server is older than MongoDB 6.0 (it speaks wire version %d); run 6.0 or newer", e.Wire)
}

// AwayError says that a server could not be used when it was connected to. Its
// text names it, and what to do.
type AwayError struct {
	Name string
	Err  error
}

func (e *AwayError) Error() string {
	if told := app.Told(e.Err); told != "" {
		return e.Name + ": " + told
	}
	return e.Name + ": " + e.Err.Error()
}

// Unwrap gives what happened.
func (e *AwayError) Unwrap() error { return e.Err }

// withDefaults says explicitly what the promises of the ports rest on, and
// fills in what the connection string leaves open.
func withDefaults(o *options.ClientOptions, monitor *event.CommandMonitor) {
	journaled := true
	o.SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled})
	o.SetReadConcern(readconcern.Majority())
	o.SetReadPreference(readpref.Primary())
	o.SetRetryReads(true)
	if o.RetryWrites == nil { // what is not MongoDB may not take them
		o.SetRetryWrites(true)
	}
	o.SetAppName("tenantry")
	o.SetMonitor(monitor)
	if o.Timeout == nil {
		o.SetTimeout(operationTimeout)
	}
	if o.ServerSelectionTimeout == nil {
		o.SetServerSelectionTimeout(selectionTimeout)
	}
	if o.HeartbeatInterval == nil {
		o.SetHeartbeatInterval(heartbeatInterval)
	}
	if o.ConnectTimeout == nil {
		o.SetConnectTimeout(connectTimeout)
	}
	if o.MaxPoolSize == nil {
		o.SetMaxPoolSize(maxPoolSize)
	}
}

// greet asks the server what it is, and whether it lets us in.
func (s *server) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	admin := s.client.Database("admin")
	if err := admin.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&s.hello); err != nil {
		return s.translate(err)
	}
	if s.hello.MaxWire < oldestWire {
		return &OldError{Wire: s.hello.MaxWire}
	}
	if s.newest > 0 {
		s.hello.MaxWire = min(s.hello.MaxWire, s.newest)
	}
	// hello asks for no credentials; reading does.
	err := s.db.Collection("schema").FindOne(ctx, bson.D{}).Err()
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return s.translate(err)
	}
	return nil
}

// close gives the connections back. The driver would wait for calls that never
// end, so it is not waited for longer than a while.
func (s *server) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		_ = s.client.Disconnect(ctx)
	}()
	select {
	case <-done:
	case <-time.After(closeTimeout + time.Second):
	}
}

// health reports whether the server takes reads and has a primary.
func (s *server) health(ctx context.Context) error {
	return s.translate(s.client.Ping(ctx, readpref.Primary()))
}

// reading is the context of a read. The driver's own limit counts only where
// there is no deadline, and a request's is later.
func (s *server) reading(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}

// writing is the context of a write that has begun: it keeps the deadline, and
// has one, but a caller that goes away does not tear what was begun.
func (s *server) writing(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := time.Now().Add(s.timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(limit) {
		limit = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), limit)
}

// password is the secret of a connection string, or "".
func password(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		// What url does not take (several hosts with ports) is cut by hand.
		rest := raw[strings.Index(raw, "//")+2:]
		at := strings.LastIndex(rest, "@")
		if at < 0 {
			return ""
		}
		_, secret, _ := strings.Cut(rest[:at], ":")
		return secret
	}
	secret, _ := u.User.Password()
	return secret
}

// databaseOf is the database that a connection string names, or "".
func databaseOf(raw string) string {
	_, rest, _ := strings.Cut(raw, "//")
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = rest[at+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	_, name, _ := strings.Cut(rest, "/")
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}

// scrub is an error's text without the password.
func (s *server) scrub(err error) string {
	return s.hide(err.Error())
}

// hide is a text without the password.
func (s *server) hide(text string) string {
	if s.secret == "" {
		return text
	}
	text = strings.ReplaceAll(text, s.secret, "…")
	return strings.ReplaceAll(text, url.QueryEscape(s.secret), "…")
}
