// Package markdown renders the Markdown of documentation as HTML that is safe
// to show: CommonMark and GitHub's tables, task lists and strikethrough, and
// what MkDocs with the usual extensions knows beside them: admonitions and
// blocks that fold, tabs, footnotes, definition lists, attribute lists,
// marked text, emoji, and code with highlighting, titles and line numbers.
// Diagrams stay code, for the browser to draw.
//
// It owns the syntax, the classes in the HTML, the ids of headings, and the
// list of what HTML may hold: no script, style, form or frame comes through,
// whatever way it was written. It does not know of files: where a link leads
// is for whoever calls it to say.
//
// A Renderer is immutable and safe for concurrent use. Rendering is a pure
// function of its input. Sources beyond MaxSource are refused; how deep blocks
// are nested is bounded as well.
package markdown
