package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
)

// allSteps checks the steps, one by one and as a sequence.
func (r *review) allSteps() {
	seen, unknown := map[string]bool{}, map[string][]step{}
	r.open = IsPlaceholder(r.doc.Value.Object("spec").Value("steps"))
	for i, s := range r.steps {
		if s.open {
			r.open = true
			continue
		}
		if s.String("id") != "" && seen[s.id] {
			r.report(Warning, CodeDuplicateStep, join(s.path, "id"), Spot{}, "give it another id; of two the later output counts",
				"there is a step %s before this one", s.id)
		}
		seen[s.id] = true
		r.misspeltKeys(s.Object, s.path, stepKeys)
		r.condition(s)
		r.emptyEach(s)
		r.neverRendered(s)
		r.stepExpressions(i, s)
		r.outputsSoFar[s.id] = nunjucks.Shape{"output": r.outputShape(s)}
		id, isText := s.Value("action").(string)
		if !isText || id == "" {
			continue // the schema says so
		}
		if _, err := r.Actions.Lookup(id); err != nil {
			unknown[id] = append(unknown[id], s)
			continue
		}
		r.input(s, id)
	}
	r.unknownActions(unknown)
}

// unknownActions reports actions that are not there: each that looks misspelt,
// and those of one plugin together.
func (r *review) unknownActions(unknown map[string][]step) {
	families := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(unknown)) {
		if r.isForeign(id) || holdsExpression(id) {
			continue
		}
		near := spelling.Nearest(id, r.ids)
		family, _, _ := strings.Cut(id, ":")
		path := join(unknown[id][0].path, "action")
		switch {
		case slices.Contains(ofModules, id):
			r.report(Warning, CodeUnknownAction, path, Spot{}, "it comes with a module of Backstage that is not here; the step fails where it is not installed",
				"there is no action %s here%s", id, times(len(unknown[id])))
		case misspelt(id, near):
			r.report(Error, CodeUnknownAction, path, Spot{}, "did you mean "+near+"?", "there is no action %s%s", id, times(len(unknown[id])))
		case near != "" && sameFamily(id, near) && spelling.Distance(id, near) <= 3:
			r.report(Warning, CodeUnknownAction, path, Spot{}, "did you mean "+near+"? If a plugin brings it, say so with --action '"+id+"'",
				"there is no action %s here%s", id, times(len(unknown[id])))
		default:
			families[family] = append(families[family], id)
		}
	}
	for family, ids := range families {
		first, n := unknown[ids[0]][0], 0
		for _, id := range ids {
			n += len(unknown[id])
			if s := unknown[id][0]; r.index(s) < r.index(first) {
				first = s
			}
		}
		r.report(Warning, CodeUnknownAction, join(first.path, "action"), Spot{},
			"the step fails unless a plugin brings it; if one does, say so with --action '"+family+":**'",
			"there is no action %s here%s", strings.Join(ids, " and no "), times(n))
	}
}

func (r *review) index(s step) int {
	return slices.IndexFunc(r.steps, func(o step) bool { return o.Object == s.Object })
}

// times says how many steps or places something is said of, if it is several.
func times(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (%d times)", n)
}

// ofModules are actions that modules of Backstage bring, for hosts and tools
// that this program may not know. One that it knows is never looked up here.
var ofModules = strings.Fields(`publish:azure publish:bitbucket publish:bitbucketCloud publish:bitbucketCloud:pull-request
	publish:bitbucketServer publish:bitbucketServer:pull-request publish:gerrit publish:gerrit:review publish:gitea
	bitbucket:pipelines:run bitbucketCloud:branchRestriction:create fetch:cookiecutter fetch:rails run:yeoman
	confluence:transform:markdown sentry:project:create notification:send`)

// misspelt tells whether a name is so like a known one that it is meant.
func misspelt(name, known string) bool {
	d := spelling.Distance(strings.ToLower(name), strings.ToLower(known))
	return known != "" && (d <= 1 || d <= 2 && len(name) >= 6)
}

