package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// The exit codes beside 0.
const (
	exitFailed      = 1   // it could not be done; the text says why
	exitUsage       = 2   // the command line itself is wrong; nothing was sent
	exitUnsettled   = 3   // it was done, and something is left: failed documents, a shortfall, refusals, a source that cannot be read
	exitInterrupted = 130 // Ctrl-C, as shells have it
)

const exitCodes = `Exit codes: 0 done; 1 it could not be done; 2 the command line is wrong; 3 done, but something is left (failed documents, a shortfall, refused items, a source that cannot be read); 130 interrupted.`

// exit is an error with its exit code.
type exit struct {
	code int
	error
}

func (e *exit) Unwrap() error { return e.error }

// ExitCode of an error that a command returned.
func ExitCode(err error) int {
	if e, ok := errors.AsType[*exit](err); ok {
		return e.code
	}
	return exitFailed
}

func usage(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

func unsettled(format string, args ...any) error {
	return &exit{exitUnsettled, fmt.Errorf(format, args...)}
}

// interrupted tells an end by Ctrl-C from a failure.
func interrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return &exit{exitInterrupted, errors.New("interrupted; what was asked of the server goes on there")}
}

// takes refuses a number of arguments that the command's use does not name.
func takes(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("got %d arguments, the use is: %s", len(args), c.UseLine())
		}
		return nil
	}
}

func takesAtLeast(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < n {
			return usage("got %d arguments, the use is: %s", len(args), c.UseLine())
		}
		return nil
	}
}

func takesBetween(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage("got %d arguments, the use is: %s", len(args), c.UseLine())
		}
		return nil
	}
}

func flagError(c *cobra.Command, err error) error {
	return usage("%w; see %s --help", err, c.CommandPath())
}
