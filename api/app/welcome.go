package app

import (
	"bytes"
	"html/template"
)

// A Welcome is what stands in for a portal where none was built.
type Welcome struct {
	Title   string // of the portal; "": Greenroom
	Version string
	Ready   bool // whether the backend has started
}

var welcome = template.Must(template.New("welcome").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #222; background: #fff }
code { background: #eee; padding: .1em .3em }
dt { font-weight: bold } dd { margin: 0 0 .5rem }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } code { background: #333 } a { color: #8bf } }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>This is Greenroom {{.Version}}, a software catalog that speaks the Backstage API. It {{if .Ready}}is up{{else}}is starting{{end}}.</p>
<dl>
<dt><a href="/.backstage/health/v1/readiness">/.backstage/health/v1/readiness</a></dt><dd>whether it is ready</dd>
<dt><a href="/metrics">/metrics</a></dt><dd>numbers for Prometheus</dd>
<dt><code>/api/catalog/entities</code></dt><dd>the catalog, for those who are signed in</dd>
</dl>
<h2>There is no portal here yet</h2>
<p>Its pages are those of a Backstage frontend. There are three ways to get them:</p>
<ul>
<li>In a checkout of Greenroom, <code>make portal</code> builds the stock frontend, which is then found beside the binary.</li>
<li><code>app.dist</code> in the configuration names the <code>dist</code> folder of a frontend that you have built.</li>
<li>A release holds its portal itself.</li>
</ul>
<p>Then start Greenroom again. A frontend that is served from elsewhere needs its origin in <code>backend.cors.origin</code>.</p>
</body>
</html>
`))

// Page returns the HTML.
func (w Welcome) Page() []byte {
	if w.Title == "" {
		w.Title = "Greenroom"
	}
	var b bytes.Buffer
	if err := welcome.Execute(&b, w); err != nil {
		panic(err) // the template and the type are ours
	}
	return b.Bytes()
}
