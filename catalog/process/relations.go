package process

import (
	"context"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/schemas"
)

// sortedFields are lists of refs in spec whose order means nothing; they are
// stored sorted, so that another order is no change.
var sortedFields = [...]string{"providesApis", "consumesApis", "dependsOn", "dependencyOf", "memberOf", "children", "members"}

func (p *Pipeline) sortReferences(_ context.Context, r *run) error {
	spec := r.entity.Spec()
	for _, field := range sortedFields {
		list, ok := spec.Value(field).([]any)
		if !ok || slices.ContainsFunc(list, func(v any) bool { _, isText := v.(string); return !isText }) {
			continue
		}
		slices.SortFunc(list, func(a, b any) int { return compareUTF16(a.(string), b.(string)) })
	}
	return nil
}

// compareUTF16 compares as JavaScript does: by UTF-16 code units, where what
// is beyond the basic plane comes before U+E000 and up.
func compareUTF16(a, b string) int {
	if isASCII(a) && isASCII(b) {
		return strings.Compare(a, b)
	}
	return slices.Compare(utf16Units(a), utf16Units(b))
}

// A field is one of spec that names other entities.
type field struct {
	name        string
	defaultKind string // "": the kind must be said
	// outgoing is the type of the relation of the entity itself, incoming that
	// of the one it names.
	outgoing, incoming string
	// only are the kinds of targets between which the model knows a relation,
	// in lower case; nil: any.
	only []string
}

var (
	owner     = field{"owner", "Group", "ownedBy", "ownerOf", []string{"group", "user"}}
	system    = field{"system", "System", "partOf", "hasPart", []string{"system"}}
	dependsOn = field{"dependsOn", "", "dependsOn", "dependencyOf", nil}
	reverse   = field{"dependencyOf", "", "dependencyOf", "dependsOn", nil}
)

// fields are those of the kinds that come with the program.
var fields = map[string][]field{
	"Component": {
		owner, system,
		{"subcomponentOf", "Component", "partOf", "hasPart", []string{"component"}},
		{"providesApis", "API", "providesApi", "apiProvidedBy", []string{"api"}},
		{"consumesApis", "API", "consumesApi", "apiConsumedBy", []string{"api"}},
		dependsOn, reverse,
	},
	"API":      {owner, system},
	"Resource": {owner, system, dependsOn, reverse},
	"System":   {owner, {"domain", "Domain", "partOf", "hasPart", []string{"domain"}}},
	"Domain":   {owner, {"subdomainOf", "Domain", "partOf", "hasPart", []string{"domain"}}},
	"User":     {{"memberOf", "Group", "memberOf", "hasMember", []string{"group"}}},
	"Group": {
		{"parent", "Group", "childOf", "parentOf", []string{"group"}},
		{"children", "Group", "parentOf", "childOf", []string{"group"}},
		{"members", "User", "hasMember", "memberOf", []string{"user"}},
	},
	"Location": {},
	"Template": {owner},
}

// aiResource are the fields of an AiResource by its spec.type.
var aiResource = map[string]field{
	"skill":       {"dependsOn", "AiResource", "dependsOn", "dependencyOf", []string{"airesource"}},
	"plugin":      {"skills", "AiResource", "hasPart", "partOf", []string{"airesource"}},
	"marketplace": {"plugins", "AiResource", "hasPart", "partOf", []string{"airesource"}},
}

// fieldsOf returns the fields that relate an entity. Kinds from a folder of
// schemas have the two that nearly every kind has.
func fieldsOf(e catalog.Entity) []field {
	if e.Kind() == "AiResource" {
		list := []field{owner, system}
		if f, ok := aiResource[e.Spec().String("type")]; ok {
			list = append(list, f)
		}
		return list
	}
	if list, ok := fields[e.Kind()]; ok {
		return list
	}
	return []field{owner, system}
}

// relate emits the relations of the entity, each with its reverse.
func (r *run) relate() error {
	model := r.kind.Processor == schemas.Model
	self := r.entity.Ref().String()
	for _, f := range fieldsOf(r.entity) {
		for _, text := range texts(r.entity.Spec(), f.name) {
			ref, err := catalog.ParseEntityRef(text, f.defaultKind, r.entity.Namespace())
			if err != nil {
				return err
			}
			if model && f.only != nil && !slices.Contains(f.only, strings.ToLower(ref.Kind)) {
				continue
			}
			target := ref.String()
			r.relations = append(r.relations,
				catalog.Relation{Source: self, Type: f.outgoing, Target: target},
				catalog.Relation{Source: target, Type: f.incoming, Target: self})
		}
	}
	return nil
}

// texts returns the strings of a field, be it one or a list.
func texts(spec *jsonvalue.Object, name string) []string {
	switch v := spec.Value(name).(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		out := make([]string, 0, len(v))
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
