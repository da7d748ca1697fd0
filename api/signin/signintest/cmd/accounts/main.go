package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/signintest"
	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("accounts", flag.ContinueOnError)
	portal := flags.String("portal", "http://localhost:7007", "external `URL` of the backend, to which people are sent back")
	github := flags.Int("github", 7201, "`port` of GitHub")
	gitlab := flags.Int("gitlab", 7202, "`port` of GitLab")
	oidc := flags.Int("oidc", 7203, "`port` of the provider of OpenID Connect")
	if err := flags.Parse(args); err != nil {
		return err
	}
	accounts := []signintest.Account{
		{Login: "amina.hassan", Name: "Amina", Email: "amina@fernweh.example", NodeID: "U_amina", Number: 11}, // of the sample catalog
		{Login: "mallory", Name: "Mallory", Email: "mallory@elsewhere.example", NodeID: "U_mallory", Number: 12},
	}
	app := func(provider string) signintest.ClientApp {
		return signintest.ClientApp{ID: "greenroom", Secret: "a-secret-of-the-client", CallbackURL: signin.CallbackURL(*portal, provider)}
	}
	issuer := fmt.Sprintf("http://localhost:%d", *oidc)
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range []struct {
		name    string
		port    int
		handler http.Handler
	}{
		{"GitHub", *github, signintest.NewGitHub(app(signin.GitHub), accounts...)},
		{"GitLab", *gitlab, signintest.NewGitLab(app(signin.GitLab), accounts...)},
		{"OpenID Connect", *oidc, signintest.NewOIDC(issuer, app(signin.OIDC), accounts...)},
	} {
		group.Go(func() error { return serve(ctx, s.name, s.port, s.handler) })
	}
	return group.Wait()
}

// serve answers on the loopback address alone.
func serve(ctx context.Context, name string, port int, handler http.Handler) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Printf("%s: http://localhost:%d\n", name, port)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close() // what is under way is of no value
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
