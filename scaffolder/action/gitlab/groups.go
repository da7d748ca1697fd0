package gitlab

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

type ensureInput struct {
	RepoURL     string `json:"repoUrl" doc:"The host, as gitlab.com"`
	Token       string `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	Description string `json:"description,omitempty" doc:"What the last group is for"`
	Path        []any  `json:"path" schema:"{\"minItems\":1,\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"slug\":{\"type\":\"string\"}},\"required\":[\"name\",\"slug\"],\"additionalProperties\":false}]}}" doc:"The groups from the top down"`
}

type ensureOutput struct {
	GroupID float64 `json:"groupId,omitempty" doc:"The number of the last group"`
}

// A step is one group of a path.
type step struct{ name, slug string }

// maxDepth bounds the groups of a path: GitLab has no deeper ones.
const maxDepth = 20

// stepsOf returns the groups of an input; a text may name several.
func stepsOf(path []any) ([]step, error) {
	var out []step
	for _, item := range path {
		switch item := item.(type) {
		case string:
			for part := range strings.SplitSeq(item, "/") {
				if part != "" {
					out = append(out, step{part, part})
				}
			}
		case *jsonvalue.Object:
			out = append(out, step{item.String("name"), item.String("slug")})
		}
	}
	if len(out) == 0 || len(out) > maxDepth {
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("path must name 1 to %d groups", maxDepth))
	}
	return out, nil
}

// A group is one that there is.
type group struct {
	ID float64 `json:"id"`
}

func (p *publisher) ensureGroup() action.Action {
	const id = "gitlab:group:ensureExists"
	return action.NewWithOutput(action.Spec{
		ID: id, DryRun: true, Repeatable: true, Description: "Makes a GitLab group, and those above it, if they are not there.",
		Examples: []action.Example{
			{Description: "Make a group below another one", Example: example(id, "Make the group", "path:", "  - acme", "  - platform")},
			{Description: "Make a group whose name is not its path", Example: example(id, "Make the group", "description: All services", "path:", "  - name: The Platform", "    slug: platform")},
		},
	}, func(ctx context.Context, c *action.Context, in ensureInput) (ensureOutput, error) {
		steps, err := stepsOf(in.Path)
		if err != nil {
			return ensureOutput{}, err
		}
		if c.DryRun {
			return ensureOutput{GroupID: 42}, nil
		}
		t, err := p.host(c, in.RepoURL, in.Token)
		if err != nil {
			return ensureOutput{}, err
		}
		var path string
		var last group
		for i, s := range steps {
			path = strings.TrimPrefix(path+"/"+s.slug, "/")
			description := ""
			if i == len(steps)-1 {
				description = in.Description
			}
			if last, err = t.ensure(ctx, path, s, last, description); err != nil {
				return ensureOutput{}, fmt.Errorf("make the group %s: %w", path, err)
			}
		}
		return ensureOutput{GroupID: last.ID}, nil
	})
}

// ensure finds or makes one group in another.
func (t *target) ensure(ctx context.Context, path string, s step, parent group, description string) (found group, err error) {
	err = t.call(ctx, http.MethodGet, []string{"groups", path}, nil, &found)
	if status(err) != http.StatusNotFound {
		return found, err
	}
	body := map[string]any{"name": s.name, "path": s.slug}
	if parent.ID != 0 {
		body["parent_id"] = parent.ID
	}
	if description != "" {
		body["description"] = description
	}
	err = t.call(ctx, http.MethodPost, []string{"groups"}, body, &found)
	if saysThat(err, "taken") { // somebody else was faster
		err = t.call(ctx, http.MethodGet, []string{"groups", path}, nil, &found)
	}
	return found, err
}

type accessInput struct {
	RepoURL     string    `json:"repoUrl" doc:"The host, as gitlab.com"`
	Token       string    `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	Path        any       `json:"path" schema:"{\"type\":[\"number\",\"string\"]}" doc:"The group, by number or path"`
	UserIDs     []float64 `json:"userIds,omitempty" doc:"The users, by number"`
	GroupIDs    []float64 `json:"groupIds,omitempty" doc:"The groups, by number"`
	Action      string    `json:"action,omitempty" enum:"add,remove" default:"add" doc:"Whether they get access or lose it"`
	AccessLevel any       `json:"accessLevel,omitempty" schema:"{\"type\":[\"number\",\"string\"],\"default\":30}" doc:"What they may do: a level of GitLab, by number or name; developer if nothing is said"`
}

type accessOutput struct {
	UserIDs     []float64 `json:"userIds,omitempty" doc:"The users"`
	GroupIDs    []float64 `json:"groupIds,omitempty" doc:"The groups"`
	Path        any       `json:"path,omitempty" schema:"{\"type\":[\"number\",\"string\"]}" doc:"The group"`
	AccessLevel float64   `json:"accessLevel,omitempty" doc:"What they may do, where they got access"`
}

