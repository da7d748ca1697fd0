package provider

import "time"

// Results of a run.
const (
	ResultPublished = "published" // the catalog is as the listing says
	ResultUnchanged = "unchanged" // there was nothing to publish
	ResultHeld      = "held"      // the guard wants somebody to look first
	ResultFailed    = "failed"
)

// A Run is what became of one poll.
type Run struct {
	Started  time.Time `json:"startedAt"`
	Millis   int64     `json:"durationMs"`
	Result   string    `json:"result"`
	Listed   int       `json:"listed"`
	Added    int       `json:"added"`
	Removed  int       `json:"removed"`
	Entities int       `json:"entities"` // fed in once the run had ended
}

// A Failure is what went wrong last.
type Failure struct {
	At      time.Time `json:"at"`
	Message string    `json:"message"`
}

// A Record is what is remembered of a provider between starts of the program.
type Record struct {
	Fingerprint string `json:"fingerprint,omitempty"`
	// LastRun is nil before the first one.
	LastRun     *Run      `json:"lastRun,omitempty"`
	LastSuccess time.Time `json:"lastSuccessAt,omitzero"`
	// NextRun is zero where only an operator starts one.
	NextRun time.Time `json:"nextRunAt,omitzero"`
	// Failures counts the failed runs since the last good one.
	Failures  int      `json:"failures,omitempty"`
	LastError *Failure `json:"lastError,omitempty"`
}

// A Status is how a provider fares.
type Status struct {
	ID string `json:"id"`
	// Running tells that a poll is under way.
	Running  bool   `json:"running"`
	Schedule string `json:"schedule"`
	Record
	// Held is the listing that waits for an operator, nil for none.
	Held *Held `json:"held,omitempty"`
}

// A Store keeps records, and held listings, by the name of the provider. What
// a method has answered is stored.
type Store interface {
	Records() (map[string]Record, error)
	PutRecord(provider string, r Record) error
	// Held returns all listings that are held.
	Held() (map[string]Held, error)
	// PutHeld replaces what was held for the provider; nil deletes it.
	PutHeld(provider string, h *Held) error
	// Forget removes all there is of a provider.
	Forget(provider string) error
}
