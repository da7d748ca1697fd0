package config

import (
	"os"
	"path/filepath"
)

// Policy is permission.policy, or what the file that permission.policyFile
// names holds.
type Policy struct {
	// Rules are the values as encoding/json would have them, nil for none.
	Rules any
	// Source is where they stand, for faults.
	Source string
}

func (r *reader) policy(c *Config) Policy {
	inline, file := c.At("permission.policy"), c.At("permission.policyFile")
	switch {
	case inline.Exists() && file.Exists():
		r.fault(file.Fault("there is permission.policy too: one of them must go"))
	case inline.Exists():
		r.complete(inline)
		return Policy{Rules: inline.Plain(), Source: inline.Key()}
	case file.Exists():
		return r.policyFile(file)
	}
	return Policy{}
}

// policyFile reads a policy from a file of its own. Like those of locations its
// path starts at the working directory.
func (r *reader) policyFile(v Value) Policy {
	path := r.required(v)
	if path == "" {
		return Policy{}
	}
	c, err := Load(Sources{Files: []string{path}, Env: os.LookupEnv})
	if err != nil {
		r.fault(v.Fault("%s", err))
		return Policy{}
	}
	root := Value{node: c.root, file: filepath.Base(path)}
	r.complete(root)
	return Policy{Rules: root.Plain(), Source: filepath.Base(path)}
}

// complete finds keys that have come to nothing. Elsewhere they count as left
// out; a rule that loses what restricts it would hold for everybody.
func (r *reader) complete(v Value) {
	for _, dropped := range v.Dropped() {
		r.fault(dropped.Fault("it has no value, or one with a variable that is not set: leave the key out, or give it one"))
	}
}
