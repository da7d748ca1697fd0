package action

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// dialect is the JSON Schema draft of all schemas of actions.
const dialect = "http://json-schema.org/draft-07/schema#"

// A Described type says itself what its schema is, and reads its own value:
// for unions and the like. The value that UnmarshalValue gets has met the
// schema; it is called on a pointer to the zero value.
type Described interface {
	JSONSchema() *jsonvalue.Object
	UnmarshalValue(v any) error
}

var (
	describedType = reflect.TypeFor[Described]()
	objectType    = reflect.TypeFor[*jsonvalue.Object]()
)

// Schema returns the JSON Schema of a Go type:
//
//	string, bool             string, boolean
//	float64, int, int64      number, integer, integer
//	[]T, map[string]T, *T    array of T, object with any key, T
//	struct                   object with these properties and no others
//	any, *jsonvalue.Object   anything, object of anything
//	a Described type         what it says
//
// A field of a struct is a property by the name in its json tag. It is
// required unless that tag has omitempty. Embedded structs are part of the
// struct. More is said by these tags:
//
//	doc:"what it is for"     description
//	enum:"a,b"               enum of strings
//	default:"main"           default; JSON unless the field is a string
//	schema:`{"minLength":1}` any further keywords, as JSON
func Schema(t reflect.Type) (*jsonvalue.Object, error) {
	switch {
	case t.Implements(describedType) || reflect.PointerTo(t).Implements(describedType):
		return reflect.New(t).Interface().(Described).JSONSchema().Clone(), nil
	case t == objectType:
		return object("type", "object", "additionalProperties", object()), nil
	}
	switch t.Kind() {
	case reflect.String:
		return object("type", "string"), nil
	case reflect.Bool:
		return object("type", "boolean"), nil
	case reflect.Float64:
		return object("type", "number"), nil
	case reflect.Int, reflect.Int64:
		return object("type", "integer"), nil
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return object(), nil
		}
	case reflect.Pointer:
		return Schema(t.Elem())
	case reflect.Slice:
		items, err := Schema(t.Elem())
		return object("type", "array", "items", items), err
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			values, err := Schema(t.Elem())
			return object("type", "object", "additionalProperties", values), err
		}
	case reflect.Struct:
		return structSchema(t)
	}
	return nil, fmt.Errorf("no JSON Schema can be made of the type %s", t)
}

func structSchema(t reflect.Type) (*jsonvalue.Object, error) {
	properties, required := jsonvalue.NewObject(), []any{}
	for _, f := range fields(t) {
		s, err := fieldSchema(f)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.field.Name, err)
		}
		properties.Set(f.name, s)
		if f.required {
			required = append(required, f.name)
		}
	}
	s := object("type", "object", "properties", properties)
	if len(required) > 0 {
		s.Set("required", required)
	}
	s.Set("additionalProperties", false)
	return s, nil
}

func fieldSchema(f field) (*jsonvalue.Object, error) {
	s, err := Schema(f.field.Type)
	if err != nil {
		return nil, err
	}
	tag := f.field.Tag
	if names, ok := tag.Lookup("enum"); ok {
		var list []any
		for name := range strings.SplitSeq(names, ",") {
			list = append(list, name)
		}
		s.Set("enum", list)
	}
	if text, ok := tag.Lookup("default"); ok {
		if s.String("type") == "string" {
			s.Set("default", text)
		} else {
			v, err := jsonvalue.Parse([]byte(text))
			if err != nil {
				return nil, fmt.Errorf("default: %w", err)
			}
			s.Set("default", v)
		}
	}
	if more, ok := tag.Lookup("schema"); ok {
		o, err := jsonvalue.ParseObject([]byte(more))
		if err != nil {
			return nil, fmt.Errorf("schema: %w", err)
		}
		for k, v := range o.All() {
			s.Set(k, v)
		}
	}
	if doc := tag.Get("doc"); doc != "" {
		s.Set("description", doc)
	}
	return s, nil
}

// A field is a property that a struct has.
type field struct {
	field    reflect.StructField
	index    []int
	name     string
	required bool
}

