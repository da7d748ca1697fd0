package templatetest

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Verdict is what became of one case.
type Verdict struct {
	// Template is the file of the template, Case the name of the case.
	Template string `json:"template"`
	Case     string `json:"case"`
	// Differences are what is not as expected, none for a case that passed.
	Differences []string `json:"differences"`
	// Updated: the expectations were written anew.
	Updated bool          `json:"updated,omitempty"`
	Took    time.Duration `json:"-"`
}

// A Report is the verdicts on a number of cases.
type Report struct {
	Cases []Verdict `json:"cases"`
}

// Failed counts the cases that did not pass.
func (r Report) Failed() (n int) {
	for _, v := range r.Cases {
		if len(v.Differences) > 0 {
			n++
		}
	}
	return n
}

// maxLines is how many lines of the differences of a case are shown in a text.
const maxLines = 60

// WriteText writes a line for each case, with what differs below it.
func (r Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, v := range r.Cases {
		word := "ok  "
		switch {
		case len(v.Differences) > 0:
			word = "FAIL"
		case v.Updated:
			word = "new "
		}
		fmt.Fprintf(b, "%s %s: %s (%s)\n", word, v.Template, v.Case, v.Took.Round(time.Millisecond))
		lines := strings.Split(strings.Join(v.Differences, "\n"), "\n")
		for i, line := range lines {
			if i == maxLines {
				fmt.Fprintf(b, "    … and %d lines more; --output json shows all\n", len(lines)-i)
				break
			}
			if len(v.Differences) > 0 {
				fmt.Fprintf(b, "    %s\n", line)
			}
		}
	}
	fmt.Fprintf(b, "%d cases, %d failed\n", len(r.Cases), r.Failed())
	return b.Flush()
}

// WriteJSON writes the report as one JSON object.
func (r Report) WriteJSON(w io.Writer) error {
	type verdict struct {
		Verdict
		Passed       bool  `json:"passed"`
		Milliseconds int64 `json:"milliseconds"`
	}
	cases := []verdict{}
	for _, v := range r.Cases {
		if v.Differences == nil {
			v.Differences = []string{}
		}
		cases = append(cases, verdict{v, len(v.Differences) == 0, v.Took.Milliseconds()})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"cases": cases, "failed": r.Failed()})
}

type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as CI servers read it: a suite for each template.
func (r Report) WriteJUnit(w io.Writer) error {
	var all junitSuites
	for _, v := range r.Cases {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != v.Template {
			all.Suites = append(all.Suites, junitSuite{Name: v.Template})
		}
		s := &all.Suites[len(all.Suites)-1]
		c := junitCase{Name: v.Case, Class: v.Template, Time: fmt.Sprintf("%.3f", v.Took.Seconds())}
		if s.Tests++; len(v.Differences) > 0 {
			s.Failures++
			first, _, _ := strings.Cut(v.Differences[0], "\n")
			c.Failure = &junitFailure{Message: first, Text: strings.Join(v.Differences, "\n")}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
