package operation

// A Parameter is one of the query string.
type Parameter struct {
	Name     string
	Kind     Kind
	Required bool
	NonEmpty bool     // of a Text, as described: whatever it says, an empty one is refused
	Enum     []string // of a Text
	About    string
}

// A Kind says what the values of a parameter look like.
type Kind uint8

// The kinds of parameter.
const (
	Text    Kind = iota
	Count        // an integer of 0 or more
	Integer      // any integer
	List         // may be repeated
	Comma        // a list with commas, may be repeated
	Deep         // an object, as in p[a]=x&p[b][0]=y
)

// An Operation is a route as documented: what it takes, and what it is for.
// Requests are checked against it before their handler sees them.
type Operation struct {
	Method, Path string
	ID, About    string
	Query        []Parameter
	// Lenient ignores parameters that are not in Query, and takes empty values.
	Lenient      bool
	Body         *Schema
	BodyRequired bool
	// BodyLimit is the largest body, in bytes; 0: wire.BodyLimit.
	BodyLimit int
	// OK is the status of success.
	OK int
}