// fields returns the properties of a struct, those of embedded structs in the
// place of these.
func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			for _, inner := range fields(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				out = append(out, inner)
			}
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		out = append(out, field{f, []int{i}, name, !strings.Contains(options, "omitempty")})
	}
	return out
}

func object(keysAndValues ...any) *jsonvalue.Object {
	o := jsonvalue.NewObject()
	for i := 0; i < len(keysAndValues); i += 2 {
		o.Set(keysAndValues[i].(string), keysAndValues[i+1])
	}
	return o
}

// withDialect adds what a schema says at its top.
func withDialect(s *jsonvalue.Object) *jsonvalue.Object {
	s.Set("$schema", dialect)
	return s
}

// schemaOf is Schema for what must be an object.
func schemaOf[T any]() (*jsonvalue.Object, error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is not a struct", t)
	}
	s, err := Schema(t)
	if err != nil {
		return nil, err
	}
	return withDialect(s), nil
}

// decode reads an object into a struct. What the struct does not have is
// refused, whatever the schema said.
func decode[T any](input *jsonvalue.Object) (T, error) {
	var out T
	err := decodeInto(reflect.ValueOf(&out).Elem(), input, "input")
	return out, err
}

func decodeInto(dst reflect.Value, v any, path string) error {
	if d, ok := dst.Addr().Interface().(Described); ok {
		return d.UnmarshalValue(v)
	}
	if dst.Type() == objectType {
		return decodeObject(dst, v, path)
	}
	switch dst.Kind() {
	case reflect.Interface:
		if v != nil {
			dst.Set(reflect.ValueOf(v))
		}
		return nil
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		return decodeInto(dst.Elem(), v, path)
	case reflect.Slice:
		return decodeSlice(dst, v, path)
	case reflect.Map:
		return decodeMap(dst, v, path)
	case reflect.Struct:
		return decodeStruct(dst, v, path)
	}
	if !decodeScalar(dst, v) {
		return fmt.Errorf("%s is not of type %s", path, dst.Type())
	}
	return nil
}

// decodeScalar tells whether the value is of the type of dst.
func decodeScalar(dst reflect.Value, v any) bool {
	switch v := v.(type) {
	case string:
		if dst.Kind() == reflect.String {
			dst.SetString(v)
			return true
		}
	case bool:
		if dst.Kind() == reflect.Bool {
			dst.SetBool(v)
			return true
		}
	case float64:
		switch dst.Kind() {
		case reflect.Float64:
			dst.SetFloat(v)
			return true
		case reflect.Int, reflect.Int64:
			dst.SetInt(int64(v))
			return v == float64(int64(v))
		}
	}
	return false
}

func decodeObject(dst reflect.Value, v any, path string) error {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return fmt.Errorf("%s is not an object", path)
	}
	dst.Set(reflect.ValueOf(o))
	return nil
}

func decodeSlice(dst reflect.Value, v any, path string) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s is not an array", path)
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(list), len(list)))
	for i, e := range list {
		if err := decodeInto(dst.Index(i), e, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

func decodeMap(dst reflect.Value, v any, path string) error {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return fmt.Errorf("%s is not an object", path)
	}
	dst.Set(reflect.MakeMapWithSize(dst.Type(), o.Len()))
	for k, e := range o.All() {
		x := reflect.New(dst.Type().Elem()).Elem()
		if err := decodeInto(x, e, path+"."+k); err != nil {
			return err
		}
		dst.SetMapIndex(reflect.ValueOf(k).Convert(dst.Type().Key()), x)
	}
	return nil
}

func decodeStruct(dst reflect.Value, v any, path string) error {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return fmt.Errorf("%s is not an object", path)
	}
	known := map[string]bool{}
	for _, f := range fields(dst.Type()) {
		known[f.name] = true
		e, there := o.Get(f.name)
		if !there {
			continue
		}
		if err := decodeInto(dst.FieldByIndex(f.index), e, path+"."+f.name); err != nil {
			return err
		}
	}
	for k := range o.All() {
		if !known[k] {
			return fmt.Errorf("%s has the unknown key %q", path, k)
		}
	}
	return nil
}
