package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/discovery"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/permission/policy"
	"github.com/greenroom-idp/greenroom/api/permission/remote"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// knownPermissions are those of the plugins of this program.
func knownPermissions() []permission.Permission {
	return append(catalogapi.Permissions(), scaffolderapi.Permissions()...)
}

// newPolicy returns the policy of the configuration, nil where there is none.
func newPolicy(s *config.Settings, ownership func(context.Context, string) ([]string, error)) (*policy.Policy, error) {
	if s == nil || s.Policy.Rules == nil {
		return nil, nil
	}
	return policy.Parse(s.Policy.Rules, policy.Options{Known: knownPermissions(), Ownership: ownership, Source: s.Policy.Source})
}

// newDecider returns the one point that decides what callers may do.
func (p *platform) newDecider(authority *auth.Authority, peers *discovery.Directory) (*permission.Engine, error) {
	o := permission.Options{Enabled: p.settings.PermissionEnabled}
	rules, err := newPolicy(p.settings, p.ownership)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if rules != nil {
		o.Policy = rules
	}
	switch {
	case peers.Elsewhere(remote.Target):
		o.Policy = p.remotePolicy(authority, peers, o.Policy)
	case rules == nil && o.Enabled:
		p.log.Warn("permission.enabled is true, and there is no permission.policy: users may do everything")
	case rules != nil && !o.Enabled:
		p.log.Warn("there is a permission.policy, and permission.enabled is not true: plugins do not ask it")
	}
	return permission.NewEngine(o), nil
}

// remotePolicy asks the permission plugin that lives elsewhere.
func (p *platform) remotePolicy(authority *auth.Authority, peers *discovery.Directory, own permission.Policy) permission.Policy {
	if own == nil {
		own = permission.AllowAll{}
	}
	p.log.Info("permissions are asked of a plugin that lives elsewhere, as discovery.endpoints says")
	return remote.New(remote.Options{
		Base: peers.Base, Issuer: authority, Own: own, Logger: p.log, Plugins: append([]string{"catalog"}, api.Plugins()...),
	})
}

// ownership returns what a user acts for: what the backend says that has signed
// them in, or what the last sign-in has found, or lacking that what the catalog
// says, or the user alone.
func (p *platform) ownership(ctx context.Context, user string) ([]string, error) {
	if owns, ok, err := p.authority.ForeignOwnership(ctx, user); err != nil || ok {
		return owns, err
	}
	if info, ok, err := p.keys.User(ctx, user); err != nil || ok {
		return info.Ownership, err
	}
	owns, err := directory{p.view}.Ownership(ctx, user)
	if errors.Is(err, catalog.ErrNotFound) {
		return []string{user}, nil
	}
	return owns, err
}

func policyVerb() verb {
	return verb{
		name: "policy", arguments: "explain [flags] USER PERMISSION [REF]", summary: "say what the permission policy decides, and why",
		details: `
Reads permission.policy of the configuration, and says rule by rule what it
decides for a user, such as jane or user:default/jane; with the ref of an entity,
about that one.

What the user acts for, and the entity, are read from the store. While a server
has the store to itself they are asked of that server, at backend.listen, with a
token of backend.auth.externalAccess. Neither is needed for what --owns says.

The exit status is 0 whatever is decided.`,
		prepare: func(flags *flag.FlagSet) action {
			var o explainOptions
			flags.Var((*listFlag)(&o.configs), "config", "configuration `file`; may be given several times")
			flags.StringVar(&o.data, "data", "data", dataFlagUsage)
			flags.Var((*listFlag)(&o.owns), "owns", "`ref` that the user acts for, instead of what is known; may be given several times")
			return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
				if len(args) == 0 || args[0] != "explain" {
					return &usageError{"policy: what to do? There is `platform policy explain`"}
				}
				switch err := flags.Parse(args[1:]); { // flags stand behind explain too
				case errors.Is(err, flag.ErrHelp):
					return help([]string{"policy"}, stdout)
				case err != nil:
					return &usageError{"policy explain: " + err.Error()}
				}
				if err := o.read(flags.Args()); err != nil {
					return err
				}
				return explain(ctx, o, stdout)
			}
		},
	}
}

type explainOptions struct {
	configs, owns   []string
	data            string
	user, ref       string // canonical; ref "" for none
	permissionAsked string
}

func (o *explainOptions) read(args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return &usageError{"policy explain: USER and PERMISSION are needed, and a REF may follow"}
	}
	user, err := catalog.ParseEntityRef(args[0], "user", "")
	if err != nil {
		return &usageError{"policy explain: " + err.Error()}
	}
	o.user, o.permissionAsked = user.String(), args[1]
	if len(args) == 3 {
		ref, err := catalog.ParseEntityRef(args[2], "component", "")
		if err != nil {
			return &usageError{"policy explain: " + err.Error()}
		}
		o.ref = ref.String()
	}
	return nil
}

