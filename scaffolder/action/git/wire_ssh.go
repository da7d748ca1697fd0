package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"golang.org/x/crypto/ssh"
)

// connectTimeout bounds the connection to an SSH server and the sign-in.
const connectTimeout = 15 * time.Second

// sshWire is a conversation with a command on a server. It ends with the
// context that it was opened with.
type sshWire struct {
	conn       net.Conn
	client     *ssh.Client
	command    *ssh.Session
	in         io.WriteCloser
	out        io.Reader
	said       *lockedSaying
	advertised *packp.AdvRefs
	stop       func() bool // lets go of the context
}

// openSSH connects, signs in and asks what a repository has.
func openSSH(ctx context.Context, config *ssh.ClientConfig, u *url.URL, service string) (_ wire, err error) {
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "22")
	}
	own := *config
	if name := u.User.Username(); name != "" {
		own.User = name
	}
	conn, err := (&net.Dialer{Timeout: connectTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	w := &sshWire{conn: conn, said: &lockedSaying{}, stop: context.AfterFunc(ctx, func() { conn.Close() })}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if err := w.signIn(&own, address); err != nil {
		return nil, err
	}
	if err := w.start(service, u.Path); err != nil {
		return nil, err
	}
	if w.advertised, err = readRefs(w.out); err != nil {
		return nil, w.failure(err)
	}
	return w, nil
}

func (w *sshWire) signIn(config *ssh.ClientConfig, address string) error {
	if err := w.conn.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return err
	}
	c, channels, requests, err := ssh.NewClientConn(w.conn, address, config)
	if err != nil {
		// The library has no errors for these.
		if strings.Contains(err.Error(), "unable to authenticate") {
			return fmt.Errorf("%w: %w", transport.ErrAuthenticationRequired, err)
		}
		if strings.Contains(err.Error(), "knownhosts:") {
			return fmt.Errorf("%w: ssh.knownHosts of the integration does not have the key that the server shows", errRefused)
		}
		return err
	}
	w.client = ssh.NewClient(c, channels, requests)
	return w.conn.SetDeadline(time.Time{})
}

// start runs the command. The path is one word for the shell on the server,
// which is how the protocol names the repository.
func (w *sshWire) start(service, path string) (err error) {
	if w.command, err = w.client.NewSession(); err != nil {
		return err
	}
	w.command.Stderr = w.said
	if w.in, err = w.command.StdinPipe(); err != nil {
		return err
	}
	if w.out, err = w.command.StdoutPipe(); err != nil {
		return err
	}
	return w.command.Start(service + " '" + strings.NewReplacer(`'`, `'\''`, `!`, `'\!'`).Replace(path) + "'")
}

// endTimeout bounds how long the end of a conversation is waited for.
const endTimeout = 5 * time.Second

// failure is the error for a conversation that the server ended. What it says
// about it comes beside the answer, and may come later.
func (w *sshWire) failure(err error) error {
	if w.conn.SetDeadline(time.Now().Add(endTimeout)) == nil {
		_ = w.command.Wait() // the error is known already
	}
	said := strings.ToLower(w.said.String())
	for _, missing := range []string{"not found", "does not exist", "not appear to be a git repository", "could not find", "no such"} {
		if strings.Contains(said, missing) {
			return transport.ErrRepositoryNotFound
		}
	}
	for _, denied := range []string{"denied", "not allowed", "read-only", "read only", "not authorized", "unauthorized"} {
		if strings.Contains(said, denied) {
			return fmt.Errorf("%w: the server says %q", transport.ErrAuthorizationFailed, w.said)
		}
	}
	if said != "" {
		err = fmt.Errorf("%w: the server says %q", err, w.said)
	}
	return err
}

func (w *sshWire) refs() *packp.AdvRefs { return w.advertised }

func (w *sshWire) ask(_ context.Context, write func(io.Writer) error) (io.ReadCloser, error) {
	return io.NopCloser(w.out), write(w.in)
}

// Close ends the conversation.
func (w *sshWire) Close() error {
	w.stop()
	if w.client != nil {
		w.client.Close()
	}
	if err := w.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// A lockedSaying is written while it is read.
type lockedSaying struct {
	mu sync.Mutex
	saying
}

func (s *lockedSaying) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saying.Write(p)
}

func (s *lockedSaying) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saying.String()
}
