package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A shell runs programs and shows what they print.
type shell struct {
	ctx       context.Context
	out       io.Writer
	dir, home string
}

func (s *shell) run(command ...string) error {
	shown := strings.NewReplacer(forgeToken, "***", "token-of-the-demonstration", "***").Replace(strings.Join(command, " "))
	fmt.Fprintf(s.out, "$ %s\n", shown)
	cmd := exec.CommandContext(s.ctx, command[0], command[1:]...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "GNUPGHOME=" + s.home, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"}
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	err := cmd.Run()
	fmt.Fprintf(s.out, "%s\n", printed.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", shown, err)
	}
	return nil
}

// A key signs the commits of the demonstration.
type key struct {
	private string // in armor
	home    string // of gpg, which trusts it
}

// newKey makes a key and, where there is gpg, lets it trust it.
func newKey(dir string) (*key, error) {
	e, err := openpgp.NewEntity("Ada Example", "", "ada@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PrivateKeyType, nil)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(e.SerializePrivateWithoutSigning(w, nil), w.Close()); err != nil {
		return nil, err
	}
	k := &key{private: out.String(), home: filepath.Join(dir, "gpg")}
	if err := os.Mkdir(k.home, 0o700); err != nil {
		return nil, err
	}
	if _, err := exec.LookPath("gpg"); err != nil {
		return k, nil
	}
	var public bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		return nil, err
	}
	cmd := exec.Command("gpg", "--homedir", k.home, "--batch", "--quiet", "--import")
	cmd.Stdin = &public
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gpg: %w: %s", err, said)
	}
	return k, nil
}

// close ends what gpg has started.
func (k *key) close() {
	cmd := exec.Command("gpgconf", "--homedir", k.home, "--kill", "all")
	_ = cmd.Run() // there may be none
}
