package gitlab

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// scmHandler says events of GitLab in the words of no host.
type scmHandler struct{ scm *webhook.SCM }

func (s *scmHandler) handle(ctx context.Context, e *event, _ Sink) error {
	return s.scm.Apply(ctx, scmEvents(e))
}

// fileForms are the URLs that a file of a project has.
func fileForms(project, branch, file string) []string {
	escaped := strings.ReplaceAll((&url.URL{Path: file}).EscapedPath(), "%2A", "*") // patterns stay as they are
	forms := []string{project + "/-/blob/" + branch + "/" + file, project + "/-/tree/" + branch + "/" + file}
	if escaped != file {
		forms = append(forms, project+"/-/blob/"+branch+"/"+escaped, project+"/-/tree/"+branch+"/"+escaped)
	}
	return forms
}

func isYAML(file string) bool {
	ext := strings.ToLower(path.Ext(file))
	return ext == ".yaml" || ext == ".yml"
}

// scmEvents returns what an event means for files and projects in general.
func scmEvents(e *event) []webhook.Event {
	base := e.instance
	switch e.name() {
	case "push":
		return pushEvents(e)
	case "project_destroy":
		if base != "" && e.Path != "" {
			return []webhook.Event{{Kind: webhook.RepositoryDeleted, URLs: []string{base + "/" + e.Path}}}
		}
	case "project_rename", "project_transfer":
		if base != "" && e.Path != "" && e.OldPath != "" {
			return []webhook.Event{{
				Kind: webhook.RepositoryMoved, URLs: []string{base + "/" + e.OldPath}, Moved: []string{base + "/" + e.Path},
			}}
		}
	case "project_update":
		if base != "" && e.Path != "" {
			return []webhook.Event{{Kind: webhook.RepositoryChanged, URLs: []string{base + "/" + e.Path}}}
		}
	}
	return nil
}

// pushEvents returns what a push to the default branch did to YAML files.
// Where that is not known, all that is in the project may have changed.
func pushEvents(e *event) []webhook.Event {
	branch := e.Project.DefaultBranch
	if branch == "" || e.branch() != branch || e.Project.WebURL == "" {
		return nil
	}
	changes, known := e.net()
	if !known {
		return []webhook.Event{{Kind: webhook.RepositoryChanged, URLs: []string{e.Project.WebURL}}}
	}
	var out []webhook.Event
	for _, f := range changes {
		if isYAML(f.Path) {
			out = append(out, webhook.Event{Kind: f.Kind, URLs: fileForms(e.Project.WebURL, branch, f.Path)})
		}
	}
	return out
}
