package config

import (
	"net/url"
	"slices"
	"strings"
)

// visible are the keys that the stock frontend reads and that anybody may see.
// "*" stands for any key, "[]" for the elements of an array, and "**" at the
// end for everything below. "{}" at the end shows that an object is there, and
// nothing of it.
var visible = []string{
	"app.title", "app.baseUrl", "app.packages.**", "app.extensions.**", "app.pluginOverrides.**", "app.routes.bindings.**",
	"app.support.**", "app.listen.host", "app.listen.port",
	"app.datadogRum.applicationId", "app.datadogRum.clientToken", "app.datadogRum.env", "app.datadogRum.site",
	"app.datadogRum.sessionSampleRate", "app.datadogRum.sessionReplaySampleRate",
	"organization.name", "backend.baseUrl",
	"discovery.endpoints.[].plugins.**", "discovery.endpoints.[].target", "discovery.endpoints.[].target.external",
	"auth.environment", "auth.providers.*.{}", "auth.providers.*.*.signIn.{}", "auth.autologout.**", "enableExperimentalRedirectFlow",
	"permission.enabled", "permission.EXPERIMENTAL_enableBatchedRequests",
	"techdocs.builder", "techdocs.sanitizer.**", "techdocs.legacyUseCaseSensitiveTripletPaths",
	"search.defaultType", "search.query.pageLimit",
	"catalog.import.entityFilename", "catalog.import.pullRequestBranchName", "catalog.experimentalPagination.**",
	"home.recentVisits.**", "home.topVisits.**", "homepage.clocks.**",
	"kubernetes.frontend.podDelete.enabled", "kubernetes.podExecTerminal.enabled", "kubernetes.frontend.podExecTerminal.enabled",
	"integrations.*.[].host", "integrations.*.[].baseUrl", "integrations.*.[].apiBaseUrl", "integrations.*.[].rawBaseUrl",
	"integrations.*.[].gitilesBaseUrl", "integrations.gerrit.[].cloneUrl", "integrations.gerrit.[].disableEditUrl",
	"integrations.gitlab.[].retry.**", "integrations.awsS3.[].endpoint", "integrations.awsS3.[].s3ForcePathStyle",
	"integrations.azureBlobStorage.[].endpoint",
}

// frontend returns what browsers may see of the configuration.
func frontend(c *Config) any {
	patterns := make([][]string, len(visible))
	for i, p := range visible {
		patterns[i] = strings.Split(p, ".")
	}
	if shown, ok := show(c.root, patterns).(map[string]any); ok {
		return shown
	}
	return map[string]any{}
}

// show returns the part of a node that patterns, relative to it, let through,
// nil for none.
func show(n *node, patterns [][]string) any {
	if len(patterns) == 0 {
		return nil
	}
	for _, p := range patterns {
		if len(p) == 1 && p[0] == "**" || len(p) == 0 && !isContainer(n) {
			return withoutUserinfo(plain(n))
		}
	}
	switch v := n.value.(type) {
	case *object:
		return showObject(v, patterns)
	case []*node:
		return showArray(v, patterns)
	}
	return nil
}

func isContainer(n *node) bool {
	switch n.value.(type) {
	case *object, []*node:
		return true
	}
	return false
}

func showObject(o *object, patterns [][]string) any {
	out := map[string]any{}
	for _, key := range o.keys {
		if child := show(o.fields[key], below(patterns, key)); child != nil {
			out[key] = child
		}
	}
	bare := slices.ContainsFunc(patterns, func(p []string) bool { return len(p) == 1 && p[0] == "{}" })
	if len(out) == 0 && !bare {
		return nil
	}
	return out
}

func showArray(list []*node, patterns [][]string) any {
	var out []any
	rest := below(patterns, "[]")
	for _, n := range list {
		if child := show(n, rest); child != nil {
			out = append(out, child)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// below returns the rest of the patterns that go on with a key.
func below(patterns [][]string, key string) (rest [][]string) {
	for _, p := range patterns {
		if len(p) > 0 && (p[0] == key || p[0] == "*" && key != "[]") {
			rest = append(rest, p[1:])
		}
	}
	return rest
}

// withoutUserinfo takes a user and password out of texts that are URLs: those
// are meant for programs, wherever they stand.
func withoutUserinfo(v any) any {
	switch v := v.(type) {
	case string:
		if u, err := url.Parse(v); err == nil && u.User != nil && u.Host != "" {
			u.User = nil
			return u.String()
		}
	case []any:
		for i := range v {
			v[i] = withoutUserinfo(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = withoutUserinfo(v[key])
		}
	}
	return v
}
