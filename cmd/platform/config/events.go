package config

import (
	"slices"

	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// Events are the keys of webhooks.
type Events struct {
	// GitHubSecret and GitLabSecret are events.modules.*.webhookSecret.
	GitHubSecret, GitLabSecret string
	// Topics are events.http.topics: what else may be posted.
	Topics []string
	// SCM says what pushes and the like do to the catalog as a whole.
	SCM webhook.Effects
}

func (r *reader) events(c *Config) Events {
	e := Events{
		GitHubSecret: r.text(c.At("events.modules.github.webhookSecret"), ""),
		GitLabSecret: r.text(c.At("events.modules.gitlab.webhookSecret"), ""),
		Topics:       r.list(c.At("events.http.topics")),
		SCM:          r.effects(c.At("catalog.scmEvents")),
	}
	slices.Sort(e.Topics)
	e.Topics = slices.Compact(e.Topics)
	return e
}

// effects reads true, false, or which effects there are. Where nothing is said
// a change is read at once, which can harm nobody, and registered locations
// stay as they are.
func (r *reader) effects(v Value) webhook.Effects {
	switch {
	case !v.Exists():
		return webhook.Effects{Refresh: true}
	case v.IsObject():
		return webhook.Effects{
			Refresh: r.boolean(v.At("refresh"), true), Unregister: r.boolean(v.At("unregister"), true), Move: r.boolean(v.At("move"), true),
		}
	}
	on := r.boolean(v, false)
	return webhook.Effects{Refresh: on, Unregister: on, Move: on}
}
