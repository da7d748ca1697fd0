package nunjucks

// A tokenKind is a lexeme's class; operators have one each.
type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokData
	tokComment
	tokBlockStart
	tokBlockEnd
	tokVarStart
	tokVarEnd
	tokString
	tokRegex
	tokInt
	tokFloat
	tokBool
	tokNone
	tokName
	tokLeftParen
	tokRightParen
	tokLeftBracket
	tokRightBracket
	tokLeftCurly
	tokRightCurly
	tokComma
	tokColon
	tokPipe
	tokDot
	tokAssign
	tokBang
	tokHash
	tokTilde
	tokPlus
	tokMinus
	tokStar
	tokSlash
	tokFloor
	tokPercent
	tokPower
	tokEqual
	tokNotEqual
	tokStrictEqual
	tokStrictNotEqual
	tokLess
	tokLessEqual
	tokGreater
	tokGreaterEqual
)

// A token is one lexeme. Data, comments and what is between the delimiters of
// a tag are lexed as the parser asks for them, since {% raw %} changes what
// its text is.
type token struct {
	kind tokenKind
	pos  int32 // in bytes from the start of the source
	end  int32
	// text is the lexeme; of strings and regular expressions what is between
	// the quotes, of data what remains after lstripBlocks.
	text string
}

// operators are the lexemes of delimiter characters, longest first where one
// begins like another.
var operators = [128][]struct {
	text string
	kind tokenKind
}{
	'(': {{"(", tokLeftParen}},
	')': {{")", tokRightParen}},
	'[': {{"[", tokLeftBracket}},
	']': {{"]", tokRightBracket}},
	'{': {{"{", tokLeftCurly}},
	'}': {{"}", tokRightCurly}},
	',': {{",", tokComma}},
	':': {{":", tokColon}},
	'|': {{"|", tokPipe}},
	'.': {{".", tokDot}},
	'#': {{"#", tokHash}},
	'~': {{"~", tokTilde}},
	'+': {{"+", tokPlus}},
	'-': {{"-", tokMinus}},
	'%': {{"%", tokPercent}},
	'*': {{"**", tokPower}, {"*", tokStar}},
	'/': {{"//", tokFloor}, {"/", tokSlash}},
	'=': {{"===", tokStrictEqual}, {"==", tokEqual}, {"=", tokAssign}},
	'!': {{"!==", tokStrictNotEqual}, {"!=", tokNotEqual}, {"!", tokBang}},
	'<': {{"<=", tokLessEqual}, {"<", tokLess}},
	'>': {{">=", tokGreaterEqual}, {">", tokGreater}},
}
