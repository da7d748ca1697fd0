package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"

	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/cmd/platform/offline"
	"github.com/greenroom-idp/greenroom/ingest/descriptor"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/source"
	"github.com/greenroom-idp/greenroom/schemas"
)

// newKinds compiles the schemas, and returns a fingerprint of what else than
// the release decides how entities are processed.
func newKinds(c config.Catalog) (kinds *schemas.Set, fingerprint string, err error) {
	o := schemas.Options{AIModel: c.AIModel}
	sum := sha256.New()
	fmt.Fprintf(sum, "%v %v %+v %+v %v\n", c.AIModel, c.DisableDefaultProcessors, c.Rules, c.Processors, c.Locations)
	if c.KindsFolder != "" {
		o.Custom = os.DirFS(c.KindsFolder)
		if err := sumFiles(sum, o.Custom); err != nil {
			return nil, "", fmt.Errorf("catalog.kinds.schemas: %w", err)
		}
	}
	if kinds, err = schemas.New(o); err != nil {
		return nil, "", fmt.Errorf("catalog.kinds.schemas: %w", err)
	}
	return kinds, hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// sumFiles adds the schemas of a folder to a sum.
func sumFiles(sum io.Writer, folder fs.FS) error {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(data), data)
	}
	return nil
}

// newRules turns the rules of the configuration into those of the pipeline,
// those of single locations included.
func newRules(c config.Catalog) (*process.Rules, error) {
	rules := process.DefaultRules()
	if c.Rules != nil {
		rules = nil
		for _, r := range c.Rules {
			rules = append(rules, ruleOf(r))
		}
	}
	for _, l := range c.Locations {
		at, err := absoluteLocation(l)
		if err != nil {
			return nil, err
		}
		for _, r := range l.Rules {
			rule := ruleOf(r)
			rule.Locations = []process.LocationMatch{{Type: at.Type, Exact: at.Target}}
			rules = append(rules, rule)
		}
	}
	return process.NewRules(rules)
}

func ruleOf(r config.Rule) process.Rule {
	var out process.Rule
	for _, a := range r.Allow {
		out.Allow = append(out.Allow, process.AllowedKind(a))
	}
	if r.Locations != nil {
		out.Locations = []process.LocationMatch{}
	}
	for _, l := range r.Locations {
		out.Locations = append(out.Locations, process.LocationMatch(l))
	}
	return out
}

// newReader returns what reads from the outside, over a network other than the
// real one if transport is not nil.
func newReader(s *config.Settings, hosts *integration.Set, readers []source.Host, kinds *schemas.Set, transport http.RoundTripper) (*source.Reader, error) {
	o := source.Options{Transport: transport, Integrations: hosts, Hosts: readers, Known: func(apiVersion, kind string) bool { return kinds.Kind(apiVersion, kind) != nil }}
	for _, a := range s.Backend.Reading {
		o.Allow = append(o.Allow, source.Allow(a))
	}
	return source.New(o)
}

// newPipeline returns what processes entities, with the rules of the
// configuration or with none.
func newPipeline(c config.Catalog, kinds *schemas.Set, reader process.Reader, withRules bool) (*process.Pipeline, error) {
	o := process.Options{
		Reader: reader, Kinds: kinds, ParseYAML: descriptor.ParseValues,
		Processors: map[string]process.ProcessorOptions{}, NoDefaultReaders: c.DisableDefaultProcessors,
	}
	for name, options := range c.Processors {
		o.Processors[name] = process.ProcessorOptions(options)
	}
	if withRules {
		var err error
		if o.Rules, err = newRules(c); err != nil {
			return nil, err
		}
	}
	return process.New(o)
}

// newChecker returns what checks files without a network. Without a
// configuration every kind is allowed.
func newChecker(s *config.Settings, withRules bool, skip []string) (*offline.Checker, error) {
	kinds, _, err := newKinds(s.Catalog)
	if err != nil {
		return nil, err
	}
	o := offline.Options{
		Skip:      skip,
		Processor: func(r process.Reader) (offline.Processor, error) { return newPipeline(s.Catalog, kinds, r, false) },
	}
	if withRules {
		rules, err := newRules(s.Catalog)
		if err != nil {
			return nil, err
		}
		o.Allowed = rules.Allows
	}
	return offline.New(o)
}
