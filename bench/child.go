package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	_ "modernc.org/sqlite" // the driver that the program itself uses
)

// childMode is the first argument of this program as a child of itself.
const childMode = "child-of-bench"

// runAsChild is the other side of a comparison, in a process that can be tied
// to a core.
func runAsChild(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "hello":
		return serveHello(ctx)
	case len(args) == 2 && args[0] == "commits":
		return commitEach(ctx, args[1])
	case len(args) == 2 && args[0] == "mongodb-inserts":
		return insertByDriver(ctx, args[1])
	case len(args) == 4 && args[0] == "copies":
		return copyBare(ctx, args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "inserts":
		return insertEach(ctx, args[1])
	}
	return fmt.Errorf("no such child: %q", args)
}

// serveHello is the ceiling of every figure: Fiber that answers one constant.
func serveHello(ctx context.Context) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"hello": "world"}) })
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	context.AfterFunc(ctx, func() { _ = l.Close() })
	return app.Listener(l)
}

// bareRound is how long a bare writer writes.
const bareRound = 2 * time.Second

// openBare opens a database as the program does, as far as it matters for the
// cost of a durable write, on one connection.
func openBare(ctx context.Context, path string) (*sql.DB, *sql.Conn, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=wal_autocheckpoint(1000)")
	if err != nil {
		return nil, nil, err
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, c, nil
}

// repeat calls act for bareRound and prints how many times per second it did.
func repeat(act func() error) error { return repeatAtOnce(1, act) }

// repeatAtOnce is repeat in several goroutines.
func repeatAtOnce(goroutines int, act func() error) error {
	var n atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, goroutines)
	begun := time.Now()
	for i := range errs {
		wait.Go(func() {
			for time.Since(begun) < bareRound {
				if errs[i] = act(); errs[i] != nil {
					return
				}
				n.Add(1)
			}
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := fmt.Fprintln(os.Stdout, float64(n.Load())/time.Since(begun).Seconds())
	return err
}
