package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// guarded is a catalog in which jane, of the group shop, owns the cart.
const guarded = `
auth: {providers: {guest: {dangerouslyAllowOutsideDevelopment: true, userEntityRef: 'user:default/jane'}}}
permission:
  enabled: true
  policy:
    default: deny
    rules:
      - {name: admins, allow: '*', group: platform}
      - {deny: catalog.entity.read, kind: Location}
      - {name: own, allow: [catalog.entity.delete, catalog.entity.read], owner: caller}
      - {allow: '*', action: read, kind: [Group, User, API]}
`

const shopDescriptors = `
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop, description: thing}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: jane, description: thing}
spec: {memberOf: [shop]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: cart, description: thing}
spec: {type: service, lifecycle: production, owner: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: booking, description: thing}
spec: {type: service, lifecycle: production, owner: rentals}
`

// bootShop boots the program with the shop and a policy, as jane.
func bootShop(t *testing.T, data string) (i *instance, config string) {
	dir := t.TempDir()
	file := writeFile(t, dir, "shop.yaml", shopDescriptors)
	config = writeFile(t, dir, "app-config.yaml", baseConfig+"  locations: [{type: file, target: '"+file+"'}]\n"+guarded)
	i = bootArgs(t, "--config", config, "--data", data)
	for _, ref := range []string{"component/default/cart", "component/default/booking", "user/default/jane", "group/default/shop"} {
		i.until(ref, served)
	}
	return i, config
}

// signIn makes the instance ask as the guest, and returns the service's way
// back.
func (i *instance) signIn() {
	i.t.Helper()
	status, session := i.send(http.MethodGet, "/api/auth/guest/refresh", nil)
	require.Equal(i.t, http.StatusOK, status, session)
	i.token = session["backstageIdentity"].(map[string]any)["token"].(string)
}

// One policy decides in the catalog, in search, and for the frontend.
func TestPolicyDecidesEverywhere(t *testing.T) {
	i, _ := bootShop(t, t.TempDir())
	require.Equal(t, []string{"booking", "cart", "jane", "shop"}, i.find("term=thing", 4), "services are not asked about")
	i.signIn()
	require.Equal(t, []string{"cart", "jane", "shop"}, i.find("term=thing", 3))
	_, answer := i.send(http.MethodGet, "/api/catalog/entities/by-query?orderField=metadata.name", nil)
	require.EqualValues(t, 3, answer["totalItems"])
	status, _ := i.send(http.MethodGet, "/api/catalog/entities/by-name/component/default/booking", nil)
	require.Equal(t, http.StatusNotFound, status)
	status, cart := i.send(http.MethodGet, "/api/catalog/entities/by-name/component/default/cart", nil)
	require.Equal(t, http.StatusOK, status)

	item := func(name, action, ref string) map[string]any {
		permission := map[string]any{"type": "basic", "name": name, "attributes": map[string]any{"action": action}}
		out := map[string]any{"id": name + ref, "permission": permission}
		if ref != "" {
			permission["type"], permission["resourceType"], out["resourceRef"] = "resource", "catalog-entity", ref
		}
		return out
	}
	status, answer = i.send(http.MethodPost, "/api/permission/authorize", map[string]any{"items": []any{
		item("catalog.entity.create", "create", ""), item("catalog.entity.delete", "delete", "component:default/cart"),
		item("catalog.entity.delete", "delete", "component:default/booking"), item("catalog.entity.delete", "delete", "component:default/nope"),
	}})
	require.Equal(t, http.StatusOK, status, answer)
	var results []any
	for _, v := range answer["items"].([]any) {
		results = append(results, v.(map[string]any)["result"])
	}
	require.Equal(t, []any{"DENY", "ALLOW", "DENY", "DENY"}, results)

	status, _ = i.send(http.MethodPost, "/api/catalog/locations", map[string]string{"type": "url", "target": "http://x/y.yaml"})
	require.Equal(t, http.StatusForbidden, status)
	uid := cart["metadata"].(map[string]any)["uid"].(string)
	status, _ = i.send(http.MethodDelete, "/api/catalog/entities/by-uid/"+uid, nil)
	require.Equal(t, http.StatusNoContent, status)
}

