package forge

import (
	"regexp"
	"strings"
)

// A Tag marks the state in which a file was read: the commit of its branch, and
// what the host itself gave as validator of the file, if anything. Its text is
// the etag that readers hand out.
type Tag struct{ Commit, Validator string }

// maxTag bounds etags, since they are stored with entities.
const maxTag = 512

var isCommit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// IsCommit tells whether s is the full hash of a commit.
func IsCommit(s string) bool { return isCommit.MatchString(s) }

// String is the inverse of ParseTag.
func (t Tag) String() string {
	switch {
	case t.Validator == "" || len(t.Commit)+len(t.Validator) >= maxTag:
		return t.Commit
	case t.Commit == "":
		return t.Validator
	}
	return t.Commit + " " + t.Validator
}

// ParseTag reads an etag. One that no Tag has made is taken for the validator of
// a host.
func ParseTag(s string) Tag {
	commit, validator, _ := strings.Cut(s, " ")
	if commit != "" && !IsCommit(commit) {
		return Tag{Validator: s}
	}
	return Tag{Commit: commit, Validator: validator}
}
