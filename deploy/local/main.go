// Command local starts a PostgreSQL and an Apache Kafka on 127.0.0.1, tells
// where they are in WAYBILL_TEST_POSTGRES and WAYBILL_TEST_KAFKA, runs the
// command behind "--" with them, and stops both again. Without a command it
// prints the variables and stays until it is interrupted.
//
//	go run ./deploy/local -- go test ./...
//	go run ./deploy/local -setting shared_buffers=2GB -- make bench
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/deploy/servers"
)

func main() {
	embedded.RunKeeper()
	settings := settings{"max_connections": "300", "shared_buffers": "256MB"}
	flag.Var(settings, "setting", "`name=value` of PostgreSQL, as often as wanted")
	flag.Parse()
	code, err := run(settings, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
	}
	os.Exit(code)
}

// settings of PostgreSQL by name.
type settings map[string]string

func (s settings) String() string { return "" }

func (s settings) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found {
		return errors.New("wanted: name=value")
	}
	s[name] = value
	return nil
}

func run(settings settings, arguments []string) (code int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "waybill-local-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // PostgreSQL's user passes through it
		return 1, err
	}
	kafka, err := servers.NewKafka(ctx, filepath.Join(dir, "kafka"))
	if err != nil {
		return 1, err
	}
	if err := kafka.Start(ctx); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, kafka.Stop()) }()
	postgres, err := embedded.StartPostgres(ctx, filepath.Join(dir, "postgres"), settings)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, postgres.Stop()) }()

	variables := []string{"WAYBILL_TEST_POSTGRES=" + postgres.URL(), "WAYBILL_TEST_KAFKA=" + kafka.Address()}
	if len(arguments) == 0 {
		for _, v := range variables {
			fmt.Println("export '" + v + "'")
		}
		<-ctx.Done()
		return 0, nil
	}
	return command(arguments, variables)
}

// command runs to its own end: an interrupt at the terminal reaches it too.
func command(arguments, variables []string) (int, error) {
	c := exec.Command(arguments[0], arguments[1:]...) //nolint:gosec,noctx // what the user asked for
	c.Env = append(os.Environ(), variables...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
