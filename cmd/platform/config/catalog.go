package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// Catalog is what catalog.* says.
type Catalog struct {
	// Locations are fed in at every start.
	Locations []Location
	// Rules say which kinds may come from where; nil: the default ones.
	Rules []Rule
	// MinInterval and MaxInterval bound the time between two refreshes; 0: the
	// default.
	MinInterval, MaxInterval time.Duration
	// ProcessingOff is processingInterval: false.
	ProcessingOff bool
	// KeepOrphans and KeepOrphanProviders are the strategies named keep.
	KeepOrphans, KeepOrphanProviders bool
	// ReadOnly refuses to register, change and delete locations.
	ReadOnly bool
	// RefreshOnConflict makes registering what is registered a refresh.
	RefreshOnConflict bool
	// Processors are options by the name of a processor.
	Processors map[string]ProcessorOptions
	// DisableDefaultProcessors leaves out those that read locations.
	DisableDefaultProcessors bool
	// KindsFolder holds JSON Schemas of further kinds; "": there are none.
	KindsFolder string
	// AIModel adds AiResource and the mcp-server type of API.
	AIModel bool
}

// Location is an entry of catalog.locations.
type Location struct {
	Type, Target string
	Rules        []Rule
}

// Rule allows kinds, from the locations that match; nil means from anywhere.
type Rule struct {
	Allow     []AllowedKind
	Locations []LocationMatch
}

// AllowedKind is a kind, and a spec.type where that is not "".
type AllowedKind struct{ Kind, SpecType string }

// LocationMatch matches an exact target, or a glob over the whole of it.
type LocationMatch struct{ Type, Exact, Pattern string }

// ProcessorOptions are those of one processor.
type ProcessorOptions struct {
	Priority int // 0: the default
	Disabled bool
}

func (r *reader) catalog(v Value) Catalog {
	c := Catalog{
		KeepOrphans:              r.choice(v.At("orphanStrategy"), "delete", "delete", "keep") == "keep",
		KeepOrphanProviders:      r.choice(v.At("orphanProviderStrategy"), "delete", "delete", "keep") == "keep",
		ReadOnly:                 r.boolean(v.At("readonly"), false),
		RefreshOnConflict:        r.choice(v.At("defaultLocationConflictStrategy"), "reject", "reject", "refresh") == "refresh",
		DisableDefaultProcessors: r.boolean(v.At("disableDefaultProcessors"), false),
		KindsFolder:              r.text(v.At("kinds.schemas"), ""),
		AIModel:                  r.boolean(v.At("kinds.aiModel"), false),
	}
	r.interval(v.At("processingInterval"), &c)
	for item := range r.items(v.At("locations")) {
		c.Locations = append(c.Locations, r.location(item))
	}
	if rules := v.At("rules"); rules.Exists() {
		c.Rules = []Rule{}
		for item := range r.items(rules) {
			c.Rules = append(c.Rules, r.rule(item))
		}
	}
	c.Processors = map[string]ProcessorOptions{}
	options := v.At("processorOptions")
	for _, name := range options.Keys() {
		c.Processors[name] = ProcessorOptions{
			Priority: r.integer(options.Child(name).At("priority"), 0),
			Disabled: r.boolean(options.Child(name).At("disabled"), false),
		}
	}
	return c
}

// interval reads processingInterval: a refresh comes after one to one and a
// half of it.
func (r *reader) interval(v Value, c *Catalog) {
	if !v.Exists() {
		return
	}
	if v.Is(false) {
		c.ProcessingOff = true
		return
	}
	d := r.duration(v, 0)
	if d < 0 {
		r.fault(v.Fault("an interval must not be negative"))
	}
	c.MinInterval = max(d, time.Second)
	c.MaxInterval = c.MinInterval + c.MinInterval/2
}

func (r *reader) location(v Value) Location {
	l := Location{Type: r.required(v.At("type")), Target: r.required(v.At("target"))}
	for item := range r.items(v.At("rules")) {
		for _, key := range item.Keys() {
			if key != "allow" {
				r.fault(item.Child(key).Fault("a rule of a location has allow and nothing else"))
			}
		}
		l.Rules = append(l.Rules, r.rule(item))
	}
	return l
}

func (r *reader) rule(v Value) Rule {
	var rule Rule
	for item := range r.items(v.At("allow")) {
		if item.IsObject() {
			rule.Allow = append(rule.Allow, AllowedKind{
				Kind: r.required(item.At("kind")), SpecType: r.text(item.Child("spec.type"), ""),
			})
			continue
		}
		rule.Allow = append(rule.Allow, AllowedKind{Kind: r.required(item)})
	}
	if !v.At("allow").Exists() {
		r.fault(v.At("allow").missing())
	}
	if locations := v.At("locations"); locations.Exists() {
		rule.Locations = []LocationMatch{}
		for item := range r.items(locations) {
			rule.Locations = append(rule.Locations, r.locationMatch(item))
		}
	}
	return rule
}

func (r *reader) locationMatch(v Value) LocationMatch {
	m := LocationMatch{Type: r.text(v.At("type"), ""), Exact: r.text(v.At("exact"), ""), Pattern: r.text(v.At("pattern"), "")}
	if m.Exact != "" && m.Pattern != "" {
		r.fault(v.Fault("a location of a rule has exact or pattern, not both"))
	}
	if m.Pattern != "" && !doublestar.ValidatePattern(m.Pattern) {
		r.fault(v.At("pattern").Fault("'%s' is not a glob pattern", m.Pattern))
	}
	return m
}

// locationTypes are those that this release reads.
func locationTypes() []string {
	return []string{"url", "file", "directory", githubDiscovery, githubOrg, gitlabDiscovery}
}

// unserved returns a warning for what the configuration asks of the catalog
// and this release has not, since a catalog that stays empty without a word
// is hard to explain.
func unserved(c *Config) []string {
	var out []string
	items, err := c.At("catalog.locations").Items()
	if err != nil {
		return nil // reported elsewhere
	}
	for l := range items {
		if kind, err := l.At("type").Text(); err == nil && !slices.Contains(locationTypes(), kind) {
			out = append(out, fmt.Sprintf("%s: locations of type '%s' are not supported in this release, which has %s",
				l.Key(), kind, strings.Join(locationTypes(), ", ")))
		}
	}
	return out
}
