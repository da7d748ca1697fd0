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
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// After the first signal the usual meaning is back: a second one ends the
	// program at once.
	context.AfterFunc(ctx, stop)
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
