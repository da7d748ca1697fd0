package config

import (
	"math"
	"time"
)

// Scaffolder is what scaffolder.* says, and backend.workingDirectory.
type Scaffolder struct {
	// Concurrency is how many tasks run at once; 0: none.
	Concurrency int
	// PerTemplate is how many tasks of one template run at once; 0: as many as
	// Concurrency.
	PerTemplate int
	// WorkingDirectory is where workspaces are; "": in the data folder.
	WorkingDirectory string
	// WorkspaceQuota is how many bytes a workspace may hold; 0: the default.
	WorkspaceQuota int64
	// KeepInterrupted is how long a task is kept that waits for a retry since
	// it was interrupted; 0: the default.
	KeepInterrupted time.Duration
	// ShutdownTimeout is how long running steps may take to end after a signal.
	ShutdownTimeout time.Duration
	// Parameters and Secrets are the environment of all templates.
	Parameters, Secrets map[string]string
	// ParameterLength is how much of a parameter the audit log shows.
	ParameterLength int
	// RequireUserCredentials: actions take no credentials of integrations.
	RequireUserCredentials bool
	// AuthorName, AuthorEmail and CommitMessage are for commits whose step says
	// nothing of them; "": the defaults of the actions.
	AuthorName, AuthorEmail, CommitMessage string
	// CommitSigningKey is an OpenPGP key in armor; "": none. It is a secret.
	CommitSigningKey string
}

const (
	defaultConcurrency     = 10
	defaultParameterLength = 256
	defaultShutdown        = 20 * time.Second
)

func (r *reader) scaffolder(c *Config) Scaffolder {
	v := c.At("scaffolder")
	s := Scaffolder{
		Concurrency:            r.integer(v.At("concurrentTasksLimit"), defaultConcurrency),
		PerTemplate:            r.integer(v.At("concurrentTasksPerTemplateLimit"), 0),
		WorkingDirectory:       r.text(c.At("backend.workingDirectory"), ""),
		WorkspaceQuota:         r.bytes(v.At("workspaceQuota")),
		KeepInterrupted:        r.duration(v.At("taskTimeout"), 0),
		ShutdownTimeout:        r.duration(v.At("shutdownTimeout"), defaultShutdown),
		Parameters:             r.strictTexts(v.At("defaultEnvironment.parameters")),
		Secrets:                r.strictTexts(v.At("defaultEnvironment.secrets")),
		ParameterLength:        r.integer(v.At("auditor.taskParameterMaxLength"), defaultParameterLength),
		RequireUserCredentials: r.boolean(v.At("requireScmUserCredentials"), false),
		AuthorName:             r.text(v.At("defaultAuthor.name"), ""),
		AuthorEmail:            r.text(v.At("defaultAuthor.email"), ""),
		CommitMessage:          r.text(v.At("defaultCommitMessage"), ""),
		CommitSigningKey:       r.text(v.At("defaultCommitSigningKey"), ""),
	}
	for _, limit := range []struct {
		key string
		n   int
	}{{"concurrentTasksLimit", s.Concurrency}, {"concurrentTasksPerTemplateLimit", s.PerTemplate}} {
		if limit.n < 0 {
			r.fault(v.At(limit.key).Fault("a limit must not be negative; 0 of concurrentTasksLimit means that no task runs"))
		}
	}
	if s.ShutdownTimeout < 0 || s.KeepInterrupted < 0 {
		r.fault(v.At("shutdownTimeout").Fault("a duration must not be negative"))
	}
	return s
}

// bytes reads a number of bytes, 0 if there is none.
func (r *reader) bytes(v Value) int64 {
	if !v.Exists() {
		return 0
	}
	n, err := v.Number()
	if err == nil && (n < 1 || n != math.Trunc(n) || n > 1<<53) {
		err = v.Fault("%v is not a number of bytes", n)
	}
	r.fault(err)
	return int64(n)
}

// strictTexts reads an object of strings; what is none is a fault.
func (r *reader) strictTexts(v Value) map[string]string {
	if !v.Exists() {
		return nil
	}
	if !v.IsObject() {
		r.fault(v.wrongType("object"))
		return nil
	}
	out := map[string]string{}
	for _, key := range v.Keys() {
		child := v.Child(key)
		if _, ok := child.Plain().(string); !ok {
			r.fault(child.wrongType("string"))
			continue
		}
		out[key] = r.required(child)
	}
	return out
}
