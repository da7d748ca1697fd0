package nunjucks_test

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// backstageFilters are the four filters that the scaffolder gives to its
// templates, as the cases expect them.
func backstageFilters() map[string]nunjucks.Func {
	return map[string]nunjucks.Func{
		"parseRepoUrl":   parseRepoURL,
		"projectSlug":    projectSlug,
		"parseEntityRef": parseEntityRef,
		"pick":           pick,
	}
}

// jsonify is the filter that the cookiecutter-compatible mode adds.
func jsonify(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	if args.At(0).IsUndefined() {
		return nunjucks.UndefinedValue(), nil
	}
	out, err := args.At(0).MarshalJSON()
	return nunjucks.StringValue(string(out)), err
}

// requiredByHost are the parameters that a repo URL needs, on the hosts that
// are known without configuration.
var requiredByHost = map[string][]string{
	"github.com":    {"repo", "owner"},
	"gitlab.com":    {"repo", "owner"},
	"bitbucket.org": {"workspace", "project", "repo"},
	"dev.azure.com": {"project", "repo"},
}

func parseRepoURL(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	u, err := url.Parse("https://" + args.At(0).String())
	if err != nil {
		return nunjucks.Value{}, err
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	required, ok := requiredByHost[host]
	if !ok {
		return nunjucks.Value{}, errors.New("no matching integration for host " + host)
	}
	members := []nunjucks.Member{{Key: "host", Value: nunjucks.StringValue(host)}}
	given := map[string]bool{}
	for _, name := range []string{"owner", "repo", "organization", "workspace", "project"} {
		if v := strings.Trim(u.Query().Get(name), "/"); v != "" {
			members = append(members, nunjucks.Member{Key: name, Value: nunjucks.StringValue(v)})
			given[name] = true
		}
	}
	for _, name := range required {
		if !given[name] && !(name == "owner" && host == "gitlab.com" && given["project"]) {
			return nunjucks.Value{}, errors.New("missing " + name)
		}
	}
	return nunjucks.ObjectValue(members...), nil
}

func projectSlug(ctx context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	v, err := parseRepoURL(ctx, args)
	if err != nil {
		return v, err
	}
	return nunjucks.StringValue(v.Get("owner").String() + "/" + v.Get("repo").String()), nil
}

func parseEntityRef(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	ref := args.At(0)
	if text, ok := ref.Text(); ok {
		var err error
		if ref, err = entityRef(text); err != nil {
			return nunjucks.Value{}, err
		}
	}
	either := func(v, otherwise nunjucks.Value) nunjucks.Value {
		if v.IsNullish() {
			return otherwise
		}
		return v
	}
	defaultNamespace := args.At(1).Get("defaultNamespace")
	if !defaultNamespace.Truthy() {
		defaultNamespace = nunjucks.StringValue("default")
	}
	kind := either(ref.Get("kind"), args.At(1).Get("defaultKind"))
	namespace := either(ref.Get("namespace"), defaultNamespace)
	name := ref.Get("name")
	if !kind.Truthy() || !namespace.Truthy() || !name.Truthy() {
		return nunjucks.Value{}, errors.New("entity reference has no kind, namespace or name")
	}
	return nunjucks.ObjectValue(
		nunjucks.Member{Key: "kind", Value: kind},
		nunjucks.Member{Key: "namespace", Value: namespace},
		nunjucks.Member{Key: "name", Value: name}), nil
}

// entityRef splits [kind:][namespace/]name. A colon after the slash belongs
// to the name; what is there must not be empty.
func entityRef(text string) (nunjucks.Value, error) {
	var members []nunjucks.Member
	part := func(key, value string) {
		members = append(members, nunjucks.Member{Key: key, Value: nunjucks.StringValue(value)})
	}
	rest := text
	if before, after, ok := strings.Cut(rest, ":"); ok && !strings.Contains(before, "/") {
		part("kind", before)
		rest = after
	}
	if before, after, ok := strings.Cut(rest, "/"); ok {
		part("namespace", before)
		rest = after
	}
	part("name", rest)
	for _, m := range members {
		if !m.Value.Truthy() {
			return nunjucks.Value{}, errors.New("entity reference " + text + " has an empty " + m.Key)
		}
	}
	return nunjucks.ObjectValue(members...), nil
}

// pick gets a path of members.
func pick(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	v := args.At(0)
	var path []string
	if p := args.At(1); p.Kind() == nunjucks.KindArray {
		for i := range p.Len() {
			path = append(path, p.Index(i).String())
		}
	} else if key := p.String(); v.Has(key) || !strings.ContainsAny(key, ".[") {
		path = []string{key}
	} else {
		path = splitPath(key)
	}
	if len(path) == 0 {
		return nunjucks.UndefinedValue(), nil
	}
	for _, key := range path {
		v = v.Member(key)
	}
	return v, nil
}

// splitPath cuts a.b[0]['c.d'] into its keys.
func splitPath(path string) []string {
	var keys []string
	if strings.HasPrefix(path, ".") {
		keys = append(keys, "")
	}
	for path != "" {
		switch c := path[0]; {
		case c == '.' && (len(path) == 1 || path[1] == '.'):
			keys, path = append(keys, ""), path[1:]
		case c == '.' || c == ']':
			path = path[1:]
		case c == '[' && len(path) > 1 && (path[1] == '"' || path[1] == '\''):
			key, rest, _ := strings.Cut(path[2:], path[1:2]+"]")
			keys, path = append(keys, key), rest
		case c == '[':
			path = path[1:]
		default:
			end := strings.IndexAny(path, ".[]")
			if end < 0 {
				end = len(path)
			}
			keys, path = append(keys, path[:end]), path[end:]
		}
	}
	return keys
}
