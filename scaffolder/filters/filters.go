package filters

import (
	"context"
	"errors"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// A Filter is a function that templates call after a pipe, with what clients
// are told of it.
type Filter struct {
	Name        string
	Description string
	// Input, Arguments and Output are JSON Schemas; Arguments is nil where the
	// filter takes none.
	Input     *jsonvalue.Object
	Arguments []any
	Output    *jsonvalue.Object
	Examples  []Example
	Call      nunjucks.Func
}

// An Example shows a filter at work.
type Example struct{ Description, Example, Notes string }

// Funcs returns the functions of filters by name, as nunjucks.Options takes
// them.
func Funcs(list []Filter) map[string]nunjucks.Func {
	out := make(map[string]nunjucks.Func, len(list))
	for _, f := range list {
		out[f.Name] = f.Call
	}
	return out
}

// Backstage returns the filters that every template may use.
func Backstage(hosts Hosts) []Filter {
	return []Filter{parseRepoURL(hosts), parseEntityRef(), pick(), projectSlug(hosts)}
}

// Compatible returns the filters that are added where files are rendered in
// cookiecutter's dialect.
func Compatible() map[string]nunjucks.Func {
	return map[string]nunjucks.Func{"jsonify": jsonify}
}

// callParseRepoURL is what parseRepoUrl and projectSlug have in common.
func callParseRepoURL(hosts Hosts, args nunjucks.Args) (RepoURL, error) {
	s, ok := args.At(0).Text()
	if !ok {
		return RepoURL{}, invalid("a repository URL is a text of the form host?owner=...&repo=..., not %s", args.At(0).Kind())
	}
	return ParseRepoURL(s, hosts)
}

func (r RepoURL) value() nunjucks.Value {
	var members []nunjucks.Member
	for _, m := range []struct{ key, value string }{
		{"host", r.Host}, {"owner", r.Owner}, {"repo", r.Repo},
		{"organization", r.Organization}, {"workspace", r.Workspace}, {"project", r.Project},
	} {
		if m.value != "" {
			members = append(members, nunjucks.Member{Key: m.key, Value: nunjucks.StringValue(m.value)})
		}
	}
	return nunjucks.ObjectValue(members...)
}

func callParseEntityRef(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	in, defaults := args.At(0), args.At(1)
	member := func(v nunjucks.Value, key string) string {
		s, _ := v.Get(key).Text()
		return s
	}
	kind, namespace := member(defaults, "defaultKind"), member(defaults, "defaultNamespace")
	text, isText := in.Text()
	var ref catalog.EntityRef
	var err error
	switch {
	case isText && text != "":
		ref, err = catalog.ParseEntityRef(text, kind, namespace)
	case in.Kind() == nunjucks.KindObject:
		ref, err = refOfParts(member(in, "kind"), member(in, "namespace"), member(in, "name"), kind, namespace)
	default:
		err = catalog.NewError(catalog.NameInput, "Entity reference must not be empty")
	}
	if err != nil {
		return nunjucks.UndefinedValue(), err
	}
	return nunjucks.ObjectValue(
		nunjucks.Member{Key: "kind", Value: nunjucks.StringValue(ref.Kind)},
		nunjucks.Member{Key: "namespace", Value: nunjucks.StringValue(ref.Namespace)},
		nunjucks.Member{Key: "name", Value: nunjucks.StringValue(ref.Name)}), nil
}

// refOfParts completes a ref that is given as an object.
func refOfParts(kind, namespace, name, defaultKind, defaultNamespace string) (catalog.EntityRef, error) {
	first := func(texts ...string) string {
		for _, s := range texts {
			if s != "" {
				return s
			}
		}
		return ""
	}
	ref := catalog.EntityRef{Kind: first(kind, defaultKind), Namespace: first(namespace, defaultNamespace, catalog.DefaultNamespace), Name: name}
	switch {
	case ref.Kind == "":
		return ref, errors.New("the entity reference has no kind; add one, or the option defaultKind")
	case ref.Name == "":
		return ref, errors.New("the entity reference has no name")
	}
	return ref, nil
}

// callPick follows a path of members: a list of keys, or a text such as
// a.b[0]. A member whose whole name is the text goes before the path.
func callPick(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	v, path := args.At(0), args.At(1)
	for _, key := range pathKeys(v, path) {
		v = v.Member(key)
	}
	return v, nil
}

func pathKeys(v, path nunjucks.Value) []string {
	if path.Kind() == nunjucks.KindArray {
		keys := make([]string, path.Len())
		for i := range keys {
			keys[i] = path.Index(i).String()
		}
		return keys
	}
	if s := path.String(); !v.Has(s) {
		return splitPath(s)
	}
	return []string{path.String()}
}

// splitPath cuts a path into its keys: after dots, and in brackets, where they
// may be quoted.
func splitPath(s string) []string {
	var keys []string
	key, started := []byte(nil), true
	end := func() {
		if started {
			keys = append(keys, string(key))
		}
		key, started = nil, false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '.':
			end()
			started = true
		case '[':
			if len(key) > 0 || len(keys) > 0 {
				end()
			}
			inner, next := bracket(s, i)
			keys = append(keys, inner)
			key, started = nil, false
			i = next
		default:
			key, started = append(key, c), true
		}
	}
	end()
	return keys
}

// bracket reads [key] at i and returns the key, without quotes, and the place
// of the closing bracket.
func bracket(s string, i int) (key string, end int) {
	i++
	if i < len(s) && (s[i] == '"' || s[i] == '\'') {
		quote := s[i]
		for j := i + 1; j < len(s); j++ {
			if s[j] == quote && j+1 < len(s) && s[j+1] == ']' {
				return s[i+1 : j], j + 1
			}
		}
	}
	for j := i; j < len(s); j++ {
		if s[j] == ']' {
			return s[i:j], j
		}
	}
	return s[i:], len(s)
}

func jsonify(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	if args.At(0).IsUndefined() {
		return nunjucks.UndefinedValue(), nil
	}
	out, err := args.At(0).MarshalJSON()
	return nunjucks.StringValue(string(out)), err
}
