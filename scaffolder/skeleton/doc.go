// Package skeleton renders a tree of files into a workspace.
//
// It owns what the scaffolder means by a skeleton: names and contents are
// templates, binary files and links are copied, an entry whose name renders to
// nothing is left out with all below it, what is there already stays unless it
// is to be replaced, modes are kept. Read lists a tree, Write renders it; an
// Engine compiles the templates.
//
// The source is any fs.FS, which is read only; links in it are never followed.
// Nothing is written but through the workspace, below one folder of it, whatever
// names render to. Entries, depth and the size of what is rendered are bounded
// by Limits, the templates by those of package nunjucks, the result by the
// quota of the workspace. The package knows nothing of actions, of where trees
// come from, and of what the values mean.
//
// An Engine, a Renderer and a Tree are safe for concurrent use. Two Writes into
// one workspace are the caller's to order.
package skeleton
