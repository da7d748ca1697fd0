package nunjucks_test

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// backstageFilters are the four filters that the scaffolder gives to its
// templates, and jsonify of its compatible mode, as the cases expect them.
func backstageFilters() map[string]nunjucks.Func {
	return map[string]nunjucks.Func{
		"parseRepoUrl":   parseRepoURL,
		"projectSlug":    projectSlug,
		"parseEntityRef": parseEntityRef,
		"pick":           pick,
		"jsonify": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
			out, err := args.At(0).MarshalJSON()
			if args.At(0).IsUndefined() {
				return nunjucks.UndefinedValue(), err
			}
			return nunjucks.StringValue(string(out)), err
		},
	}
}

var requiredByHost = map[string][]string{
	"github.com":    {"repo", "owner"},
	"gitlab.com":    {"repo", "owner"},
	"bitbucket.org": {"workspace", "project", "repo"},
	"dev.azure.com": {"project", "repo"},
}

func parseRepoURL(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	s, ok := args.At(0).Text()
	if !ok {
		return nunjucks.Value{}, errors.New("no repo URL")
	}
	u, err := url.Parse("https://" + s)
	if err != nil {
		return nunjucks.Value{}, err
	}
	required, ok := requiredByHost[u.Host]
	if !ok {
		return nunjucks.Value{}, errors.New("no matching integration for host " + u.Host)
	}
	get := func(name string) nunjucks.Value {
		if v := strings.Trim(u.Query().Get(name), "/"); v != "" {
			return nunjucks.StringValue(v)
		}
		return nunjucks.UndefinedValue()
	}
	members := []nunjucks.Member{{Key: "host", Value: nunjucks.StringValue(u.Host)}}
	for _, name := range []string{"owner", "repo", "organization", "workspace", "project"} {
		if v := get(name); !v.IsUndefined() {
			members = append(members, nunjucks.Member{Key: name, Value: v})
		}
	}
	for _, name := range required {
		if name == "owner" && u.Host == "gitlab.com" && !get("project").IsUndefined() {
			continue
		}
		if get(name).IsUndefined() {
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
	var kind, namespace, name string
	in := args.At(0)
	if s, ok := in.Text(); ok {
		colon, slash := strings.Index(s, ":"), strings.Index(s, "/")
		if slash >= 0 && colon > slash {
			colon = -1
		}
		name = s[max(colon, slash)+1:]
		if colon >= 0 {
			kind = s[:colon]
			name = s[colon+1:]
		}
		if slash >= 0 {
			namespace, name = s[colon+1:slash], s[slash+1:]
		}
		if colon >= 0 && slash < 0 && kind == "" || name == "" {
			return nunjucks.Value{}, errors.New("entity reference " + s + " is not valid")
		}
		// The last colon before the slash belongs to the namespace.
	} else if in.Kind() == nunjucks.KindObject {
		kind, _ = in.Get("kind").Text()
		namespace, _ = in.Get("namespace").Text()
		name, _ = in.Get("name").Text()
	}
	if kind == "" {
		kind, _ = args.At(1).Get("defaultKind").Text()
	}
	if namespace == "" {
		namespace, _ = args.At(1).Get("defaultNamespace").Text()
	}
	if namespace == "" {
		namespace = "default"
	}
	if kind == "" || name == "" {
		return nunjucks.Value{}, errors.New("entity reference has no kind or name")
	}
	return nunjucks.ObjectValue(
		nunjucks.Member{Key: "kind", Value: nunjucks.StringValue(kind)},
		nunjucks.Member{Key: "namespace", Value: nunjucks.StringValue(namespace)},
		nunjucks.Member{Key: "name", Value: nunjucks.StringValue(name)}), nil
}

// pick gets a path of members.
func pick(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
	v := args.At(0)
	var path []string
	if p := args.At(1); p.Kind() == nunjucks.KindArray {
		for i := range p.Len() {
			path = append(path, p.Index(i).String())
		}
	} else if v.Has(p.String()) {
		path = []string{p.String()}
	} else {
		path = strings.FieldsFunc(p.String(), func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	}
	for _, key := range path {
		v = v.Member(key)
	}
	return v, nil
}