func sameFamily(a, b string) bool {
	x, _, _ := strings.Cut(a, ":")
	y, _, _ := strings.Cut(b, ":")
	return x == y
}

// condition checks an if as to whether it decides anything.
func (r *review) condition(s step) {
	v, there := s.Get("if")
	path := join(s.path, "if")
	never := func() {
		r.report(Warning, CodeUnreachableStep, path, Spot{}, "remove the step or its condition", "the step never runs")
	}
	text, isText := v.(string)
	switch {
	case !there || v == true:
		return
	case v == false || !isText && v == nil:
		never()
		return
	case !isText:
		return // the schema says so
	}
	tmpl, err := r.env.Compile("", text)
	if err != nil {
		return // it is reported as an expression, which always holds
	}
	if v, ok := tmpl.Constant(); ok {
		if !v.Truthy() {
			never()
		}
		return
	}
	switch {
	case text == "":
		never()
	case strings.TrimSpace(text) == "true":
	case tmpl.Fixed():
		r.report(Error, CodeCondition, path, Spot{}, conditionHint(text),
			"the condition is a text that is never empty, so the step always runs")
	}
}

func conditionHint(text string) string {
	switch {
	case strings.TrimSpace(text) == "false":
		return "write if: false, without quotes"
	case !holdsExpression(text):
		return "write ${{ " + strings.TrimSpace(text) + " }}"
	case strings.Contains(text, "&&") || strings.Contains(text, "||"):
		return "write it as one expression, with and and or: ${{ a and b }}"
	case strings.TrimSpace(text) != text && strings.Count(text, "${{") == 1:
		return "remove the blanks and line ends around ${{ … }}; in YAML, >- and |- drop the last line end"
	}
	return "write it as one expression, ${{ … }}, with nothing before and behind it"
}

// emptyEach checks for lists that are always empty.
func (r *review) emptyEach(s step) {
	v, there := s.Get("each")
	list, isList := v.([]any)
	o, isObject := v.(*jsonvalue.Object)
	if there && (isList && len(list) == 0 || isObject && o.Len() == 0) {
		r.report(Warning, CodeUnreachableStep, join(s.path, "each"), Spot{}, "", "the list is empty, so the step does nothing")
	}
}

// neverRendered looks for expressions in what is taken as it stands.
func (r *review) neverRendered(s step) {
	for _, key := range []string{"id", "name", "action"} {
		if text := s.String(key); holdsExpression(text) {
			r.report(Warning, CodeNotRendered, join(s.path, key), Spot{}, "", "%s is not rendered: the expression stays as it is", key)
		}
	}
	visit(s.Value("input"), join(s.path, "input"), func(path []string, v any) bool {
		if o, ok := v.(*jsonvalue.Object); ok {
			for key := range o.All() {
				if holdsExpression(key) {
					r.report(Warning, CodeNotRendered, join(path, key), Spot{Key: true}, "keys are taken as they are; only values are rendered",
						"the expression in the key %q is not evaluated", key)
				}
			}
		}
		return true
	})
}

// holdsExpression tells whether a text is more than text to the template
// language.
func holdsExpression(s string) bool {
	return strings.Contains(s, "${{") || strings.Contains(s, "{%")
}

// outputs checks what the template puts out.
func (r *review) outputs() {
	r.expressions(scope{where: inOutput, step: len(r.steps)}, r.doc.Value.Object("spec").Value("output"), []string{"spec", "output"})
}

// maxNamed is how many names are looked through for one that was meant.
const maxNamed = 200

// before returns the ids of the steps before one, of very many the last.
func (r *review) before(i int) (ids []string) {
	for _, s := range r.steps[max(0, i-maxNamed):i] {
		ids = append(ids, s.id)
	}
	return ids
}

// isLater tells whether a step of this id comes at i or later.
func (r *review) isLater(i int, id string) bool {
	return slices.ContainsFunc(r.steps[min(i, len(r.steps)):], func(s step) bool { return s.id == id })
}
