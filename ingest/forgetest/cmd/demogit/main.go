package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/demo"
)

func main() {
	binary := flag.String("platform", "bin/platform", "the built `program`")
	pushes := flag.Int("pushes", 10, "how many commits to push to each host")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *binary, *pushes, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "demogit: %v\n", err)
		os.Exit(1)
	}
}

const hookSecret = "secret-of-the-demonstration"

// run plays the demonstration.
func run(ctx context.Context, binary string, pushes int, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "demogit-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(dir)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Fprintf(out, "GitHub  %s  organisation acme: %d repositories, 3 users, 3 teams\n", w.github.URL(), services)
	fmt.Fprintf(out, "GitLab  %s  group tools: %d projects, 2 users\n", w.gitlab.URL(), services)
	started := time.Now()
	s, err := demo.Start(ctx, binary, dir, w.configuration())
	if err != nil {
		return err
	}
	defer s.Stop()
	fmt.Fprintf(out, "Server  %s\n\n", s.Base)
	for _, name := range []string{"component/default/shop-0", "component/default/tool-0", "user/default/ada", "group/default/web", "group/default/tools"} {
		if _, err := s.Until(ctx, name, demo.Exists); err != nil {
			return err
		}
	}
	for n := range services {
		if _, err := s.Until(ctx, fmt.Sprintf("component/default/shop-%d", n), demo.Exists); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "Everything is in the catalog %s after the start.\n\n", since(started))
	return play(ctx, w, s, pushes, out)
}

// play makes things happen at the hosts, and says when they are served.
func play(ctx context.Context, w *world, s *demo.Server, pushes int, out io.Writer) error {
	for _, scene := range []struct {
		title string
		times int
		act   func(ctx context.Context, n int) (time.Duration, error)
	}{
		{"push to GitHub, webhook, served", pushes, func(ctx context.Context, n int) (time.Duration, error) { return w.pushGitHub(ctx, s, n) }},
		{"push to GitLab, webhook, served", pushes, func(ctx context.Context, n int) (time.Duration, error) { return w.pushGitLab(ctx, s, n) }},
		{"a user joins a team, served with relations", 1, func(ctx context.Context, _ int) (time.Duration, error) { return w.join(ctx, s) }},
		{"a repository is archived, gone", 1, func(ctx context.Context, _ int) (time.Duration, error) { return w.archive(ctx, s) }},
	} {
		var took []time.Duration
		for n := range scene.times {
			d, err := scene.act(ctx, n)
			if err != nil {
				return fmt.Errorf("%s: %w", scene.title, err)
			}
			took = append(took, d)
		}
		slices.Sort(took)
		fmt.Fprintf(out, "%-46s", scene.title)
		if len(took) == 1 {
			fmt.Fprintf(out, "%8s\n", round(took[0]))
			continue
		}
		fmt.Fprintf(out, "%8s  (fastest %s, slowest %s, of %d)\n", round(took[len(took)/2]), round(took[0]), round(took[len(took)-1]), len(took))
	}
	fmt.Fprintf(out, "\nTimes are from the delivery of the webhook to the first answer with the change,\nthe answers of the hosts included.\n\nRequests that the hosts had, and how many of them count against a budget:\n")
	requests(out, "GitHub", w.github.Forge)
	requests(out, "GitLab", w.gitlab.Forge)
	return nil
}

func requests(out io.Writer, name string, f *forgetest.Forge) {
	total := f.TotalRequests()
	fmt.Fprintf(out, "  %s: %d, of them %d billed\n", name, total.Total, total.Billable)
}

func since(t time.Time) time.Duration { return round(time.Since(t)) }

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}
