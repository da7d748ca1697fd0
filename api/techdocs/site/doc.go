// Package site turns a folder of Markdown with an mkdocs.yml, or without one,
// into a documentation site in the form that MkDocs has with the theme
// Material, as far as the reader of the portal needs it: pages at the addresses
// that MkDocs gives them, with navigation, a table of contents and links to
// edit them, the files beside them, the metadata of TechDocs, and a search
// index.
//
// It owns what mkdocs.yml means, which page is at which address, where links
// lead, and how a page is put together. It neither fetches nor stores anything:
// a Tree is where it reads from, as long as the site is used.
//
// A Site does not change and is safe for concurrent use. Build makes one and
// takes over from an earlier one the pages of which nothing has changed, so
// that a change costs what it touches. How many files there are, how large they
// are and how deep the navigation is nested is bounded; a page that cannot be
// rendered is shown as one that says so, and does not keep the others out.
package site
