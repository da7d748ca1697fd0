package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/scaffolder"
	taskaction "github.com/greenroom-idp/greenroom/scaffolder/action"
	bitbucketaction "github.com/greenroom-idp/greenroom/scaffolder/action/bitbucketcloud"
	catalogaction "github.com/greenroom-idp/greenroom/scaffolder/action/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action/debug"
	fsaction "github.com/greenroom-idp/greenroom/scaffolder/action/fs"
	gitaction "github.com/greenroom-idp/greenroom/scaffolder/action/git"
	giteaaction "github.com/greenroom-idp/greenroom/scaffolder/action/gitea"
	githubaction "github.com/greenroom-idp/greenroom/scaffolder/action/github"
	gitlabaction "github.com/greenroom-idp/greenroom/scaffolder/action/gitlab"
	"github.com/greenroom-idp/greenroom/scaffolder/action/notification"
	taskstore "github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	tasks "github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/schemas"
)

// scaffolderParts are what the scaffolder is built on.
type scaffolderParts struct {
	db       *bbolt.DB
	dataDir  string // of the store, for workspaces and the key
	settings *config.Settings
	log      *slog.Logger
	registry prometheus.Registerer
	kinds    *schemas.Set
	hosts    *integration.Set
	decider  permission.Decider
	catalog  catalogaction.Catalog
	entities *catalogapi.API // what the API of the scaffolder asks
	reader   taskReader
	notices  notification.Sender
	forges   *forges
	signing  gitaction.Signing // set by newScaffolder
	observed *observation
	bus      *eventbus.Bus
	// network is how actions reach Git hosts; the zero value is the network.
	network network
	// root is what templates that are files may read from; "": their folder.
	root string
}

// A scaffoldery is the scaffolder: its tasks, and what answers for them.
type scaffoldery struct {
	tasks    *tasks.Engine
	api      *scaffolderapi.API
	settings config.Scaffolder
	// temporary is a folder that is gone when the program ends, "" for none.
	temporary string
}

// newScaffolder builds the scaffolder. Tasks run once Start of its engine has
// been called.
func newScaffolder(p scaffolderParts) (_ *scaffoldery, err error) {
	s := &scaffoldery{settings: p.settings.Scaffolder}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.removeTemporary())
		}
	}()
	if p.signing, err = signingKeys(p); err != nil {
		return nil, err
	}
	added := filters.Backstage(hostKinds{p.hosts})
	registry, err := taskaction.NewRegistry(builtinActions(p, filters.Funcs(added))...)
	if err != nil {
		return nil, err
	}
	store, err := taskstore.New(p.db)
	if err != nil {
		return nil, fmt.Errorf("the store of tasks cannot be opened: %w", err)
	}
	workspaces, key, err := s.private(p)
	if err != nil {
		return nil, err
	}
	concurrency := s.settings.Concurrency
	if concurrency == 0 {
		concurrency = -1
	}
	s.tasks, err = tasks.New(tasks.Options{
		Store: store, Workspaces: workspaces, Key: key, Concurrency: concurrency, PerTemplate: s.settings.PerTemplate,
		Quota: s.settings.WorkspaceQuota, KeepInterrupted: s.settings.KeepInterrupted,
		ParameterLength: s.settings.ParameterLength, Audit: p.observed.execution, News: taskNews{p.bus, p.log}, Log: p.log, Registry: p.registry,
		Runner: runner.Options{Actions: registry, Filters: filters.Funcs(added), Policy: scaffolderapi.Policy{Decider: p.decider},
			Parameters: s.settings.Parameters, Secrets: s.settings.Secrets, Trace: p.observed.tracing.Mark("backstage-plugin-scaffolder-backend"), Level: taskLogLevel(os.Getenv("LOG_LEVEL"))},
	})
	if err != nil {
		return nil, err
	}
	s.api, err = scaffolderapi.New(scaffolderapi.Options{Engine: s.tasks, Catalog: p.entities, Actions: registry, Decider: p.decider,
		Validate: scaffolder.Validator(p.kinds), Filters: added, Completers: completers(p), Log: p.log})
	return s, err
}

// builtinActions are the actions that templates can call. A new action is one
// line here.
func builtinActions(p scaffolderParts, added filterFuncs) []taskaction.Action {
	var all []taskaction.Action
	all = append(all, debug.Actions()...)
	all = append(all, fsaction.Actions()...)
	all = append(all, catalogaction.Actions(catalogaction.Options{Catalog: p.catalog, Resolver: p.reader})...)
	all = append(all, fetchActions(p, added)...)
	all = append(all, notification.Actions(notification.Options{Sender: p.notices})...)
	all = append(all, gitaction.Actions(gitOptions(p))...)
	all = append(all, githubaction.Actions(githubOptions(p))...)
	all = append(all, gitlabaction.Actions(gitlabOptions(p))...)
	all = append(all, giteaaction.Actions(giteaOptions(p))...)
	all = append(all, bitbucketaction.Actions(bitbucketOptions(p))...)
	return all
}

// taskLogLevel is the lowest level of lines in the logs of tasks.
func taskLogLevel(name string) slog.Level {
	switch strings.ToLower(name) {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}

// private returns the folder of workspaces and the key of secrets. Both are
// only for the user that runs the program, and temporary if the store is.
func (s *scaffoldery) private(p scaffolderParts) (workspaces string, key []byte, err error) {
	dir := p.dataDir
	if p.settings.Database.Memory {
		if s.temporary, err = os.MkdirTemp(s.settings.WorkingDirectory, "greenroom-"); err != nil {
			return "", nil, fmt.Errorf("a folder for workspaces cannot be made: %w: set backend.workingDirectory to one that can be written", err)
		}
		dir = s.temporary
	}
	if key, err = loadKey(filepath.Join(dir, keyFile)); err != nil {
		return "", nil, err
	}
	if s.settings.WorkingDirectory != "" && s.temporary == "" {
		if info, err := os.Stat(s.settings.WorkingDirectory); err != nil || !info.IsDir() {
			return "", nil, fmt.Errorf("backend.workingDirectory: %s is not a folder: make it, or name another one", s.settings.WorkingDirectory)
		}
		dir = s.settings.WorkingDirectory
	}
	return filepath.Join(dir, "greenroom-workspaces"), key, nil
}

// keyFile holds the key that seals the secrets of tasks. A copy of the store
// without it has no secrets in it.
const keyFile = "scaffolder.key"

// loadKey reads the key, and makes one where there is none.
func loadKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) == tasks.KeySize {
		return key, nil
	}
	if err == nil {
		return nil, fmt.Errorf("%s is not a key for the secrets of tasks: restore it from a copy, or remove it; "+
			"without it, tasks that have not ended lose their secrets", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the key for the secrets of tasks cannot be read: %w", err)
	}
	key = make([]byte, tasks.KeySize)
	_, _ = rand.Read(key) // never fails
	return key, writePrivate(path, key)
}

// writePrivate writes a file that is there as a whole or not at all.
func writePrivate(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // for its owner alone
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Close lets running steps end, for as long as the settings say, and keeps what
// did not end for the next start.
func (s *scaffoldery) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.settings.ShutdownTimeout)
	defer cancel()
	return errors.Join(s.tasks.Shutdown(ctx), s.removeTemporary())
}

func (s *scaffoldery) removeTemporary() error {
	if s.temporary == "" {
		return nil
	}
	return os.RemoveAll(s.temporary)
}
