package github

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// scmHandler says events of GitHub in the words of no host.
type scmHandler struct {
	scm     *webhook.SCM
	commits Commits
}

func (s *scmHandler) handle(ctx context.Context, e *event, _ Sink) error {
	if e.Repository.HTMLURL == "" {
		return nil
	}
	switch e.Name {
	case "push":
		events, err := s.push(ctx, e)
		if err != nil {
			return err
		}
		return s.scm.Apply(ctx, events)
	case "repository":
		return s.scm.Apply(ctx, repositoryEvents(e))
	}
	return nil
}

// fileForms are the URLs that a file of a repository has.
func fileForms(repository, branch, file string) []string {
	escaped := strings.ReplaceAll((&url.URL{Path: file}).EscapedPath(), "%2A", "*") // patterns stay as they are
	forms := []string{repository + "/blob/" + branch + "/" + file, repository + "/tree/" + branch + "/" + file}
	if escaped != file {
		forms = append(forms, repository+"/blob/"+branch+"/"+escaped, repository+"/tree/"+branch+"/"+escaped)
	}
	return forms
}

func isYAML(file string) bool {
	ext := strings.ToLower(path.Ext(file))
	return ext == ".yaml" || ext == ".yml"
}

// push returns what a push to the default branch did to YAML files.
func (s *scmHandler) push(ctx context.Context, e *event) ([]webhook.Event, error) {
	branch := e.Repository.DefaultBranch
	if branch == "" || e.branch() != branch {
		return nil, nil
	}
	renamed, err := s.renames(ctx, e)
	if err != nil {
		return nil, err
	}
	var out []webhook.Event
	for _, f := range e.net() {
		if !isYAML(f.Path) {
			continue
		}
		event := webhook.Event{Kind: f.Kind, URLs: fileForms(e.Repository.HTMLURL, branch, f.Path)}
		if to := renamed[f.Path]; to != "" && f.Kind == webhook.FileDeleted {
			if moved := fileForms(e.Repository.HTMLURL, branch, to); len(moved) >= len(event.URLs) {
				event.Kind, event.Moved = webhook.FileMoved, moved[:len(event.URLs)]
			} else {
				event.Kind, event.URLs, event.Moved = webhook.FileMoved, event.URLs[:len(moved)], moved
			}
		}
		out = append(out, event)
	}
	return out, nil
}

// maxRenames is for how many commits of a push the host is asked what they
// renamed.
const maxRenames = 20

// renames returns the new path of every YAML file that the commits of a push
// renamed. Only commits that remove one and add one can have.
func (s *scmHandler) renames(ctx context.Context, e *event) (map[string]string, error) {
	if s.commits == nil || !s.scm.Moves() {
		return nil, nil
	}
	out := map[string]string{}
	asked := 0
	for _, c := range e.Commits {
		if !anyYAML(c.Added) || !anyYAML(c.Removed) || asked == maxRenames {
			continue
		}
		asked++
		from, err := s.commits.Renames(ctx, hostOf(e.Repository.HTMLURL), e.Repository.owner(), e.Repository.Name, c.ID)
		if err != nil {
			return nil, err
		}
		for to, before := range from {
			out[before] = to
		}
	}
	for before, to := range out { // renamed once more by a later commit
		for range maxRenames {
			next, again := out[to]
			if !again || next == before {
				break
			}
			to = next
		}
		out[before] = to
	}
	return out, nil
}

func anyYAML(files []string) bool {
	for _, f := range files {
		if isYAML(f) {
			return true
		}
	}
	return false
}

// repositoryEvents returns what an event of a repository means for all that is
// in it.
func repositoryEvents(e *event) []webhook.Event {
	page := e.Repository.HTMLURL
	here := []string{page}
	switch e.Action {
	case "archived", "unarchived", "publicized", "privatized":
		return []webhook.Event{{Kind: webhook.RepositoryChanged, URLs: here}}
	case "deleted":
		return []webhook.Event{{Kind: webhook.RepositoryDeleted, URLs: here}}
	case "renamed", "transferred":
		if from := e.from(); from != "" {
			return []webhook.Event{{Kind: webhook.RepositoryMoved, URLs: []string{from}, Moved: here}}
		}
	case "edited":
		before, now := e.Changes.DefaultBranch.From, e.Repository.DefaultBranch
		if before != "" && now != "" && before != now {
			return []webhook.Event{{
				Kind:  webhook.RepositoryMoved,
				URLs:  []string{page + "/blob/" + before, page + "/tree/" + before},
				Moved: []string{page + "/blob/" + now, page + "/tree/" + now},
			}}
		}
	}
	return nil
}

// hostOf returns the host and port of a URL, "" if it has none.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}
