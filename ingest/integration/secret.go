package integration

import "log/slog"

// A Secret is a text that is shown to nobody who does not ask for it with
// Value: printing, logging or encoding it, or what holds it, gives ***. The
// zero value is no secret.
type Secret struct{ value *string } // a pointer, since fmt shows what unexported fields hold

// NewSecret wraps a text; "" is no secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{value: &s}
}

// Value returns the text itself.
func (s Secret) Value() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil }

const masked = "***"

func (s Secret) String() string {
	if s.value == nil {
		return ""
	}
	return masked
}

// GoString is for the verb %#v.
func (s Secret) GoString() string { return "integration.Secret(" + s.String() + ")" }

// MarshalText is for all encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
