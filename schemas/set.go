package schemas

import (
	"fmt"
	"io/fs"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Names of the processors that answer for kinds, as errors name them.
const (
	BuiltinKinds = "BuiltinKindsEntityProcessor"
	Scaffolder   = "ScaffolderEntitiesProcessor"
	Model        = "ModelProcessor"
)

// Options say which kinds a Set has besides the built-in ones and Template.
type Options struct {
	// AIModel adds AiResource and the mcp-server type of API. As in the
	// reference, the Model processor then answers for the built-in kinds.
	AIModel bool
	// Custom holds further kinds, each in a file *.json at its root; nil for
	// none. See New.
	Custom fs.FS
}

// A Set is a set of kinds that entities can be checked against.
type Set struct {
	envelope, entity *schema
	kinds            map[identity]*Kind
	names            map[string]bool
}

// A Kind is one kind of entity in those versions that share a schema.
type Kind struct {
	// Name is the kind in its exact spelling.
	Name string
	// APIVersions are those that the schema is for.
	APIVersions []string
	// Processor is the name of the processor that answers for the kind.
	Processor string
	schema    *schema
}

type identity struct{ apiVersion, kind string }

// builtin lists the embedded schemas of kinds; those with ai set belong to the
// AI model, and those with plain set only to a catalog without it.
var builtin = []struct {
	file, processor string
	ai, plain       bool
}{
	{file: "API", processor: BuiltinKinds, plain: true},
	{file: "Component", processor: BuiltinKinds},
	{file: "Resource", processor: BuiltinKinds},
	{file: "System", processor: BuiltinKinds},
	{file: "Domain", processor: BuiltinKinds},
	{file: "Group", processor: BuiltinKinds},
	{file: "User", processor: BuiltinKinds},
	{file: "Location", processor: BuiltinKinds},
	{file: "Template", processor: Scaffolder},
	{file: "ModelAPI", processor: Model, ai: true},
	{file: "AiResource", processor: Model, ai: true},
}

// New compiles the schemas. A file of a custom kind is a JSON Schema, of draft
// 7 where it does not say otherwise, whose properties apiVersion and kind have
// a const or an enum of one kind; it may refer to "Entity" and "EntityMeta".
// Every entity is checked against the general schema too. Errors name the
// file and what to change.
func New(o Options) (*Set, error) {
	docs, err := embedded()
	if err != nil {
		return nil, err
	}
	var custom []*document
	if o.Custom != nil {
		if custom, err = load(o.Custom); err != nil {
			return nil, err
		}
	}
	c, err := newCompiler(docs, custom)
	if err != nil {
		return nil, err
	}
	s := &Set{kinds: map[identity]*Kind{}, names: map[string]bool{}}
	if s.envelope, err = c.compile("EntityEnvelope"); err != nil {
		return nil, err
	}
	if s.entity, err = c.compile("Entity"); err != nil {
		return nil, err
	}
	if err := s.addBuiltin(c, docs, o.AIModel); err != nil {
		return nil, err
	}
	for _, d := range custom {
		if err := s.add(c, d, Model, wrapperName(d.name)); err != nil {
			return nil, fmt.Errorf("schema %s: %w", d.file, err)
		}
	}
	return s, nil
}

func (s *Set) addBuiltin(c *compiler, docs map[string]*document, ai bool) error {
	for _, b := range builtin {
		if (b.ai && !ai) || (b.plain && ai) {
			continue
		}
		processor := b.processor
		if ai && processor == BuiltinKinds {
			processor = Model
		}
		if err := s.add(c, docs[b.file], processor, b.file); err != nil {
			return fmt.Errorf("built-in schema %s: %w", b.file, err)
		}
	}
	return nil
}

// add adds the kind that the document describes; schemaName is what to check
// against.
func (s *Set) add(c *compiler, d *document, processor, schemaName string) error {
	name, versions, err := d.identify()
	if err != nil {
		return err
	}
	compiled, err := c.compile(schemaName)
	if err != nil {
		return err
	}
	k := &Kind{Name: name, APIVersions: versions, Processor: processor, schema: compiled}
	for _, v := range versions {
		id := identity{v, name}
		if s.kinds[id] != nil {
			return fmt.Errorf("kind %s of apiVersion %s is there already", name, v)
		}
		s.kinds[id] = k
	}
	s.names[name] = true
	return nil
}

// Kind returns the kind of that apiVersion and name, nil where there is none.
// Both are compared exactly.
func (s *Set) Kind(apiVersion, kind string) *Kind { return s.kinds[identity{apiVersion, kind}] }

// KnowsKind tells whether there is a kind of that exact name, in whatever
// version.
func (s *Set) KnowsKind(kind string) bool { return s.names[kind] }

// Envelope checks the least that makes a value an entity: apiVersion, kind and
// a name. Order may be nil, see KeyOrder.
func (s *Set) Envelope(value any, order KeyOrder) *Violation { return s.envelope.check(value, order) }

// Entity checks what holds for entities of every kind.
func (s *Set) Entity(value any, order KeyOrder) *Violation { return s.entity.check(value, order) }

// Check checks an entity of this kind, including what Set.Entity checks. That
// its apiVersion and kind are those of k is for the caller to see to.
func (k *Kind) Check(value any, order KeyOrder) *Violation { return k.schema.check(value, order) }

// A schema is a compiled schema with what the library does not keep.
type schema struct {
	*jsonschema.Schema
	// order gives the keys of each "properties" as they are written, by the
	// absolute location of the schema that has it.
	order map[string][]string
}
