// Package nunjucks renders nunjucks templates with JavaScript's values.
//
// It owns the template language of Backstage's scaffolder: lexing, parsing,
// compiling, evaluating and linting of templates that behave as in nunjucks
// 3.2.4, whitespace, number formatting and oddities included, and the native
// mode in which a sole interpolation keeps its type. It knows nothing of
// scaffolding, files or networks.
package nunjucks
