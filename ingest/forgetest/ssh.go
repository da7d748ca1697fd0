package forgetest

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSH is a server for Git over SSH in front of a forge: it takes one key and
// runs two commands, git upload-pack and git receive-pack. Its requests are
// counted as ssh.
type SSH struct {
	forge    *Forge
	listener net.Listener
	config   *ssh.ServerConfig
	host     ssh.Signer

	mu     sync.Mutex
	conns  map[net.Conn]bool
	mute   bool
	group  sync.WaitGroup
	closed bool
}

// ServeSSH starts a server that lets the owner of a key in.
func (f *Forge) ServeSSH(key ssh.PublicKey) (*SSH, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	s := &SSH{forge: f, conns: map[net.Conn]bool{}}
	if s.host, err = ssh.NewSignerFromKey(private); err != nil {
		return nil, err
	}
	s.config = &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
		if string(offered.Marshal()) != string(key.Marshal()) {
			return nil, fmt.Errorf("unknown key")
		}
		return &ssh.Permissions{}, nil
	}}
	s.config.AddHostKey(s.host)
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.group.Go(s.accept)
	f.mu.Lock()
	f.closed = append(f.closed, s.Close)
	f.mu.Unlock()
	return s, nil
}

// URL is the base of all URLs, without a trailing slash.
func (s *SSH) URL() string { return "ssh://git@" + s.Host() }

// Host is the host and port of URL.
func (s *SSH) Host() string { return s.listener.Addr().String() }

// KnownHosts is the line of a known_hosts file for the server.
func (s *SSH) KnownHosts() string {
	return knownhosts.Line([]string{s.Host()}, s.host.PublicKey())
}

// Mute makes the server accept connections and say nothing, as a broken one
// does.
func (s *SSH) Mute() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = true
}

// Close ends all connections; the forge does so as well.
func (s *SSH) Close() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.group.Wait()
}

func (s *SSH) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[conn] = true
		mute, closed := s.mute, s.closed
		s.mu.Unlock()
		if closed {
			conn.Close()
			return
		}
		if !mute {
			s.group.Go(func() { s.serve(conn) })
		}
	}
}

func (s *SSH) serve(conn net.Conn) {
	defer conn.Close()
	server, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	defer server.Close()
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		if offered.ChannelType() != "session" {
			offered.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		s.session(channel, requests)
	}
}

// session runs the command of a session, and ends it.
func (s *SSH) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	for request := range requests {
		if request.Type != "exec" {
			request.Reply(false, nil)
			continue
		}
		var payload struct{ Command string }
		if ssh.Unmarshal(request.Payload, &payload) != nil {
			return
		}
		request.Reply(true, nil)
		status := s.run(payload.Command, channel)
		channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		return
	}
}

// run does what a command line asks for.
func (s *SSH) run(line string, channel ssh.Channel) (status uint32) {
	s.forge.counts.add("ssh", false, 200)
	command, quoted, _ := strings.Cut(line, " ")
	name := strings.NewReplacer(`'\''`, "'", `'\!'`, "!").Replace(quoted)
	repository, ok := s.forge.Repository(strings.Trim(name, "/'"))
	if command != "git-upload-pack" && command != "git-receive-pack" || !ok {
		io.WriteString(channel.Stderr(), "fatal: '"+name+"' does not appear to be a git repository\n")
		return 128
	}
	if command == "git-receive-pack" && repository.Archived {
		io.WriteString(channel.Stderr(), "ERROR: This repository is archived so it is read-only.\n")
		return 128
	}
	cmd := exec.Command("git", "-c", "uploadpack.allowFilter=true", strings.TrimPrefix(command, "git-"), s.forge.repositories.path(repository.FullName))
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	in, err := cmd.StdinPipe() // closed by Wait, also while the client is silent
	if err != nil || cmd.Start() != nil {
		return 1
	}
	go func() {
		io.Copy(in, channel)
		in.Close()
	}()
	if cmd.Wait() != nil {
		return 1
	}
	return 0
}
