package lint

// A Kind says what a code stands for.
type Kind struct {
	Code    Code
	Summary string
}

// Kinds returns all kinds of findings. The caller must not change them.
func Kinds() []Kind { return kinds }

var kinds = []Kind{
	{CodeYAML, "The file cannot be read as YAML."},
	{CodeEmpty, "The file holds no template."},
	{CodePlaceholder, "A placeholder names a file that is not there."},
	{CodeAPIVersion, "The kind or apiVersion is not one that is run."},
	{CodeSchema, "The catalog refuses the template."},
	{CodeUnknownKey, "A key looks misspelt, and nothing reads it."},
	{CodeName, "The name is not one that an entity may have."},
	{CodeParameterSchema, "A page of parameters is no JSON Schema."},
	{CodeParameterDefault, "The default of a field does not fit the field."},
	{CodeRequired, "A field is required that the form does not have."},
	{CodeUnknownAction, "A step calls an action that is not registered."},
	{CodeDuplicateStep, "Two steps have one id."},
	{CodeUnreachableStep, "A step never does anything."},
	{CodeCondition, "The condition of a step is a text and always holds."},
	{CodeMissingInput, "A step lacks an input that its action needs."},
	{CodeUnknownInput, "A step has an input that its action does not know."},
	{CodeRetiredInput, "An input has no effect any more."},
	{CodeInputValue, "The value of an input is not one that the action takes."},
	{CodeMissingFile, "What a step fetches is not beside the template."},
	{CodeNotRendered, "An expression stands where none is evaluated."},
	{CodeExpression, "An expression is not one of the template language."},
	{CodeUnknownFilter, "There is no such filter."},
	{CodeUnknownTest, "There is no such test."},
	{CodeUnknownFunction, "There is no such function."},
	{CodeUnreachable, "A part of an expression is never used."},
	{CodePrecedence, "A not negates less than it seems to."},
	{CodeIgnoredArgument, "An argument has no effect."},
	{CodeDeprecated, "Newer releases of Backstage do not know this."},
	{CodeUnknownVariable, "Nothing provides the name, so it is empty."},
	{CodeUnknownParameter, "The form has no such field."},
	{CodeUnknownStep, "There is no step of that id."},
	{CodeLaterStep, "A step refers to one that runs later."},
	{CodeDash, "A name with dashes behind a dot is read as a subtraction."},
	{CodeStepOutput, "What a step gives is below output."},
	{CodeUnknownOutput, "The action of a step declares no such output."},
	{CodeUnknownSecret, "Nothing in the template sets the secret."},
	{CodeSecret, "A secret is used where it has no value."},
	{CodeEach, "The name each is used outside of an iteration."},
	{CodeUnknownValue, "The step does not give the skeleton this value."},
}