// levelOf returns the number of a level.
func levelOf(v any) (float64, error) {
	names := map[string]float64{"no_access": 0, "minimal_access": 5, "guest": 10, "planner": 15, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
	switch v := v.(type) {
	case nil:
		return names["developer"], nil
	case string:
		if n, ok := names[strings.ToLower(v)]; ok {
			return n, nil
		}
	case float64:
		for _, n := range names {
			if n == v {
				return n, nil
			}
		}
	}
	return 0, catalog.NewError(catalog.NameInput, "accessLevel must be 0, 5, 10, 15, 20, 30, 40 or 50, or one of no_access, minimal_access, guest, planner, reporter, developer, maintainer, owner")
}

func (p *publisher) groupAccess() action.Action {
	const id = "gitlab:group:access"
	return action.New(action.Spec{
		ID: id, DryRun: true, Repeatable: true, Output: outputOf[accessOutput](),
		Description: "Gives users and groups access to a GitLab group, or takes it away.",
		Examples: []action.Example{
			{Description: "Make users developers of a group", Example: example(id, "Give access", "path: acme/platform", "userIds:", "  - 7", "accessLevel: developer")},
			{Description: "Take access away from a group", Example: example(id, "Take access away", "path: 12", "groupIds:", "  - 7", "action: remove")},
		},
	}, func(ctx context.Context, c *action.Context, in accessInput) error {
		level, err := in.check()
		if err != nil {
			return err
		}
		if !c.DryRun {
			t, err := p.host(c, in.RepoURL, in.Token)
			if err != nil {
				return err
			}
			if err := t.grantAll(ctx, in, level); err != nil {
				return err
			}
		}
		put := func(name string, ids []float64) {
			if len(ids) > 0 {
				list := make([]any, len(ids))
				for i, n := range ids {
					list[i] = n
				}
				c.Output(name, list)
			}
		}
		put("userIds", in.UserIDs)
		put("groupIds", in.GroupIDs)
		c.Output("path", in.Path)
		if in.Action != "remove" {
			c.Output("accessLevel", level)
		}
		return nil
	})
}

func (in accessInput) check() (float64, error) {
	if len(in.UserIDs)+len(in.GroupIDs) == 0 {
		return 0, catalog.NewError(catalog.NameInput, "At least one of userIds or groupIds must be provided and non-empty")
	}
	for _, n := range append(append([]float64(nil), in.UserIDs...), in.GroupIDs...) {
		if n != math.Trunc(n) || n < 0 {
			return 0, catalog.NewError(catalog.NameInput, fmt.Sprintf("%v is not the number of a user or group", n))
		}
	}
	return levelOf(in.AccessLevel)
}

// grantAll gives or takes away access, one after the other.
func (t *target) grantAll(ctx context.Context, in accessInput, level float64) error {
	to, err := idOf("path", in.Path)
	if err != nil {
		return err
	}
	for _, user := range in.UserIDs {
		if err := t.user(ctx, to, user, level, in.Action == "remove"); err != nil {
			return fmt.Errorf("user %.0f: %w", user, err)
		}
	}
	for _, other := range in.GroupIDs {
		if err := t.share(ctx, to, other, level, in.Action == "remove"); err != nil {
			return fmt.Errorf("group %.0f: %w", other, err)
		}
	}
	return nil
}

// user makes a user a member, changes what a member may do, or takes one out.
func (t *target) user(ctx context.Context, group string, user, level float64, remove bool) error {
	member := []string{"groups", group, "members", fmt.Sprintf("%.0f", user)}
	if remove {
		return notFoundIsFine(t.call(ctx, http.MethodDelete, member, nil, nil))
	}
	err := t.call(ctx, http.MethodPost, member[:3], map[string]any{"user_id": user, "access_level": level}, nil)
	if status(err) == http.StatusConflict {
		err = t.call(ctx, http.MethodPut, member, map[string]any{"access_level": level}, nil)
	}
	return err
}

// share shares a group with another, anew where it is, or ends that.
func (t *target) share(ctx context.Context, group string, other, level float64, remove bool) error {
	shared := []string{"groups", group, "share", fmt.Sprintf("%.0f", other)}
	if remove {
		return notFoundIsFine(t.call(ctx, http.MethodDelete, shared, nil, nil))
	}
	body := map[string]any{"group_id": other, "group_access": level}
	err := t.call(ctx, http.MethodPost, shared[:3], body, nil)
	if status(err) != http.StatusConflict {
		return err
	}
	if err := notFoundIsFine(t.call(ctx, http.MethodDelete, shared, nil, nil)); err != nil {
		return err
	}
	return t.call(ctx, http.MethodPost, shared[:3], body, nil)
}

// notFoundIsFine is for what is to be removed.
func notFoundIsFine(err error) error {
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}
