package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/revlist"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"golang.org/x/crypto/ssh"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Remote is where to push to.
type Remote struct {
	// URL is of https or http, without credentials, or of ssh.
	URL string
	// User and Password are sent with every request; no Password: nothing is.
	User, Password string
	// SSH is how to sign in at the server, and to know it, for a URL of ssh. A
	// user in the URL comes before its own.
	SSH *ssh.ClientConfig
	// HTTP sends the requests; nil: a client that waits ten minutes for an
	// answer. Its redirects lead to the same server alone.
	HTTP *http.Client
	// Sleep waits between attempts; nil: a timer.
	Sleep func(context.Context, time.Duration) error
}

// host is that of the URL, in lower case, with its port if it has one.
func (r Remote) host() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// ErrRejected is returned when the branch of the remote has commits that ours
// is not built on: somebody else has pushed there.
var ErrRejected = errors.New("the branch has commits there that are not in what is pushed")

const (
	pushAttempts = 5
	firstPause   = 2 * time.Second
	httpTimeout  = 10 * time.Minute
)

// Push makes the branch of the remote point to the commit. It is tried again a
// few times when that may help; a branch that is there already is a success.
// Errors hold neither the URL's nor other credentials.
func (r *Repository) Push(ctx context.Context, remote Remote, branch string) error {
	err := remote.again(ctx, func() error { return r.push(ctx, remote, branch) })
	if err != nil && context.Cause(ctx) == nil {
		return fmt.Errorf("push to branch %s of %s: %w", branch, remote.URL, explained(err))
	}
	return err
}

// again does something until it succeeds, or another attempt would not help.
func (r Remote) again(ctx context.Context, do func() error) error {
	sleep := r.Sleep
	if sleep == nil {
		sleep = wait
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := safely(do)
		if err == nil {
			return nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if attempt == pushAttempts || permanent(err) {
			return err
		}
		if err := sleep(ctx, time.Duration(float64(pause)*(0.9+rand.Float64()/5))); err != nil {
			return err
		}
		pause *= 2
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// permanent tells whether another attempt would end in the same way. It goes by
// what the errors are: their texts hold names and ports of the user.
func permanent(err error) bool {
	for _, known := range []error{ErrRejected, transport.ErrAuthenticationRequired, transport.ErrAuthorizationFailed,
		transport.ErrRepositoryNotFound, errRefused, errTooLarge, catalog.ErrNotFound} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// errRefused is wrapped where the server has taken the objects and not the
// branch: a hook or a protection is against it.
var errRefused = errors.New("the server refuses the push")

// explained says what to do about an error.
func explained(err error) error {
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return catalog.NewError(catalog.NameNotAllowed, "the server does not accept the credentials: check the token of the integration or of the input")
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return catalog.NewError(catalog.NameNotAllowed, fmt.Sprintf("the credentials may not push there (%s): the token needs the right to write contents (at GitHub the scope repo, "+
			"and workflow for files below .github/workflows; at GitLab write_repository)", err))
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return catalog.NewError(catalog.NameNotFound, "there is no such repository, or the credentials may not see it")
	case errors.Is(err, ErrRejected):
		return catalog.WrapError(catalog.NameConflict, "somebody else has pushed to it", err)
	}
	return err
}

func (r *Repository) push(ctx context.Context, remote Remote, branch string) (err error) {
	w, err := remote.open(ctx, receivePack)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return r.update(ctx, w, plumbing.NewBranchReferenceName(branch))
}

// update sends what the remote lacks and moves its branch.
func (r *Repository) update(ctx context.Context, w wire, name plumbing.ReferenceName) error {
	there := w.refs()
	old := there.References[name.String()]
	if old == r.head {
		return nil
	}
	if !old.IsZero() && !r.buildsOn(old) {
		return ErrRejected
	}
	missing := r.storer.order
	if !r.onBase {
		var err error
		if missing, err = revlist.Objects(r.storer, []plumbing.Hash{r.head}, r.known(there)); err != nil {
			return err
		}
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(there.Capabilities)
	req.Commands = []*packp.Command{{Name: name, Old: old, New: r.head}}
	aside, err := canSideband(there.Capabilities, req.Capabilities)
	if err != nil {
		return err
	}
	answer, err := w.ask(ctx, func(to io.Writer) error {
		if err := req.Encode(to); err != nil {
			return err
		}
		_, err := packfile.NewEncoder(to, r.storer, false).Encode(missing, 0)
		return err
	})
	if answer == nil {
		return err
	}
	defer answer.Close()
	if failed := readReport(answer, aside, req.Capabilities.Supports(capability.ReportStatus)); failed != nil {
		return errors.Join(failed, err)
	}
	return err
}

// maxReport bounds what a server says to a push.
const maxReport = 16 << 20

// readReport reads what the server has done: aside tells whether messages for
// people come with it, reports whether it tells at all.
func readReport(answer io.Reader, aside, reports bool) error {
	said := &saying{}
	answer = io.LimitReader(answer, maxReport)
	if aside {
		d := sideband.NewDemuxer(sideband.Sideband64k, answer)
		d.Progress = said
		answer = d
	}
	if !reports {
		_, err := io.Copy(io.Discard, answer)
		return err
	}
	report := packp.NewReportStatus()
	err := safely(func() error { return report.Decode(answer) })
	switch {
	case err != nil:
		return fmt.Errorf("the answer to the push cannot be read: %w", err)
	case report.UnpackStatus != "ok":
		err = report.Error()
	case report.Error() != nil:
		err = fmt.Errorf("%w: %s", errRefused, strings.TrimPrefix(report.Error().Error(), "command error on "))
	}
	if err != nil && said.String() != "" {
		err = fmt.Errorf("%w; it says: %s", err, said)
	}
	return err
}

// known are the commits of the remote that we have.
func (r *Repository) known(there *packp.AdvRefs) (out []plumbing.Hash) {
	for _, hash := range there.References {
		if r.storer.HasEncodedObject(hash) == nil {
			out = append(out, hash)
		}
	}
	return out
}

// buildsOn tells whether a commit is one of those below ours.
func (r *Repository) buildsOn(old plumbing.Hash) bool {
	if r.storer.HasEncodedObject(old) != nil {
		return false
	}
	head, err := object.GetCommit(r.storer, r.head)
	if err != nil {
		return false
	}
	found := false
	err = object.NewCommitPreorderIter(head, nil, nil).ForEach(func(c *object.Commit) error {
		if found = c.Hash == old; found {
			return storer.ErrStop
		}
		return nil
	})
	return err == nil && found
}
