package git_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

// sshHosts are those that a key opens.
type sshHosts struct {
	hosts
	of map[string]*ssh.ClientConfig
}

func (h sshHosts) SSH(host string) (*ssh.ClientConfig, error) {
	if host == "broken" {
		return nil, errors.New("ssh.knownHosts has no key of broken")
	}
	return h.of[host], nil
}

func newSigner(t *testing.T) ssh.Signer {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return signer
}

// An sshBench is a server in this process, and the key for it.
type sshBench struct {
	*forgetest.Forge
	ssh    *forgetest.SSH
	config *ssh.ClientConfig
}

func newSSHBench(t *testing.T) *sshBench {
	b := &sshBench{Forge: forgetest.NewPlain(t)}
	signer := newSigner(t)
	var err error
	b.ssh, err = b.ServeSSH(signer.PublicKey())
	require.NoError(t, err)
	_, _, host, _, _, err := ssh.ParseKnownHosts([]byte(b.ssh.KnownHosts()))
	require.NoError(t, err)
	b.config = &ssh.ClientConfig{User: "git", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(host)}
	_, err = b.CreateRepository(forgetest.Repository{FullName: "acme/shop", Visibility: forgetest.Private})
	require.NoError(t, err)
	return b
}

func (b *sshBench) run(t *testing.T, config *ssh.ClientConfig, url, more string) (*actiontest.Recorder, error) {
	a := git.Actions(git.Options{Hosts: sshHosts{of: map[string]*ssh.ClientConfig{b.ssh.Host(): config}},
		Sleep: func(context.Context, time.Duration) error { return nil }})[0]
	c, r := actiontest.NewContext(t)
	fill(t, c.Workspace, "run.sh!=#!/bin/sh\n", "dir/a=1", "big="+strings.Repeat("0123456789abcdef", 1<<17))
	return r, r.Run(t.Context(), a, c, `{"remoteUrl":"`+url+`"`+more+`}`)
}

func TestPublishOverSSH(t *testing.T) {
	b := newSSHBench(t)
	r, err := b.run(t, b.config, b.ssh.URL()+"/acme/shop.git", "")
	require.NoError(t, err)
	require.Equal(t, "100644 big\n100644 dir/a\n100755 run.sh", command(t, b.GitDir("acme/shop"), "ls-tree", "-r", "--format=%(objectmode) %(path)", "main"))
	require.JSONEq(t, `{"remoteUrl":"`+b.ssh.URL()+`/acme/shop.git","commitHash":"`+command(t, b.GitDir("acme/shop"), "rev-parse", "main")+`"}`, r.Outputs())
	command(t, b.GitDir("acme/shop"), "fsck", "--strict")
}

func TestPublishOverSSHFails(t *testing.T) {
	b := newSSHBench(t)
	_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/old", Archived: true})
	require.NoError(t, err)
	stranger, wrong := *b.config, *b.config
	stranger.Auth = []ssh.AuthMethod{ssh.PublicKeys(newSigner(t))}
	wrong.HostKeyCallback = ssh.FixedHostKey(newSigner(t).PublicKey())
	for name, c := range map[string]struct {
		config    *ssh.ClientConfig
		url, more string
		want      string
		is        error
	}{
		"a key that is not taken":    {config: &stranger, want: "does not accept the credentials", is: catalog.ErrNotAllowed},
		"another server":             {config: &wrong, want: "host key mismatch"},
		"no such repository":         {config: b.config, url: b.ssh.URL() + "/acme/none.git", want: "there is no such repository", is: catalog.ErrNotFound},
		"a repository to read alone": {config: b.config, url: b.ssh.URL() + "/acme/old.git", want: "read-only", is: catalog.ErrNotAllowed},
		"a token":                    {config: b.config, more: `,"token":"s3cret"`, want: "token is for URLs of https", is: catalog.ErrInput},
		"no key":                     {url: "ssh://git@git.example.com/a.git", want: "Nothing is pushed to git.example.com over ssh", is: catalog.ErrNotAllowed},
		"a fault of the key":         {url: "git@broken:a.git", want: "ssh.knownHosts has no key of broken"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.url == "" {
				c.url = b.ssh.URL() + "/acme/shop.git"
			}
			_, err := b.run(t, c.config, c.url, c.more)
			require.ErrorContains(t, err, c.want)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
	require.Empty(t, command(t, b.GitDir("acme/shop"), "for-each-ref"))
}

// A step that is cancelled does not wait for a server that says nothing.
func TestPublishOverSSHIsCancelled(t *testing.T) {
	b := newSSHBench(t)
	b.ssh.Mute()
	ctx, cancel := context.WithCancel(t.Context())
	a := git.Actions(git.Options{Hosts: sshHosts{of: map[string]*ssh.ClientConfig{b.ssh.Host(): b.config}}})[0]
	c, r := actiontest.NewContext(t)
	fill(t, c.Workspace, "a=1")
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, a, c, `{"remoteUrl":"`+b.ssh.URL()+`/acme/shop.git"}`) }()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}
