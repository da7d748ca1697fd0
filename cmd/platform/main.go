package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		first := <-signals
		// The usual meaning comes back before anybody hears of the first
		// signal: a second one ends the program at once.
		signal.Reset(syscall.SIGTERM, os.Interrupt)
		cancel(fmt.Errorf("%s signal received", first))
	}()
	os.Exit(exitStatus(run(ctx, os.Args[1:], os.Stdout, os.Stderr)))
}

// errReported ends the program with status 1 when all has been said already.
var errReported = errors.New("faults were found")

// A usageError is a command line that makes no sense.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

// exitStatus tells the shell, and the operator in one line, how it ended.
func exitStatus(err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return 1
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "platform: %s\n", usage.reason)
		return 2
	}
	fmt.Fprintf(os.Stderr, "platform: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	return 1
}
