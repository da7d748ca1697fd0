package process

import (
	"context"
	"regexp"

	"github.com/greenroom-idp/greenroom/catalog"
)

// commitHash matches a URL that shows a file as it was at one commit, where
// nobody can edit it.
var commitHash = regexp.MustCompile(`(?i)[0-9a-f]{40,}`)

// annotate says where to see and edit what was read from a URL. What the author
// has said stays.
func (p *Pipeline) annotate(_ context.Context, r *run) error {
	if r.location.Type != "url" {
		return nil
	}
	target := r.location.Target
	setMissing(r.entity, catalog.AnnotationViewURL, target)
	edit, folder, ok := p.reader.SourceURLs(target)
	if !ok {
		return nil
	}
	if edit != "" && !commitHash.MatchString(target) {
		setMissing(r.entity, catalog.AnnotationEditURL, edit)
	}
	if folder != "" {
		setMissing(r.entity, catalog.AnnotationSourceLocation, "url:"+folder)
	}
	return nil
}

func setMissing(e catalog.Entity, annotation, value string) {
	if !e.Metadata().Object("annotations").Has(annotation) {
		e.SetAnnotation(annotation, value)
	}
}
