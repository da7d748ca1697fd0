package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// The two services of a Git server.
const (
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"
)

// A wire is a conversation with a server about one repository.
type wire interface {
	// refs returns what the server has, and what it can do.
	refs() *packp.AdvRefs
	// ask sends what write writes, and returns what the server says to that;
	// once. The answer may tell more of a failure than the error does, and is
	// not nil then.
	ask(ctx context.Context, write func(io.Writer) error) (io.ReadCloser, error)
	io.Closer
}

// maxRefs bounds the list of refs in bytes.
const maxRefs = 64 << 20

// readRefs reads the list that a conversation begins with. A repository without
// commits may have none.
func readRefs(r io.Reader) (*packp.AdvRefs, error) {
	limited := &io.LimitedReader{R: r, N: maxRefs}
	refs := packp.NewAdvRefs()
	err := safely(func() error { return refs.Decode(limited) })
	switch {
	case limited.N <= 0:
		return nil, fmt.Errorf("its list of branches is larger than %d bytes", maxRefs)
	case errors.Is(err, packp.ErrEmptyAdvRefs):
		return packp.NewAdvRefs(), nil
	case err != nil:
		return nil, fmt.Errorf("the answer is not that of a Git server: %w", err)
	}
	transport.FilterUnsupportedCapabilities(refs.Capabilities)
	return refs, nil
}

// open begins a conversation with one of the services of the remote.
func (r Remote) open(ctx context.Context, service string) (wire, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: the URL is none", errRefused)
	}
	_, secret := u.User.Password()
	switch {
	case (u.Scheme == "http" || u.Scheme == "https") && u.User == nil:
		return openHTTP(ctx, r, u, service)
	case u.Scheme == "ssh" && !secret && r.SSH != nil:
		return openSSH(ctx, r.SSH, u, service)
	}
	return nil, fmt.Errorf("%w: it is pushed over https and ssh, with credentials from the configuration or an input", errRefused)
}

// A saying keeps the beginning of what a server writes for people.
type saying struct{ text strings.Builder }

const maxSaying = 1 << 10

func (s *saying) Write(p []byte) (int, error) {
	if left := maxSaying - s.text.Len(); left > 0 {
		s.text.Write(p[:min(left, len(p))])
	}
	return len(p), nil
}

// String returns it as one line.
func (s *saying) String() string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s.text.String(), "")), " ")
}

// canSideband takes messages beside the answer where the server can.
func canSideband(there, asked *capability.List) (bool, error) {
	if !there.Supports(capability.Sideband64k) {
		return false, nil
	}
	return true, asked.Set(capability.Sideband64k)
}
