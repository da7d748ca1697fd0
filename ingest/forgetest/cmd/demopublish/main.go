package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/demo"
)

func main() {
	binary := flag.String("platform", "bin/platform", "the built `program`")
	template := flag.String("template", "testdata/publish/template.yaml", "the `file` with the template")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *binary, *template, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "demopublish: %v\n", err)
		os.Exit(1)
	}
}

const (
	forgeToken = "token-of-the-integration"
	repository = "acme/bike-shop"
	component  = "component/default/bike-shop"
)

// run plays the demonstration.
func run(ctx context.Context, binary, template string, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "demopub-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Mkdir(filepath.Join(dir, "github"), 0o700); err != nil {
		return err
	}
	forge, err := forgetest.StartGitHub(forgetest.Options{Dir: filepath.Join(dir, "github")})
	if err != nil {
		return err
	}
	defer forge.Close()
	forge.AddToken(forgeToken)
	forge.AddOrganization("acme", "ada")
	key, err := newKey(dir)
	if err != nil {
		return err
	}
	defer key.close()
	settings, err := configuration(forge, template, key.private)
	if err != nil {
		return err
	}
	s, err := demo.Start(ctx, binary, dir, settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	fmt.Fprintf(out, "GitHub  %s  organisation acme\nServer  %s\n\n", forge.URL(), s.Base)
	if _, err := s.Until(ctx, "template/default/published-service", demo.Exists); err != nil {
		return err
	}
	if err := task(ctx, s, forge, out); err != nil {
		return err
	}
	return readBack(ctx, s, forge, &shell{ctx: ctx, out: out, dir: dir, home: key.home}, out)
}

// configuration is that of the server.
func configuration(forge *forgetest.GitHub, template, key string) (string, error) {
	file, err := filepath.Abs(template)
	if err != nil {
		return "", err
	}
	return strings.NewReplacer(
		"GITHUB_HOST", forge.Host(), "GITHUB_API", forge.API(), "GITHUB_RAW", forge.Raw(), "FORGE_TOKEN", forgeToken,
		"TOKEN", demo.Token, "TEMPLATE", file, "KEY", strings.ReplaceAll(key, "\n", `\n`),
	).Replace(`
backend:
  baseUrl: http://localhost:7007
  listen: {host: 127.0.0.1, port: 0}
  auth: {externalAccess: [{type: static, options: {token: TOKEN, subject: demo}}]}
integrations:
  github: [{host: 'GITHUB_HOST', apiBaseUrl: 'GITHUB_API', rawBaseUrl: 'GITHUB_RAW', token: FORGE_TOKEN, commitSigningKey: 'KEY'}]
scaffolder:
  defaultAuthor: {name: Ada Example, email: ada@example.com}
catalog:
  rules: [{allow: [Component, Template, Location]}]
  locations: [{type: file, target: 'TEMPLATE'}]
`), nil
}

// task runs the template, and shows what it says.
func task(ctx context.Context, s *demo.Server, forge *forgetest.GitHub, out io.Writer) error {
	began := time.Now()
	request := fmt.Sprintf(`{"templateRef":"template:default/published-service","values":{"name":"bike-shop","owner":"guests","repoUrl":"%s?owner=acme&repo=bike-shop"}}`, forge.Host())
	status, body, err := s.Send(ctx, http.MethodPost, "/api/scaffolder/v2/tasks", request)
	if err != nil || status != http.StatusCreated {
		return errors.Join(err, fmt.Errorf("the task was answered with %d %s", status, body))
	}
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		return err
	}
	ended, err := follow(ctx, s, made.ID, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe task is %s after %s.\n\n", ended, time.Since(began).Round(time.Millisecond))
	if ended != "completed" {
		return errors.New("the task did not complete")
	}
	return nil
}

// An event is a line of the log of a task, or its end.
type event struct {
	ID   int64
	Type string
	Body struct{ Message string }
}

// outcome is the state of a task.
func outcome(ctx context.Context, s *demo.Server, id string) (string, error) {
	_, body, err := s.Get(ctx, "/api/scaffolder/v2/tasks/"+id)
	if err != nil {
		return "", err
	}
	var is struct{ Status string }
	err = json.Unmarshal([]byte(body), &is)
	return is.Status, err
}

// follow shows the log of a task to its end, and returns how it ended.
func follow(ctx context.Context, s *demo.Server, id string, out io.Writer) (string, error) {
	after := ""
	for {
		status, body, err := s.Get(ctx, "/api/scaffolder/v2/tasks/"+id+"/events"+after)
		if err != nil || status != http.StatusOK {
			return "", errors.Join(err, fmt.Errorf("the events were answered with %d %s", status, body))
		}
		var events []event
		if err := json.Unmarshal([]byte(body), &events); err != nil {
			return "", err
		}
		for _, e := range events {
			if e.Type == "completion" {
				return outcome(ctx, s, id)
			}
			fmt.Fprintf(out, "  %s\n", e.Body.Message)
			after = fmt.Sprintf("?after=%d", e.ID)
		}
	}
}

// readBack shows what there is now, with programs that know nothing of ours.
func readBack(ctx context.Context, s *demo.Server, forge *forgetest.GitHub, sh *shell, out io.Writer) error {
	clone := strings.Replace(forge.URL(), "://", "://x-access-token:"+forgeToken+"@", 1) + "/" + repository + ".git"
	for _, command := range [][]string{
		{"git", "clone", "--quiet", clone, "shop"},
		{"git", "-C", "shop", "log", "--show-signature", "--format=%h %an <%ae>: %s", "main"},
		{"git", "-C", "shop", "ls-tree", "-r", "--format=%(objectmode) %(path)", "main"},
		{"git", "-C", "shop", "diff", "--stat", "main...origin/pipeline"},
		{"curl", "-sS", "--fail", "-H", "Authorization: Bearer " + forgeToken, forge.API() + "/repos/" + repository + "/pulls"},
	} {
		if err := sh.run(command...); err != nil {
			return err
		}
	}
	protection := forge.Writes("protection")
	if len(protection) != 1 {
		return fmt.Errorf("the branch was protected %d times", len(protection))
	}
	rules, err := json.Marshal(protection[0].Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The branch main is protected by %s\n\n", rules)
	if _, err := s.Until(ctx, component, demo.Has(`"owner":"guests"`, "http://"+forge.Host()+"/"+repository)); err != nil {
		return err
	}
	return sh.run("curl", "-sS", "--fail", "-H", "Authorization: Bearer "+demo.Token, s.Base+"/api/catalog/entities/by-name/"+component)
}
