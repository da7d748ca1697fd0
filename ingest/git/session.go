package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// A session is a conversation with a server about one repository.
type session interface {
	// refs returns what the server has, and what it can do.
	refs() *packp.AdvRefs
	// pack asks for objects, once. The reader gives the pack as the server
	// sends it.
	pack(ctx context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error)
	io.Closer
}

// An endpoint is where a repository is.
type endpoint struct {
	target string   // the URL of the user
	url    *url.URL // of the repository, without credentials
	user   string   // of an SSH URL
}

// endpointOf returns where the repository of a URL is.
func endpointOf(target string, place integration.Place) (endpoint, error) {
	u, err := url.Parse(target)
	if err != nil {
		return endpoint{}, catalog.NewError(catalog.NameTypeError, "Invalid URL: "+target)
	}
	e := endpoint{target: target, url: &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/" + place.Repository}}
	if u.User != nil {
		_, hasPassword := u.User.Password()
		if u.Scheme != "ssh" || hasPassword {
			return endpoint{}, catalog.NewError(catalog.NameNotAllowed,
				u.Redacted()+" has credentials in it: they belong into integrations.git")
		}
		e.user = u.User.Username()
	}
	switch u.Scheme {
	case "https", "http", "ssh":
		return e, nil
	}
	return endpoint{}, catalog.NewError(catalog.NameInput, fmt.Sprintf("%s: Git is read over https and ssh, not %s", target, u.Scheme))
}

// unavailable is the error for what a server did not or could not say, unless
// err says it already.
func (e endpoint) unavailable(err error) error {
	if strings.HasPrefix(err.Error(), e.target) {
		return err
	}
	return fmt.Errorf("%s could not be read, %w", e.target, err)
}

// missing is the error for a repository, branch or file that is not there.
func (e endpoint) missing(what string) error {
	return catalog.NewError(catalog.NameNotFound, fmt.Sprintf("%s could not be read, there is no such %s", e.target, what))
}

// maxRefs bounds the list of refs in bytes.
const maxRefs = 64 << 20

var (
	errTooManyRefs = fmt.Errorf("its list of branches is larger than %d bytes", maxRefs)
	errNotGit      = errors.New("the answer is not that of a Git server")
)

// readRefs reads the list that a conversation begins with. A repository without
// commits has none.
func readRefs(r io.Reader) (*packp.AdvRefs, error) {
	limited := &io.LimitedReader{R: r, N: maxRefs}
	refs := packp.NewAdvRefs()
	err := safely(func() error { return refs.Decode(limited) })
	switch {
	case limited.N <= 0:
		return nil, errTooManyRefs
	case errors.Is(err, packp.ErrEmptyAdvRefs):
		return packp.NewAdvRefs(), nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNotGit, err)
	}
	transport.FilterUnsupportedCapabilities(refs.Capabilities)
	return refs, nil
}

// safely turns a panic of the library, which reads what comes from outside,
// into an error.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errNotGit, p)
		}
	}()
	return f()
}

// encodeRequest writes a request for objects, after which the server sends them.
func encodeRequest(req *packp.UploadPackRequest) ([]byte, error) {
	var b bytes.Buffer
	if err := req.UploadRequest.Encode(&b); err != nil {
		return nil, err
	}
	if err := req.UploadHaves.Encode(&b, false); err != nil {
		return nil, err
	}
	if err := pktline.NewEncoder(&b).EncodeString("done\n"); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// readPack reads what comes before a pack and returns the pack.
func readPack(req *packp.UploadPackRequest, body io.ReadCloser) (io.ReadCloser, error) {
	res := packp.NewUploadPackResponse(req)
	if err := safely(func() error { return res.Decode(body) }); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", errNotGit, err), body.Close())
	}
	var pack io.Reader = res
	switch {
	case req.Capabilities.Supports("side-band-64k"):
		pack = sideband.NewDemuxer(sideband.Sideband64k, res)
	case req.Capabilities.Supports("side-band"):
		pack = sideband.NewDemuxer(sideband.Sideband, res)
	}
	return struct {
		io.Reader
		io.Closer
	}{pack, res}, nil
}
