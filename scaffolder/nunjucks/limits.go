package nunjucks

import "time"

// Limits bound what a template may use up. What goes beyond one ends in an
// error that errors.Is ErrLimit; a zero field has the default named beside it.
type Limits struct {
	// Source is the greatest size of a template in bytes; 4 MiB.
	Source int
	// Nesting is how deeply tags and expressions may lie in each other; 256.
	Nesting int
	// Output is the greatest size of a result in bytes; 16 MiB.
	Output int
	// Steps is how many statements, calls, elements and 256-byte pieces of
	// text one rendering may go through; 4,000,000.
	Steps int
	// Loops is how many times all loop bodies of one rendering may run;
	// 1,000,000.
	Loops int
	// Memory is how many bytes of text and arrays a rendering may make in
	// all, whether it keeps them or not; 256 MiB.
	Memory int
	// Depth is how deeply macros, call bodies and included templates may call
	// each other; 200.
	Depth int
	// Time is how long one rendering may take; 10 s. Negative: no limit but
	// the context's.
	Time time.Duration
	// Regexp is how long one match of a regular expression may take; 1 s.
	Regexp time.Duration
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		at    *int
		value int
	}{
		{&l.Source, 4 << 20}, {&l.Nesting, 256}, {&l.Output, 16 << 20}, {&l.Steps, 4_000_000},
		{&l.Loops, 1_000_000}, {&l.Memory, 256 << 20}, {&l.Depth, 200},
	} {
		if *d.at <= 0 {
			*d.at = d.value
		}
	}
	if l.Time == 0 {
		l.Time = 10 * time.Second
	}
	if l.Regexp <= 0 {
		l.Regexp = time.Second
	}
	return l
}
