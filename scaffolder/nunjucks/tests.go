package nunjucks

// builtinTests are what can stand after "is". The first argument is the value
// left of it.
func builtinTests() map[string]*function {
	tests := map[string]*function{}
	for name, holds := range map[string]func(rt *runtime, v, with Value) (bool, error){
		"callable":    testKind(KindFunction),
		"defined":     func(_ *runtime, v, _ Value) (bool, error) { return v.kind != KindUndefined, nil },
		"divisibleby": testDivisible,
		"eq":          testSame,
		"equalto":     testSame,
		"escaped":     testKind(KindSafe),
		"even":        func(rt *runtime, v, _ Value) (bool, error) { return rt.remains(v, 2, 0) },
		"falsy":       func(_ *runtime, v, _ Value) (bool, error) { return !truthy(v), nil },
		"ge":          testOrder(tokGreaterEqual),
		"greaterthan": testOrder(tokGreater),
		"gt":          testOrder(tokGreater),
		"iterable":    testIterable,
		"le":          testOrder(tokLessEqual),
		"lessthan":    testOrder(tokLess),
		"lower":       testCase(toLower),
		"lt":          testOrder(tokLess),
		"mapping":     testMapping,
		"ne":          func(_ *runtime, v, with Value) (bool, error) { return !strictEqual(v, with), nil },
		"null":        testKind(KindNull),
		"number":      testKind(KindNumber),
		"odd":         func(rt *runtime, v, _ Value) (bool, error) { return rt.remains(v, 2, 1) },
		"sameas":      testSame,
		"string":      testKind(KindString),
		"truthy":      func(_ *runtime, v, _ Value) (bool, error) { return truthy(v), nil },
		"undefined":   testKind(KindUndefined),
		"upper":       testCase(toUpper),
	} {
		tests[name] = &function{name: name, call: func(rt *runtime, args []Value) (Value, error) {
			ok, err := holds(rt, arg(args, 0), arg(args, 1))
			return BoolValue(ok), err
		}}
	}
	return tests
}

type testFunc = func(rt *runtime, v, with Value) (bool, error)

func testKind(k Kind) testFunc {
	return func(_ *runtime, v, _ Value) (bool, error) { return v.kind == k, nil }
}

func testSame(_ *runtime, v, with Value) (bool, error) { return strictEqual(v, with), nil }

// remains tells whether v % by is what.
func (rt *runtime) remains(v Value, by, what float64) (bool, error) {
	f, err := rt.number(v)
	return remainder(f, by) == what, err
}

func testDivisible(rt *runtime, v, with Value) (bool, error) {
	by, err := rt.number(with)
	if err != nil {
		return false, err
	}
	return rt.remains(v, by, 0)
}

func testOrder(op tokenKind) testFunc {
	return func(rt *runtime, v, with Value) (bool, error) {
		result, err := rt.relate(op, v, with)
		return result.Bool(), err
	}
}

func testCase(convert func(string) string) testFunc {
	return func(_ *runtime, v, _ Value) (bool, error) {
		s, err := wantText(v)
		return err == nil && v.kind == KindString && convert(s) == s, err
	}
}

func testIterable(_ *runtime, v, _ Value) (bool, error) {
	if v.IsNullish() {
		return false, throw("%s is not a value that could be iterable", v.kind)
	}
	return v.kind == KindArray || v.isText() || v.isIterator(), nil
}

func testMapping(_ *runtime, v, _ Value) (bool, error) {
	return v.kind == KindObject || v.kind == KindSafe || v.kind == KindRegexp, nil
}
