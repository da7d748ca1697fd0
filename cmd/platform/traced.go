package main

import (
	"context"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/cmd/platform/tracing"
)

// A tracedReader is a reader whose reads are spans.
type tracedReader struct {
	process.Reader
	mark tracing.Mark
}

// traced returns a reader with spans, or the reader itself where there are none.
func traced(r process.Reader, mark tracing.Mark) process.Reader {
	if mark == nil {
		return r
	}
	return tracedReader{r, mark}
}

// ReadLocation implements process.Reader.
func (r tracedReader) ReadLocation(ctx context.Context, request process.ReadRequest) (*process.ReadResult, error) {
	ctx, end := r.mark(ctx, "read location", "backstage.location.type", request.Location.Type,
		"backstage.location.target", wire.LoggedURL(request.Location.Target))
	result, err := r.Reader.ReadLocation(ctx, request)
	end(err)
	return result, err
}

// ReadURL implements process.Reader.
func (r tracedReader) ReadURL(ctx context.Context, url string) ([]byte, error) {
	ctx, end := r.mark(ctx, "read file", "url.full", wire.LoggedURL(url))
	data, err := r.Reader.ReadURL(ctx, url)
	end(err)
	return data, err
}
