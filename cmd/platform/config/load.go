package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

// Sources say where the configuration comes from.
type Sources struct {
	// Files are read in this order, later ones over earlier ones, and no
	// others. None: app-config.yaml in Dir, and those beside it that
	// BACKSTAGE_ENV names, and the local ones.
	Files []string
	// Dir is the folder of the default files, and the one that relative names
	// of Files start at; "" is the working directory.
	Dir string
	// Env looks up environment variables for transforms; nil: there are none.
	Env func(name string) (value string, ok bool)
	// Environ are all variables as NAME=value, for APP_CONFIG_*.
	Environ []string
}

// Environment returns Sources of those files with the variables of the
// process.
func Environment(files []string) Sources {
	return Sources{Files: files, Env: os.LookupEnv, Environ: os.Environ()}
}

// maxFileBytes bounds a configuration file and what it includes.
const maxFileBytes = 4 << 20

// A Config is the merged tree of all sources.
type Config struct {
	root  *node
	files []string
}

// Files returns the paths of the files that were read, in order.
func (c *Config) Files() []string { return c.files }

// Load reads and merges the sources. The errors name the file.
func Load(s Sources) (*Config, error) {
	files, err := s.paths()
	if err != nil {
		return nil, err
	}
	c := &Config{files: files}
	for _, path := range files {
		n, err := s.loadFile(path)
		if err != nil {
			return nil, err
		}
		c.root = merge(c.root, n)
	}
	env, err := fromEnviron(s.Environ)
	if err != nil {
		return nil, err
	}
	if env != nil {
		c.root = merge(c.root, env)
	}
	if c.root == nil {
		c.root = &node{value: newObject()}
	}
	c.root = prune(c.root)
	return c, nil
}

// paths returns the files to read.
func (s Sources) paths() ([]string, error) {
	if len(s.Files) > 0 {
		var out []string
		for _, file := range s.Files {
			if strings.Contains(file, "://") {
				return nil, fmt.Errorf("--config %s: configuration is read from files only, not from URLs", file)
			}
			out = append(out, s.resolve(file))
		}
		return out, nil
	}
	base := s.resolve("app-config.yaml")
	if _, err := os.Stat(base); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: write one, or name a file with --config", base)
	}
	out := []string{base}
	for _, name := range s.optional() {
		path := s.resolve(name)
		if _, err := os.Stat(path); err == nil {
			out = append(out, path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("configuration file: %w", err)
		}
	}
	return out, nil
}

// optional returns the names of the default files that need not be there.
func (s Sources) optional() []string {
	var environments []string
	if s.Env != nil {
		value, _ := s.Env("BACKSTAGE_ENV")
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" {
				environments = append(environments, name)
			}
		}
	}
	var shared, local []string
	for _, e := range environments {
		shared = append(shared, "app-config."+e+".yaml")
		local = append(local, "app-config."+e+".local.yaml")
	}
	return append(append(shared, "app-config.local.yaml"), local...)
}

func (s Sources) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.Dir, path)
}

func (s Sources) loadFile(path string) (*node, error) {
	value, err := readYAML(path)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, nil // an empty file says nothing
	}
	t := transformer{env: s.Env, file: filepath.Base(path)}
	n, err := t.apply(value, filepath.Dir(path), "", 0)
	if err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	if n == nil {
		return nil, nil
	}
	if _, ok := n.value.(*object); !ok {
		return nil, fmt.Errorf("configuration file %s: expected an object at root, got %s", path, n.kind())
	}
	return n, nil
}

// readYAML returns the one document of a YAML or JSON file, nil for none.
func readYAML(path string) (any, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	documents := yaml.Parse(data, yaml.Limits{Bytes: maxFileBytes})
	switch {
	case len(documents) == 0:
		return nil, nil
	case documents[0].Err != nil:
		return nil, fmt.Errorf("configuration file %s: %s", path, firstLine(documents[0].Err))
	case len(documents) > 1:
		return nil, fmt.Errorf("configuration file %s: it holds %d YAML documents, and must hold one", path, len(documents))
	}
	return documents[0].Value, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(line, ":")
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFileBytes)
	}
	return data, nil
}
