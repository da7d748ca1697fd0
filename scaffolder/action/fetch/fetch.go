package fetch

import (
	"context"
	"io"
	"io/fs"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/cookiecutter"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

// A Reader reads files from the outside, under the limits and from the hosts
// that the installation allows. Implementations are safe for concurrent use and
// end when ctx does, also while a body is read.
type Reader interface {
	// ResolveURL returns the URL of what lies at path from base, from the root
	// of its repository where path begins with a slash. The answer is false
	// where no integration knows the host of base.
	ResolveURL(path, base string) (url string, ok bool, err error)
	// ReadFile opens a file. The caller closes it.
	ReadFile(ctx context.Context, r Request) (io.ReadCloser, error)
	// ReadTree calls visit for every file, folder and link below a URL. An
	// error of visit ends it and is returned.
	ReadTree(ctx context.Context, r Request, visit func(Entry) error) error
}

// A Request names what to read.
type Request struct {
	URL string
	// Token stands in for the credentials of the integration; "" for none.
	Token string
}

// An Entry is a file, folder or link of a tree. Folders that only hold others
// need not be visited.
type Entry struct {
	// Path is relative to the root of the tree, with slashes.
	Path string
	// Mode has the type and the permissions.
	Mode fs.FileMode
	// Link is what a link says.
	Link string
	// Content is that of a file, until visit returns.
	Content io.Reader
}

// Options say what the actions work with.
type Options struct {
	// Reader reads what is not below the folder of the template. Required.
	Reader Reader
	// Engine renders templates. Required.
	Engine *skeleton.Engine
	// Limits bound trees and templates; see their defaults.
	Limits skeleton.Limits
	// MaxFile is how many bytes a file that is fetched may have; 256 MiB.
	MaxFile int64
	// Root is what templates that are files may read from, where that is more
	// than the folder of the template: the root of the repository that they lie
	// in, at which paths with a leading slash begin. "": the folder alone.
	Root string
	// RequireUserCredentials: only what comes with the token of a user is read.
	RequireUserCredentials bool
}

// Actions returns the actions of this package.
func Actions(o Options) []action.Action {
	if o.MaxFile <= 0 {
		o.MaxFile = 256 << 20
	}
	if o.Limits.Entries <= 0 {
		o.Limits.Entries = 50_000
	}
	if o.Limits.Text <= 0 {
		o.Limits.Text = 16 << 20
	}
	f := &fetcher{Options: o, bakery: cookiecutter.NewEngine(nunjucks.Limits{})}
	return []action.Action{f.plain(), f.plainFile(), f.template(), f.templateFile(), f.cookiecutter()}
}

// A fetcher is what the actions of this package have in common.
type fetcher struct {
	Options
	bakery *skeleton.Engine // of cookiecutter's templates
}

// valuesSuffix is how log lines show the values of a template.
func valuesSuffix(values *jsonvalue.Object) string {
	if values.Len() == 0 {
		return ""
	}
	return " " + string(jsonvalue.AppendCanonical(nil, values))
}

// orRoot is the folder that a target path names; "" is the workspace itself.
func orRoot(targetPath string) string {
	if targetPath == "" {
		return "."
	}
	return targetPath
}
