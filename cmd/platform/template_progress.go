package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/templatetest"
)

// A progress shows the log of a run as it is written: on a terminal step by
// step with marks and times, elsewhere line by line.
type progress struct {
	out      io.Writer
	terminal bool
	now      func() time.Time
	begun    map[string]time.Time
}

func newProgress(out io.Writer) *progress {
	return &progress{out: out, terminal: isTerminal(out), now: time.Now, begun: map[string]time.Time{}}
}

// isTerminal tells whether somebody watches.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

const (
	bold   = "\x1b[1m"
	green  = "\x1b[32m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// event shows one line of the log.
func (p *progress) event(body []byte) {
	o, err := jsonvalue.ParseObject(body)
	if err != nil {
		return // the runner writes objects alone
	}
	step, status, message := o.String("stepId"), scaffolder.Status(o.String("status")), o.String("message")
	if !p.terminal {
		if step != "" {
			step = "[" + step + "] "
		}
		for _, line := range strings.Split(templatetest.PlainLine(message), "\n") {
			fmt.Fprintf(p.out, "%s%s\n", step, line)
		}
		return
	}
	took := ""
	if begun, ok := p.begun[step]; ok && status != "" {
		took = fmt.Sprintf(" (%s)", p.now().Sub(begun).Round(time.Millisecond))
	}
	switch status {
	case scaffolder.Processing:
		p.begun[step] = p.now()
		fmt.Fprintf(p.out, "%s▸ %s%s\n", bold, strings.TrimPrefix(message, "Beginning step "), reset)
	case scaffolder.Completed:
		fmt.Fprintf(p.out, "%s✓ %s%s%s\n", green, strings.TrimPrefix(message, "Finished step "), reset, took)
	case scaffolder.Skipped:
		fmt.Fprintf(p.out, "%s– %s%s\n", yellow, message, reset)
	case scaffolder.Failed:
		fmt.Fprintf(p.out, "%s✗ %s%s%s\n", red, strings.ReplaceAll(message, "\n", "\n    "), reset, took)
	default:
		indent := ""
		if step != "" {
			indent = "    "
		}
		fmt.Fprintf(p.out, "%s%s\n", indent, strings.ReplaceAll(message, "\n", "\n"+indent))
	}
}
