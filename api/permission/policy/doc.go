// Package policy is the permission policy of the configuration: a list of
// rules, of which the first that matches decides.
//
// A rule allows or denies some permissions, to all or some callers, for all or
// some resources. What it says of resources becomes a condition, made of the
// rules that the plugins publish, so that plugins can use it as a filter; rules
// that a resource does not decide go into the condition one after the other,
// and the whole says the same as asking rule by rule for each resource.
//
// # The form
//
//	default: deny                # allow or deny: what no rule decides
//	rules:
//	  - name: the platform team  # for people; may be left out
//	    allow: '*'               # or deny: names of permissions, * for any part
//	    group: platform          # the caller is a member; or user: jane
//	  - allow: catalog.entity.read
//	    action: read             # of create, read, update, delete
//	  - allow: [catalog.entity.delete, catalog.entity.refresh]
//	    owner: caller            # about the resource; see below
//
// Every key may have one value or a list of alternatives; all keys of a rule
// must hold. Of the resource can be said:
//
//	kind        entities of a kind
//	owner       entities owned by a group or user, or by the caller; tasks
//	            that a user, or the caller, created
//	annotation  entities with annotations: {key: value}, or true for any value
//	label, spec likewise, of labels and of fields of the spec
//	template    the Template entities of these refs
//	tag         entities with a tag; parameters and steps of templates with it
//	actionId    calls of these actions by tasks
//
// A rule that says something of the resource is passed over where a permission
// is about no resource, or about one of another type. Refs may be short: a
// user is one in the namespace default, an owner a group in it.
//
// # What the package owns
//
// It owns this form, finds all faults in it at once, and explains its
// decisions. It reads no files, and knows neither resources nor who owns what:
// Options bring both in. A rule that cannot be understood, or can never decide,
// is a fault. A Policy does not change and is safe for concurrent use.
package policy