// explain writes what the policy decides.
func explain(ctx context.Context, o explainOptions, stdout io.Writer) (err error) {
	_, settings, err := loadConfig(o.configs)
	if err != nil {
		return err
	}
	rules, err := newPolicy(settings, nil)
	if err != nil {
		return err
	}
	if rules == nil {
		return errors.New("there is no permission.policy in the configuration: users may do everything")
	}
	asked, err := findPermission(o.permissionAsked, o.ref)
	if err != nil {
		return err
	}
	facts := &lazyFacts{settings: settings, data: o.data}
	defer closing(&err, facts)
	caller, from, err := callerOf(ctx, o, facts)
	if err != nil {
		return err
	}
	e := explanation{out: stdout, options: o, asked: asked, enabled: settings.PermissionEnabled}
	return e.write(ctx, rules, caller, from, facts)
}

// findPermission returns the permission of a name. One of another program is
// taken for one that is about no resource.
func findPermission(name, ref string) (permission.Permission, error) {
	all := knownPermissions()
	i := slices.IndexFunc(all, func(p permission.Permission) bool { return p.Name == name })
	plugin, _, _ := strings.Cut(name, ".")
	switch {
	case i >= 0 && ref != "" && all[i].ResourceType != catalogapi.EntityType:
		return permission.Permission{}, fmt.Errorf("%s is not about entities: leave %s out", name, ref)
	case i >= 0:
		return all[i], nil
	case slices.ContainsFunc(all, func(p permission.Permission) bool { return p.Plugin == plugin }):
		var names []string
		for _, p := range all {
			if p.Plugin == plugin {
				names = append(names, p.Name)
			}
		}
		return permission.Permission{}, fmt.Errorf("there is no permission %q: there are %s", name, strings.Join(names, ", "))
	}
	return permission.Permission{Plugin: plugin, Name: name}, nil
}

func callerOf(ctx context.Context, o explainOptions, facts *lazyFacts) (caller policy.Caller, from string, err error) {
	if len(o.owns) > 0 {
		owns := []string{o.user}
		for _, text := range o.owns {
			ref, err := catalog.ParseEntityRef(text, "group", "")
			if err != nil {
				return policy.Caller{}, "", &usageError{"policy explain: --owns: " + err.Error()}
			}
			owns = append(owns, ref.String())
		}
		return policy.NewCaller(o.user, owns), "as --owns says", nil
	}
	owns, from, err := facts.ownership(ctx, o.user)
	return policy.NewCaller(o.user, owns), from, err
}

// An explanation is what the verb writes.
type explanation struct {
	out     io.Writer
	options explainOptions
	asked   permission.Permission
	enabled bool
}

func (e *explanation) write(ctx context.Context, rules *policy.Policy, caller policy.Caller, from string, facts *lazyFacts) error {
	var meets func(*permission.Criteria) (bool, error)
	missing := false
	if e.options.ref != "" {
		entity, ok, err := facts.entity(ctx, e.options.ref)
		if err != nil {
			return err
		}
		if missing = !ok; ok {
			meets = meetsOf(entity)
		}
	}
	what, err := rules.Explain(caller, e.asked, meets)
	if err != nil {
		return err
	}
	var b strings.Builder
	if !e.enabled {
		b.WriteString("permission.enabled is not true: plugins allow everything. If it were:\n")
	}
	fmt.Fprintf(&b, "%s acts for %s (%s)\n", caller.User, strings.Join(caller.Owns, ", "), from)
	for _, s := range what.Steps {
		b.WriteString("  " + describeStep(s) + "\n")
	}
	e.conclude(&b, what, missing)
	_, err = io.WriteString(e.out, b.String())
	return err
}

func describeStep(s policy.Step) string {
	verb := map[permission.Result]string{permission.Allow: "allows", permission.Deny: "denies"}[s.Result]
	switch {
	case s.Decides:
		return fmt.Sprintf("%s: %s, it %s", s.Rule, verb, s.Reason)
	case s.Criteria != nil:
		return fmt.Sprintf("%s: %s resources with %s; it %s", s.Rule, verb, jsonvalue.Append(nil, s.Criteria.JSON()), s.Reason)
	}
	return fmt.Sprintf("%s: passed over, it %s", s.Rule, s.Reason)
}

// conclude writes the decision.
func (e *explanation) conclude(b *strings.Builder, what policy.Explanation, missing bool) {
	on := ""
	if e.options.ref != "" {
		on = " on " + e.options.ref
	}
	fmt.Fprintf(b, "%s%s for %s: ", e.asked.Name, on, e.options.user)
	last := what.Steps[len(what.Steps)-1]
	switch d := what.Decision; {
	case d.Result != permission.Conditional:
		fmt.Fprintf(b, "%s, by %s\n", d.Result, last.Rule)
	case missing:
		fmt.Fprintf(b, "DENY: there is no %s in the catalog, and what does not exist meets no condition\n", e.options.ref)
	default:
		fmt.Fprintf(b, "CONDITIONAL, for resources with %s; name one to see what is decided for it\n", jsonvalue.Append(nil, d.Criteria.JSON()))
	}
}
