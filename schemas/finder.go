package schemas

import (
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// first returns the first violation at the spot or below: of the keywords for
// every type, then of those for its type. A wrong type comes before all of them
// unless the schema has keywords for the right one: then it comes in their
// place.
func (f *finder) first(s spot) *Violation {
	if s.schema.Always != nil {
		if f.broken[place{s.keyword, s.instance}] {
			return s.violation("boolean schema is false")
		}
		return nil
	}
	if f.fails(s, "type") {
		if v := f.despiteType(s); v != nil {
			return v
		}
		types := strings.Join(s.schema.Types, ",")
		return s.violation("must be "+types, "type: "+types)
	}
	if v := f.anyType(s); v != nil {
		return v
	}
	switch value := s.value.(type) {
	case string:
		return f.inString(s)
	case []any:
		return f.inArray(s, value)
	case map[string]any:
		return f.inObject(s, value)
	}
	return f.inNumber(s)
}

// despiteType returns what is wrong with a value of the wrong type that comes
// before that. The library stops at the type, so it is asked again without.
func (f *finder) despiteType(s spot) *Violation {
	if len(s.schema.Types) != 1 || !hasKeywordsFor(s.schema, s.schema.Types[0]) {
		return nil
	}
	typeless := *s.schema
	typeless.Types = nil
	var invalid *jsonschema.ValidationError
	if !errors.As(typeless.Validate(s.value), &invalid) {
		return nil
	}
	again := &finder{broken: map[place]bool{}, properties: f.properties, keys: f.keys}
	again.note(invalid)
	return again.anyType(spot{schema: &typeless, value: s.value, path: s.path})
}

// hasKeywordsFor tells whether the schema has keywords that only apply to
// values of the type.
func hasKeywordsFor(s *jsonschema.Schema, typ string) bool {
	switch typ {
	case "string":
		return s.MinLength >= 0 || s.MaxLength >= 0 || s.Pattern != nil || s.Format != ""
	case "number":
		return s.Minimum != nil || s.Maximum != nil || s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil ||
			s.MultipleOf != nil || s.Format != ""
	case "array":
		return s.MinItems >= 0 || s.MaxItems >= 0 || s.UniqueItems || s.Items != nil || s.AdditionalItems != nil ||
			s.Contains != nil || len(s.PrefixItems) > 0 || s.Items2020 != nil
	case "object":
		return s.MinProperties >= 0 || s.MaxProperties >= 0 || len(s.Required) > 0 || len(s.Properties) > 0 ||
			len(s.PatternProperties) > 0 || s.AdditionalProperties != nil || s.PropertyNames != nil || len(s.Dependencies) > 0
	}
	return false
}

func (f *finder) anyType(s spot) *Violation {
	if s.schema.Ref != nil {
		if v := f.first(s.under(s.schema.Ref, "$ref")); v != nil {
			return v
		}
	}
	if f.fails(s, "const") {
		return s.violation("must be equal to constant", "allowedValue: "+text(s.schema.Constant[0]))
	}
	if f.fails(s, "enum") {
		return s.violation("must be equal to one of the allowed values", "allowedValues: "+text(s.schema.Enum))
	}
	if f.fails(s, "not") {
		return s.violation("must NOT be valid")
	}
	if v := f.alternatives(s); v != nil {
		return v
	}
	for i, sub := range s.schema.AllOf {
		if v := f.first(s.under(sub, "allOf/"+strconv.Itoa(i))); v != nil {
			return v
		}
	}
	return f.condition(s)
}

// alternatives looks at anyOf and oneOf. What is wrong with the first
// alternative comes before the fact that none fits.
func (f *finder) alternatives(s spot) *Violation {
	if f.fails(s, "anyOf") {
		if v := f.firstOf(s, s.schema.AnyOf, "anyOf/"); v != nil {
			return v
		}
		return s.violation("must match a schema in anyOf")
	}
	if f.fails(s, "oneOf") {
		fitting := slices.DeleteFunc(indexes(len(s.schema.OneOf)), func(i int) bool {
			return s.schema.OneOf[i].Validate(s.value) != nil
		})
		if len(fitting) == 0 {
			if v := f.firstOf(s, s.schema.OneOf, "oneOf/"); v != nil {
				return v
			}
			return s.violation("must match exactly one schema in oneOf", "passingSchemas: null")
		}
		two := strconv.Itoa(fitting[0]) + "," + strconv.Itoa(fitting[len(fitting)-1])
		if len(fitting) > 1 {
			two = strconv.Itoa(fitting[0]) + "," + strconv.Itoa(fitting[1])
		}
		return s.violation("must match exactly one schema in oneOf", "passingSchemas: "+two)
	}
	return nil
}

func indexes(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func (f *finder) firstOf(s spot, list []*jsonschema.Schema, keyword string) *Violation {
	for i, sub := range list {
		if v := f.first(s.under(sub, keyword+strconv.Itoa(i))); v != nil {
			return v
		}
	}
	return nil
}

func (f *finder) condition(s spot) *Violation {
	for keyword, sub := range map[string]*jsonschema.Schema{"then": s.schema.Then, "else": s.schema.Else} {
		if sub == nil || !f.fails(s, keyword) {
			continue // at most one of both fails
		}
		if v := f.first(s.under(sub, keyword)); v != nil {
			return v
		}
		return s.violation(`must match "`+keyword+`" schema`, "failingKeyword: "+keyword)
	}
	return nil
}

func (f *finder) inNumber(s spot) *Violation {
	for _, bound := range []struct {
		keyword, sign string
		limit         *big.Rat
	}{
		{"maximum", "<=", s.schema.Maximum},
		{"minimum", ">=", s.schema.Minimum},
		{"exclusiveMaximum", "<", s.schema.ExclusiveMaximum},
		{"exclusiveMinimum", ">", s.schema.ExclusiveMinimum},
	} {
		if f.fails(s, bound.keyword) {
			limit := rational(bound.limit)
			return s.violation("must be "+bound.sign+" "+limit, "comparison: "+bound.sign, "limit: "+limit)
		}
	}
	if f.fails(s, "multipleOf") {
		of := rational(s.schema.MultipleOf)
		return s.violation("must be multiple of "+of, "multipleOf: "+of)
	}
	return f.format(s)
}

func rational(r *big.Rat) string {
	n, _ := r.Float64()
	return text(n)
}

func (f *finder) inString(s spot) *Violation {
	if f.fails(s, "maxLength") {
		return s.limit("more", s.schema.MaxLength, "characters")
	}
	if f.fails(s, "minLength") {
		return s.limit("fewer", s.schema.MinLength, "characters")
	}
	if f.fails(s, "pattern") {
		p := s.schema.Pattern.String()
		return s.violation(`must match pattern "`+p+`"`, "pattern: "+p)
	}
	return f.format(s)
}

func (f *finder) format(s spot) *Violation {
	if f.fails(s, "format") {
		return s.violation(`must match format "`+s.schema.Format+`"`, "format: "+s.schema.Format)
	}
	return nil
}

func (s spot) limit(than string, n int, what string) *Violation {
	limit := strconv.Itoa(n)
	return s.violation("must NOT have "+than+" than "+limit+" "+what, "limit: "+limit)
}

func (f *finder) inArray(s spot, value []any) *Violation {
	if f.fails(s, "maxItems") {
		return s.limit("more", s.schema.MaxItems, "items")
	}
	if f.fails(s, "minItems") {
		return s.limit("fewer", s.schema.MinItems, "items")
	}
	for _, step := range []func(spot, []any) *Violation{f.additionalItems, f.items, f.contains, f.uniqueItems} {
		if v := step(s, value); v != nil {
			return v
		}
	}
	return nil
}

func (f *finder) uniqueItems(s spot, value []any) *Violation {
	if !f.fails(s, "uniqueItems") {
		return nil
	}
	i, j, ok := duplicates(value, itemsAreScalars(s.schema))
	if !ok {
		return nil
	}
	a, b := strconv.Itoa(i), strconv.Itoa(j)
	return s.violation("must NOT have duplicate items (items ## "+b+" and "+a+" are identical)", "i: "+a, "j: "+b)
}

// duplicates returns the places of two equal items, and which two of several
// ajv finds: of scalars the last that comes again, of others the last that came
// before, with the equal one that is nearest.
func duplicates(list []any, scalars bool) (i, j int, ok bool) {
	seen := map[string]int{}
	for at := range list {
		if scalars {
			at = len(list) - 1 - at
		}
		key, _ := json.Marshal(list[at]) // equal values are equal text, with sorted keys
		if before, there := seen[string(key)]; there {
			i, j, ok = at, before, true
			if scalars {
				return i, j, ok
			}
		}
		seen[string(key)] = at
	}
	return i, j, ok
}

// itemsAreScalars tells whether the schema lets no item be an object or array.
func itemsAreScalars(s *jsonschema.Schema) bool {
	items, ok := s.Items.(*jsonschema.Schema)
	return ok && len(items.Types) > 0 && !slices.Contains(items.Types, "object") && !slices.Contains(items.Types, "array")
}

// additionalItems looks at what comes after the items that have a schema of
// their own.
func (f *finder) additionalItems(s spot, value []any) *Violation {
	own, ok := s.schema.Items.([]*jsonschema.Schema)
	if !ok || len(value) <= len(own) {
		return nil
	}
	if f.fails(s, "additionalItems") {
		return s.limit("more", len(own), "items")
	}
	sub, ok := s.schema.AdditionalItems.(*jsonschema.Schema)
	if !ok {
		return nil
	}
	for i := len(own); i < len(value); i++ {
		if v := f.first(s.at(sub, "additionalItems", strconv.Itoa(i), value[i])); v != nil {
			return v
		}
	}
	return nil
}

func (f *finder) items(s spot, value []any) *Violation {
	for i, item := range value {
		if sub, keyword := itemSchema(s.schema, i); sub != nil {
			if v := f.first(s.at(sub, keyword, strconv.Itoa(i), item)); v != nil {
				return v
			}
		}
	}
	return nil
}

// itemSchema returns the schema for the item at index i, and its keyword.
func itemSchema(s *jsonschema.Schema, i int) (*jsonschema.Schema, string) {
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		return items, "items"
	case []*jsonschema.Schema:
		if i < len(items) {
			return items[i], "items/" + strconv.Itoa(i)
		}
		return nil, ""
	}
	if i < len(s.PrefixItems) {
		return s.PrefixItems[i], "prefixItems/" + strconv.Itoa(i)
	}
	return s.Items2020, "items"
}

// contains says why the first item is not what an array must contain; an empty
// array has none.
func (f *finder) contains(s spot, value []any) *Violation {
	if !f.fails(s, "minContains") {
		return nil
	}
	for i, item := range value {
		if v := f.first(s.at(s.schema.Contains, "contains", strconv.Itoa(i), item)); v != nil {
			return v
		}
	}
	return s.violation("must contain at least 1 valid item(s)", "minContains: 1")
}

func (f *finder) inObject(s spot, value map[string]any) *Violation {
	if f.fails(s, "maxProperties") {
		return s.limit("more", s.schema.MaxProperties, "properties")
	}
	if f.fails(s, "minProperties") {
		return s.limit("fewer", s.schema.MinProperties, "properties")
	}
	for _, name := range s.schema.Required {
		if _, ok := value[name]; !ok {
			return s.violation("must have required property '"+name+"'", "missingProperty: "+name)
		}
	}
	for _, step := range []func(spot, map[string]any) *Violation{
		f.propertyNames, f.additionalProperties, f.dependencies, f.knownProperties, f.patternProperties,
	} {
		if v := step(s, value); v != nil {
			return v
		}
	}
	return nil
}

func (f *finder) propertyNames(s spot, value map[string]any) *Violation {
	if s.schema.PropertyNames == nil {
		return nil
	}
	for _, name := range f.orderedKeys(s, value) {
		named := s.at(s.schema.PropertyNames, "propertyNames", name, name)
		if v := f.first(named); v != nil {
			// The name is at fault, so the path is that of the object.
			v.Path = s.violation("").Path
			return v
		}
	}
	return nil
}

func (f *finder) additionalProperties(s spot, value map[string]any) *Violation {
	if s.schema.AdditionalProperties == nil {
		return nil
	}
	for _, name := range f.orderedKeys(s, value) {
		if _, ok := s.schema.Properties[name]; ok || matchesAny(s.schema.PatternProperties, name) {
			continue
		}
		sub, ok := s.schema.AdditionalProperties.(*jsonschema.Schema)
		if !ok {
			if f.fails(s, "additionalProperties") {
				return s.violation("must NOT have additional properties", "additionalProperty: "+name)
			}
			return nil
		}
		if v := f.first(s.at(sub, "additionalProperties", name, value[name])); v != nil {
			return v
		}
	}
	return nil
}

func matchesAny(patterns map[*regexp.Regexp]*jsonschema.Schema, name string) bool {
	for p := range patterns {
		if p.MatchString(name) {
			return true
		}
	}
	return false
}

func (f *finder) dependencies(s spot, value map[string]any) *Violation {
	for _, name := range sortedKeys(s.schema.Dependencies) {
		if _, ok := value[name]; !ok {
			continue
		}
		switch need := s.schema.Dependencies[name].(type) {
		case *jsonschema.Schema:
			if v := f.first(s.under(need, "dependencies/"+escape(name))); v != nil {
				return v
			}
		case []string:
			for _, other := range need {
				if _, ok := value[other]; ok {
					continue
				}
				what := "property "
				if len(need) > 1 {
					what = "properties "
				}
				all := strings.Join(need, ", ")
				return s.violation("must have "+what+all+" when property "+name+" is present",
					"property: "+name, "missingProperty: "+other, "depsCount: "+strconv.Itoa(len(need)), "deps: "+all)
			}
		}
	}
	return nil
}

func (f *finder) knownProperties(s spot, value map[string]any) *Violation {
	names := f.properties[s.schema.Location]
	if len(names) != len(s.schema.Properties) {
		names = sortedKeys(s.schema.Properties)
	}
	for _, name := range names {
		part, ok := value[name]
		if !ok {
			continue
		}
		if v := f.first(s.at(s.schema.Properties[name], "properties/"+escape(name), name, part)); v != nil {
			return v
		}
	}
	return nil
}

func (f *finder) patternProperties(s spot, value map[string]any) *Violation {
	patterns := map[string]*regexp.Regexp{}
	for p := range s.schema.PatternProperties {
		patterns[p.String()] = p
	}
	for _, text := range sortedKeys(patterns) {
		for _, name := range f.orderedKeys(s, value) {
			if !patterns[text].MatchString(name) {
				continue
			}
			sub := s.schema.PatternProperties[patterns[text]]
			if v := f.first(s.at(sub, "patternProperties/"+escape(text), name, value[name])); v != nil {
				return v
			}
		}
	}
	return nil
}
