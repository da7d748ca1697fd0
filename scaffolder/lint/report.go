package lint

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// A Report is what was found in a number of templates.
type Report struct {
	Findings []Finding `json:"findings"`
	Summary  Summary   `json:"summary"`
}

// NewReport makes a report of findings in any order.
func NewReport(templates int, list []Finding) Report {
	list = Sort(list)
	if list == nil {
		list = []Finding{}
	}
	return Report{list, Count(templates, list)}
}

// WriteText writes a finding on each line, as compilers do, with what to do
// below it, and a summary.
func (r Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, f := range r.Findings {
		fmt.Fprintf(b, "%s: %s: %s [%s]\n", f.Place, f.Level, oneLine(f.Message), f.Code)
		if f.Hint != "" {
			fmt.Fprintf(b, "    %s\n", oneLine(f.Hint))
		}
	}
	s := r.Summary
	fmt.Fprintf(b, "%s: %s, %s, %s\n", plural(s.Templates, "template"), plural(s.Errors, "error"), plural(s.Warnings, "warning"), plural(s.Notes, "note"))
	return b.Flush()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// WriteJSON writes the report as one JSON object.
func (r Report) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// The parts of SARIF 2.1.0 that are written, by the OASIS standard.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID               Code      `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifResult struct {
		RuleID    Code            `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     Level           `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

// WriteSARIF writes the report in the format that code hosts show beside a
// change. Version is that of the program.
func (r Report) WriteSARIF(w io.Writer, version string) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "Greenroom template lint", Version: version}
	index := map[Code]int{}
	for i, k := range Kinds() {
		index[k.Code] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{k.Code, sarifText{k.Summary}})
	}
	for _, f := range r.Findings {
		text := f.Message
		if f.Hint != "" {
			text += ". " + f.Hint
		}
		result := sarifResult{RuleID: f.Code, RuleIndex: index[f.Code], Level: f.Level, Message: sarifText{text}}
		var at sarifPhysical
		at.ArtifactLocation.URI = (&url.URL{Path: filepath.ToSlash(f.File)}).String()
		if f.Line > 0 {
			at.Region = &sarifRegion{f.Line, f.Column}
		}
		result.Locations = []sarifLocation{{at}}
		run.Results = append(run.Results, result)
	}
	return writeJSON(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}
