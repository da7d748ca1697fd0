package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"github.com/greenroom-idp/greenroom/ingest/integration"
)

const (
	sshPort        = "22"
	connectTimeout = 15 * time.Second
	// maxComplaint bounds what a server says of an error.
	maxComplaint = 4 << 10
)

// A keyring holds what is needed to sign in at an SSH server, and to know it.
type keyring struct {
	user   string
	signer ssh.Signer
	known  *knownhosts.HostKeyDB
}

// newKeyring reads the keys of the configuration. Its errors hold nothing of
// them.
func newKeyring(c integration.SSH) (*keyring, error) {
	k := &keyring{user: c.User}
	var err error
	key := []byte(strings.ReplaceAll(c.PrivateKey.Value(), `\n`, "\n") + "\n")
	if c.Passphrase.IsZero() {
		k.signer, err = ssh.ParsePrivateKey(key)
	} else {
		k.signer, err = ssh.ParsePrivateKeyWithPassphrase(key, []byte(c.Passphrase.Value()))
	}
	var passphrase *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &passphrase):
		return nil, errors.New("ssh.privateKey needs ssh.passphrase")
	case err != nil:
		return nil, errors.New("ssh.privateKey is not a private key, or ssh.passphrase is not its passphrase")
	}
	if k.known, err = knownHosts(c.KnownHosts); err != nil {
		return nil, fmt.Errorf("ssh.knownHosts: %w", err)
	}
	return k, nil
}

// knownHosts reads lines of a known_hosts file. The library wants a file.
func knownHosts(lines string) (db *knownhosts.HostKeyDB, err error) {
	file, err := os.CreateTemp("", "known_hosts-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = io.WriteString(file, lines+"\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if db, err = knownhosts.NewDB(file.Name()); err != nil {
		return nil, errors.New("expected lines of a known_hosts file, as ssh-keyscan prints them")
	}
	return db, nil
}

// sshSession is a conversation with a command on a server.
type sshSession struct {
	endpoint   endpoint
	conn       net.Conn
	client     *ssh.Client
	command    *ssh.Session
	in         io.WriteCloser
	out        io.Reader
	complaint  *complaint
	advertised *packp.AdvRefs
	stop       func() bool // lets go of ctx
}

// openSSH connects, signs in and asks what a repository has. The conversation
// ends with ctx.
func openSSH(ctx context.Context, k *keyring, e endpoint) (session, error) {
	s, err := dialSSH(ctx, k, e)
	if err != nil {
		return nil, e.unavailable(cause(ctx, err))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(e.unavailable(cause(ctx, err)), s.Close())
	}
	if s.advertised, err = readRefs(s.out); err != nil {
		return nil, errors.Join(s.failure(ctx, err), s.Close())
	}
	return s, nil
}

// cause prefers why ctx ended over the error that this led to.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}

func dialSSH(ctx context.Context, k *keyring, e endpoint) (*sshSession, error) {
	address := e.url.Host
	if e.url.Port() == "" {
		address = net.JoinHostPort(e.url.Hostname(), sshPort)
	}
	user := k.user
	if e.user != "" {
		user = e.user
	}
	config, err := k.config(user, address)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{Timeout: connectTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	s := &sshSession{endpoint: e, conn: conn, stop: context.AfterFunc(ctx, func() { conn.Close() }), complaint: &complaint{}}
	handshake := time.AfterFunc(connectTimeout, func() { conn.Close() })
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if !handshake.Stop() && err == nil {
		err = errTooSlow
	}
	if err != nil {
		return nil, errors.Join(signInError(err), s.Close())
	}
	s.client = ssh.NewClient(c, channels, requests)
	return s, nil
}

// config is for signing in at an address.
func (k *keyring) config(user, address string) (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(k.signer)}, HostKeyCallback: k.known.HostKeyCallback(),
		HostKeyAlgorithms: k.known.HostKeyAlgorithms(address), ClientVersion: "SSH-2.0-greenroom",
	}
	if len(config.HostKeyAlgorithms) == 0 {
		return nil, fmt.Errorf("ssh.knownHosts has no key of %s", address)
	}
	return config, nil
}

// SSH returns how to sign in at the server over SSH, and to know it, for those
// who push there. It is nil where the integration has no key.
func (r *Reader) SSH() (*ssh.ClientConfig, error) {
	if r.keys == nil {
		return nil, nil
	}
	address := r.host.Host
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, sshPort)
	}
	return r.keys.config(r.keys.user, address)
}

// signInError says what to do about the errors that are likely.
func signInError(err error) error {
	switch {
	case knownhosts.IsHostKeyChanged(err):
		return errors.New("the server has another key than ssh.knownHosts says: it may not be the one that it claims to be")
	case knownhosts.IsHostUnknown(err):
		return errors.New("ssh.knownHosts has no key of the server")
	}
	return err
}

func (s *sshSession) start() (err error) {
	if s.command, err = s.client.NewSession(); err != nil {
		return err
	}
	s.command.Stderr = s.complaint
	if s.in, err = s.command.StdinPipe(); err != nil {
		return err
	}
	if s.out, err = s.command.StdoutPipe(); err != nil {
		return err
	}
	return s.command.Start(service + " " + quote(s.endpoint.url.Path))
}

// quote writes a path as one word for the shell on the server, which is how the
// protocol names the repository.
func quote(path string) string {
	return "'" + strings.NewReplacer(`'`, `'\''`, `!`, `'\!'`).Replace(path) + "'"
}

// endTimeout bounds how long the end of a conversation is waited for.
const endTimeout = 5 * time.Second

// failure is the error for a conversation that the server ended. What it says
// about it comes beside the answer, and may come later.
func (s *sshSession) failure(ctx context.Context, err error) error {
	if s.conn.SetDeadline(time.Now().Add(endTimeout)) == nil {
		_ = s.command.Wait() // the error is known already
	}
	said := strings.ToLower(s.complaint.String())
	for _, missing := range []string{"not found", "does not exist", "not appear to be a git repository", "could not find", "no such"} {
		if strings.Contains(said, missing) {
			return s.endpoint.missing("repository, or these credentials may not see it")
		}
	}
	if said != "" {
		err = fmt.Errorf("%w: the server says %q", err, s.complaint.String())
	}
	return s.endpoint.unavailable(cause(ctx, err))
}

func (s *sshSession) refs() *packp.AdvRefs { return s.advertised }

func (s *sshSession) pack(_ context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error) {
	body, err := encodeRequest(req)
	if err != nil {
		return nil, err
	}
	if _, err := s.in.Write(body); err != nil {
		return nil, s.endpoint.unavailable(err)
	}
	return readPack(req, io.NopCloser(s.out))
}

// Close ends the conversation.
func (s *sshSession) Close() error {
	s.stop()
	if s.client != nil {
		s.client.Close()
	}
	if err := s.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// A complaint keeps the beginning of what a server writes to its error stream.
type complaint struct {
	mu   sync.Mutex
	text strings.Builder
}

func (c *complaint) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left := maxComplaint - c.text.Len(); left > 0 {
		c.text.Write(p[:min(left, len(p))])
	}
	return len(p), nil
}

func (c *complaint) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(c.text.String(), ""))
}
