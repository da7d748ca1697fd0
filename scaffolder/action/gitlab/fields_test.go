package gitlab_test

import (
	"reflect"
	"strings"
	"testing"

	gl "github.com/xanzy/go-gitlab"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// described are what go-gitlab sends for each operation of the double. GitLab
// publishes no description of its API in a package; the library, which others
// keep to its documentation, is the next best. The actions send their bodies
// without these types, since these leave out what is false or empty.
var described = map[string]any{
	"create project": gl.CreateProjectOptions{}, "edit project": gl.EditProjectOptions{}, "project member": gl.AddProjectMemberOptions{},
	"create group": gl.CreateGroupOptions{}, "add member": gl.AddGroupMemberOptions{}, "edit member": gl.EditGroupMemberOptions{},
	"remove member": gl.RemoveGroupMemberOptions{}, "share": gl.ShareGroupWithGroupOptions{}, "unshare": nil,
	"variable": gl.CreateProjectVariableOptions{}, "change variable": gl.UpdateProjectVariableOptions{}, "protect branch": gl.ProtectRepositoryBranchesOptions{},
	"access token": gl.CreateProjectAccessTokenOptions{}, "deploy token": gl.CreateProjectDeployTokenOptions{},
	"trigger": gl.AddPipelineTriggerOptions{}, "remove trigger": nil, "pipeline": gl.RunPipelineTriggerOptions{},
	"issue": gl.CreateIssueOptions{}, "edit issue": gl.UpdateIssueOptions{}, "create branch": gl.CreateBranchOptions{}, "create commit": gl.CreateCommitOptions{},
	"merge request": gl.CreateMergeRequestOptions{}, "edit merge request": gl.UpdateMergeRequestOptions{}, "merge": gl.AcceptMergeRequestOptions{},
}

// watchFields fails the test for a field that the library does not know.
func watchFields(t *testing.T, g *forgetest.GitLab) {
	t.Cleanup(func() {
		for _, w := range g.Writes("") {
			if w.Operation == "bulk import" {
				continue // this release of the library does not have it
			}
			of, ok := described[w.Operation]
			if !ok {
				t.Errorf("nothing is known of the operation %s", w.Operation)
				continue
			}
			for _, name := range unknownFields(w.Body, of) {
				t.Errorf("%s (%s): the library knows no field %s", w.Operation, w.Path, name)
			}
		}
	})
}

// unknownFields returns those of a value that a struct has no tag for, at any
// depth.
func unknownFields(v any, of any) (out []string) {
	if of == nil {
		of = struct{}{}
	}
	return unknownIn(v, reflect.TypeOf(of), "")
}

func unknownIn(v any, of reflect.Type, at string) (out []string) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch v := v.(type) {
	case []any:
		if of.Kind() == reflect.Slice {
			for _, e := range v {
				out = append(out, unknownIn(e, of.Elem(), at+"[]")...)
			}
		}
	case map[string]any:
		if of.Kind() != reflect.Struct {
			return nil
		}
		tags := map[string]reflect.Type{}
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			tags[name] = of.Field(i).Type
		}
		for name, inner := range v {
			if tags[name] == nil {
				out = append(out, strings.TrimPrefix(at+"."+name, "."))
				continue
			}
			out = append(out, unknownIn(inner, tags[name], at+"."+name)...)
		}
	}
	return out
}