func TestPolicyFaultsEndTheStart(t *testing.T) {
	config := writeFile(t, t.TempDir(), "app-config.yaml", strings.ReplaceAll(baseConfig, "port: 0", "port: x")+`
permission: {policy: {default: maybe, rules: [{allow: '*', gruop: x}]}}
`)
	_, _, err := try(t, "serve", "--config", config, "--data", t.TempDir())
	oneLine(t, err, "configuration has 3 faults", "backend.listen", "permission.policy.default must be allow or deny", "rules[0].gruop is not a key")
}

func TestPolicyExplain(t *testing.T) {
	data := t.TempDir()
	i, config := bootShop(t, data)
	explain := func(args ...string) (string, error) {
		out, _, err := try(t, append([]string{"policy", "explain", "--config", config, "--data", data}, args...)...)
		return out, err
	}
	const deleteCart = `user:default/jane acts for user:default/jane, group:default/shop (as the catalog says)
  rule 1 (admins): passed over, it is for members of group:default/platform
  rule 2: passed over, it is about catalog.entity.read
  rule 3 (own): allows, it holds for this resource
catalog.entity.delete on component:default/cart for user:default/jane: ALLOW, by rule 3 (own)
`
	_, err := explain("jane", "catalog.entity.delete", "cart")
	oneLine(t, err, "the server at", "does not answer") // the configuration says port 0, at which there is none
	i.listenAt(config)
	out, err := explain("jane", "catalog.entity.delete", "cart")
	require.NoError(t, err)
	require.Equal(t, deleteCart, out, "asked of the server that runs")
	out, err = explain("jane", "catalog.entity.delete", "api:nope")
	require.NoError(t, err)
	require.Contains(t, out, "DENY: there is no api:default/nope in the catalog")
	i.end()

	out, err = explain("user:default/jane", "catalog.entity.delete", "component:default/cart")
	require.NoError(t, err)
	require.Equal(t, deleteCart, out, "read from the store")
	out, err = explain("jane", "catalog.entity.delete", "booking")
	require.NoError(t, err)
	require.Contains(t, out, "booking for user:default/jane: DENY, by default\n")
	out, err = explain("jane", "catalog.entity.read")
	require.NoError(t, err)
	require.Contains(t, out, `rule 2: denies resources with {"rule":"IS_ENTITY_KIND"`)
	require.Contains(t, out, `catalog.entity.read for user:default/jane: CONDITIONAL, for resources with {"allOf":[{"not":`)
	out, err = explain("nemo", "catalog.entity.create")
	require.NoError(t, err)
	require.Contains(t, out, "user:default/nemo acts for user:default/nemo (there is no such user in the catalog)")
	require.Contains(t, out, "DENY, by default")

	data = filepath.Join(data, "nowhere")
	out, err = explain("--owns", "platform", "nemo", "kubernetes.clusters.read")
	require.NoError(t, err, "no store is needed")
	require.Contains(t, out, "ALLOW, by rule 1 (admins)")
	_, err = explain("nemo", "catalog.entity.create")
	oneLine(t, err, "there is no store", "--data")
}

// listenAt writes where the instance listens into its configuration.
func (i *instance) listenAt(config string) {
	text, err := os.ReadFile(config)
	require.NoError(i.t, err)
	port := i.base[strings.LastIndexByte(i.base, ':')+1:]
	require.NoError(i.t, os.WriteFile(config, []byte(strings.Replace(string(text), "port: 0", "port: "+port, 1)), 0o600))
}

