package gitlab

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// name is that of the entity of a group: its path below the group of the
// options.
func (o *OrgOptions) name(path string) string {
	if len(path) > len(o.Group) && o.Group != "" && strings.EqualFold(path[:len(o.Group)+1], o.Group+"/") {
		path = path[len(o.Group)+1:]
	}
	return strings.ReplaceAll(path, "/", "-")
}

// prefix is that of the annotations: the host, without a port, which must not be
// in one.
func (o *OrgOptions) prefix() string {
	host, _, _ := strings.Cut(o.Host, ":")
	return host
}

// peopled returns the groups in which there is a user of the model, in order of
// their paths: the others are of no use in the catalog.
func (m *model) peopled() []*group {
	var out []*group
	for _, g := range m.groups {
		if slices.ContainsFunc(g.members, func(id int64) bool { return m.users[id] != nil }) {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b *group) int { return strings.Compare(a.FullPath, b.FullPath) })
	return out
}

// entities makes every entity of a model, users first.
func (d *OrgData) entities(m *model) []engine.Deferred {
	groups := m.peopled()
	of, there := map[int64][]any{}, map[int64]*group{}
	for _, g := range groups {
		there[g.ID] = g
		for _, id := range g.members {
			of[id] = append(of[id], d.opts.name(g.FullPath))
		}
	}
	users := make([]*user, 0, len(m.users))
	for _, u := range m.users {
		users = append(users, u)
	}
	slices.SortFunc(users, func(a, b *user) int { return strings.Compare(a.Username, b.Username) })
	out := make([]engine.Deferred, 0, len(users)+len(groups))
	for _, u := range users {
		out = append(out, d.user(u, of[u.ID]))
	}
	for _, g := range groups {
		out = append(out, d.group(g, there[g.ParentID]))
	}
	return out
}

// user makes the entity of a user who is in groups of these names.
func (d *OrgData) user(u *user, groups []any) engine.Deferred {
	annotations := d.annotations(u.Username)
	setText(annotations, d.opts.prefix()+"/user-login", u.WebURL)
	annotations.Set(d.opts.prefix()+"/user-id", strconv.FormatInt(u.ID, 10))
	if u.SAML != nil {
		setText(annotations, d.opts.prefix()+"/saml-external-uid", u.SAML.ExternUID)
	}
	profile := jsonvalue.NewObject()
	setText(profile, "displayName", u.Name)
	setText(profile, "email", u.mail())
	setText(profile, "picture", u.AvatarURL)
	if groups == nil {
		groups = []any{}
	}
	return d.deferred("User", u.Username, "", annotations, jsonvalue.NewObject(
		jsonvalue.Member{Key: "profile", Value: profile}, jsonvalue.Member{Key: "memberOf", Value: groups},
	))
}

// group makes the entity of a group, below parent unless that is nil.
func (d *OrgData) group(g, parent *group) engine.Deferred {
	annotations := d.annotations(g.FullPath)
	annotations.Set(d.opts.prefix()+"/team-path", g.FullPath)
	setText(annotations, d.opts.prefix()+"/visibility", g.Visibility)
	profile := jsonvalue.NewObject()
	setText(profile, "displayName", g.Name)
	setText(profile, "picture", g.AvatarURL)
	spec := jsonvalue.NewObject(
		jsonvalue.Member{Key: "type", Value: "team"}, jsonvalue.Member{Key: "children", Value: []any{}},
		jsonvalue.Member{Key: "profile", Value: profile},
	)
	if parent != nil {
		spec.Set("parent", d.opts.name(parent.FullPath))
	}
	return d.deferred("Group", d.opts.name(g.FullPath), g.Description, annotations, spec)
}

// annotations returns the two of the location.
func (d *OrgData) annotations(path string) *jsonvalue.Object {
	location := "url:" + d.opts.URL + "/" + path
	return jsonvalue.NewObject(
		jsonvalue.Member{Key: catalog.AnnotationManagedBy, Value: location},
		jsonvalue.Member{Key: catalog.AnnotationManagedByOrigin, Value: location},
	)
}

func (d *OrgData) deferred(kind, name, description string, annotations, spec *jsonvalue.Object) engine.Deferred {
	metadata := jsonvalue.NewObject(jsonvalue.Member{Key: "name", Value: name})
	setText(metadata, "description", description)
	metadata.Set("annotations", annotations)
	return engine.Deferred{LocationKey: d.Name(), Entity: catalog.Entity{Object: jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: "backstage.io/v1alpha1"}, jsonvalue.Member{Key: "kind", Value: kind},
		jsonvalue.Member{Key: "metadata", Value: metadata}, jsonvalue.Member{Key: "spec", Value: spec},
	)}}
}

func setText(o *jsonvalue.Object, key, value string) {
	if value != "" {
		o.Set(key, value)
	}
}
