package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// restrictionJSON is a restriction as the configuration spells it.
type restrictionJSON struct {
	Plugin     string   `json:"plugin"`
	Permission []string `json:"permission,omitempty"`
	Attribute  struct {
		Action []string `json:"action,omitempty"`
	} `json:"permissionAttribute,omitzero"`
}

// An AccessRestriction is a Restriction whose JSON is spelled as in the
// configuration, with lists.
type AccessRestriction Restriction

// Spelled returns restrictions that are written as in the configuration.
func Spelled(list []Restriction) []AccessRestriction { return converted[AccessRestriction](list) }

// Meant returns what such restrictions mean.
func Meant(list []AccessRestriction) []Restriction { return converted[Restriction](list) }

// converted keeps nil apart from an empty list.
func converted[To, From AccessRestriction | Restriction](list []From) []To {
	if list == nil {
		return nil
	}
	out := make([]To, len(list))
	for i, r := range list {
		out[i] = To(r)
	}
	return out
}

// MarshalJSON writes the restriction as the configuration spells it.
func (r AccessRestriction) MarshalJSON() ([]byte, error) {
	out := restrictionJSON{Plugin: r.Plugin, Permission: r.Permissions}
	out.Attribute.Action = r.Actions
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes. Unknown keys and empty lists are
// errors: a restriction that says nothing would restrict nothing.
func (r *AccessRestriction) UnmarshalJSON(data []byte) error {
	var in restrictionJSON
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return err
	}
	for _, list := range [][]string{in.Permission, in.Attribute.Action} {
		if list != nil && len(list) == 0 || slices.Contains(list, "") {
			return fmt.Errorf("access restriction for plugin %q: a list names nothing: leave it out", in.Plugin)
		}
	}
	*r = AccessRestriction{Plugin: in.Plugin, Permissions: in.Permission, Actions: in.Attribute.Action}
	return nil
}

// CheckRestrictions returns an error if restrictions make no sense.
func CheckRestrictions(list []Restriction) error {
	seen := map[string]bool{}
	for _, r := range list {
		if r.Plugin == "" || seen[r.Plugin] {
			return fmt.Errorf("access restriction for plugin %q: plugins must be named, and once each", r.Plugin)
		}
		seen[r.Plugin] = true
		for _, a := range r.Actions {
			if !slices.Contains([]string{"create", "read", "update", "delete"}, a) {
				return fmt.Errorf("access restriction for plugin %q: action %q is not one of create, read, update, delete", r.Plugin, a)
			}
		}
	}
	return nil
}