func TestPolicyExplainAboutALockedStore(t *testing.T) {
	data := t.TempDir()
	i, config := bootShop(t, data)
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	bare := writeFile(t, t.TempDir(), "app-config.yaml", strings.Replace(string(text), "type: static", "type: static, accessRestrictions: [{plugin: search}]", 1))
	_, _, err = try(t, "policy", "explain", "--config", bare, "--data", data, "jane", "catalog.entity.create")
	oneLine(t, err, "is in use by another process", "backend.auth.externalAccess", "--owns")
	i.end()
}

func TestPolicyCommandLine(t *testing.T) {
	config := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig)
	ruled := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig+"permission: {policy: {default: deny}}\n")
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no verb of its own":    {nil, "There is `platform policy explain`"},
		"another":               {[]string{"check"}, "There is `platform policy explain`"},
		"too little":            {[]string{"explain", "jane"}, "USER and PERMISSION are needed"},
		"too much":              {[]string{"explain", "a", "b", "c", "d"}, "USER and PERMISSION are needed"},
		"no user":               {[]string{"explain", ":", "x"}, `":"`},
		"a flag that is none":   {[]string{"explain", "--nope"}, "nope"},
		"no policy":             {[]string{"explain", "--config", config, "jane", "catalog.entity.read"}, "there is no permission.policy"},
		"no such permission":    {[]string{"explain", "--config", ruled, "jane", "catalog.entity.raed"}, "there are catalog.entity.read,"},
		"not about entities":    {[]string{"explain", "--config", ruled, "jane", "catalog.entity.create", "cart"}, "is not about entities"},
		"an owner that is none": {[]string{"explain", "--config", ruled, "--owns", ":", "jane", "catalog.entity.create"}, `":"`},
	} {
		_, _, err := try(t, append([]string{"policy"}, tc.args...)...)
		require.ErrorContains(t, err, tc.want, name)
	}
	out, _, err := try(t, "policy", "explain", "--config", ruled, "--owns", "x", "jane", "catalog.entity.create")
	require.NoError(t, err)
	help, _, err := try(t, "policy", "explain", "--help")
	require.NoError(t, err)
	require.Contains(t, help, "Usage: platform policy explain")
	require.True(t, strings.HasPrefix(out, "permission.enabled is not true: plugins allow everything."), out)
}

// The policy that the documentation shows is one, and says what it says.
func TestPolicyOfTheDocumentation(t *testing.T) {
	path, err := filepath.Abs("../../testdata/configs/permission-policy.yaml")
	require.NoError(t, err)
	config := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig+"permission: {enabled: true, policyFile: '"+path+"'}\n")
	for _, tc := range []struct{ owns, permission, want string }{
		{"platform", "catalog.location.delete", "ALLOW, by rule 1 (the platform team may do everything)"},
		{"shop", "catalog.location.delete", "DENY, by default"},
		{"shop", "catalog.location.read", "ALLOW, by rule 4 (everybody reads the catalog)"},
		{"shop", "catalog.entity.read", `CONDITIONAL, for resources with {"allOf":[{"not":{"rule":"IS_ENTITY_KIND"`},
		{"shop", "catalog.entity.delete", `CONDITIONAL, for resources with {"rule":"IS_ENTITY_OWNER"`},
		{"shop", "scaffolder.task.create", "ALLOW, by rule 8 (everybody starts tasks)"},
		{"shop", "scaffolder.task.read", `CONDITIONAL, for resources with {"rule":"IS_TASK_OWNER"`},
		{"shop", "scaffolder.action.execute", `CONDITIONAL, for resources with {"not":{"rule":"HAS_ACTION_ID"`},
		{"shop", "scaffolder.template.step.read", "ALLOW, by rule 10 (all else of templates)"},
	} {
		out, _, err := try(t, "policy", "explain", "--config", config, "--owns", tc.owns, "jane", tc.permission)
		require.NoError(t, err)
		require.Contains(t, out, tc.permission+" for user:default/jane: "+tc.want)
	}
}
