package config

import "github.com/greenroom-idp/greenroom/api/discovery"

// discovery reads discovery.endpoints, as far as calls of this backend go: a
// target that is an object without the key internal is about browsers alone.
func (r *reader) discovery(v Value) []discovery.Endpoint {
	var out []discovery.Endpoint
	for item := range r.items(v) {
		target := item.At("target")
		plugins := r.list(item.At("plugins"))
		if item.At("plugins").Exists() && !item.At("plugins").IsArray() {
			r.fault(item.At("plugins").wrongType("array"))
		}
		if plugins == nil {
			r.fault(item.At("plugins").Fault("the plugins that live there must be named, or '*' for all others"))
		}
		if target.IsObject() {
			r.text(target.At("external"), "")
			if target = target.At("internal"); !target.Exists() {
				continue
			}
		}
		e := discovery.Endpoint{Target: r.required(target), Plugins: plugins}
		if e.Target == "" {
			continue
		}
		if _, err := discovery.New([]discovery.Endpoint{e}, nil, nil); err != nil {
			r.fault(item.Fault("%s", err))
			continue
		}
		out = append(out, e)
	}
	return out
}
