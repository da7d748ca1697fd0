package notifications

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// WebChannel is the channel of the portal itself, the only one there is.
const WebChannel = "Web"

// Settings are what a user, or the operator for all users, wants to hear of.
type Settings struct {
	Channels []Channel `json:"channels"`
}

// A Channel is a way to a user. What it does not name follows Enabled, and
// where that is nil, is wanted.
type Channel struct {
	ID      string          `json:"id"`
	Enabled *bool           `json:"enabled,omitempty"`
	Origins []OriginSetting `json:"origins"`
}

// An OriginSetting is about what one sender sends.
type OriginSetting struct {
	ID      string         `json:"id"`
	Enabled bool           `json:"enabled"`
	Topics  []TopicSetting `json:"topics"`
}

// A TopicSetting is about one topic of a sender.
type TopicSetting struct {
	ID      string `json:"id"`
	Enabled bool   `json:"enabled"`
}

// ParseSettings reads the settings of an operator from plain JSON; nil is none.
func ParseSettings(v any) (s Settings, err error) {
	if v == nil {
		return s, nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return s, err
	}
	body, err := jsonvalue.Parse(data)
	if err != nil {
		return s, err
	}
	if fault := defaultsShape.check(body, "it"); fault != "" {
		return s, errors.New(fault)
	}
	return s, json.Unmarshal(data, &s)
}

func (s Settings) channel(id string) *Channel {
	for i := range s.Channels {
		if strings.EqualFold(s.Channels[i].ID, id) {
			return &s.Channels[i]
		}
	}
	return nil
}

func (c *Channel) origin(id string) *OriginSetting {
	if c == nil {
		return nil
	}
	for i := range c.Origins {
		if strings.EqualFold(c.Origins[i].ID, id) {
			return &c.Origins[i]
		}
	}
	return nil
}

func (o *OriginSetting) topic(id string) *TopicSetting {
	if o == nil {
		return nil
	}
	for i := range o.Topics {
		if strings.EqualFold(o.Topics[i].ID, id) {
			return &o.Topics[i]
		}
	}
	return nil
}

// explicit returns what the user says about a channel as a whole, or else the
// operator; nil where neither does.
func explicit(user, defaults *Channel) *bool {
	if user != nil && user.Enabled != nil {
		return user.Enabled
	}
	if defaults != nil {
		return defaults.Enabled
	}
	return nil
}

// wants tells whether a user wants to hear of a topic, which may be "", of an
// origin. What the user says comes before what the operator says.
func wants(user, defaults Settings, origin, topic string) bool {
	mine, theirs := user.channel(WebChannel), defaults.channel(WebChannel)
	whole := explicit(mine, theirs)
	o := mine.origin(origin)
	if o == nil && (whole == nil || *whole) {
		o = theirs.origin(origin)
	}
	if o == nil {
		return whole == nil || *whole
	}
	if t := o.topic(topic); topic != "" && t != nil {
		return t.Enabled
	}
	return o.Enabled
}

// normal returns settings as they are kept: what the user says about origins
// and topics, with topics off where their origin is.
func (s Settings) normal() Settings {
	var out Settings
	for _, c := range s.Channels {
		kept := Channel{ID: c.ID, Origins: []OriginSetting{}}
		for _, o := range c.Origins {
			origin := OriginSetting{ID: o.ID, Enabled: o.Enabled, Topics: []TopicSetting{}}
			for _, t := range o.Topics {
				origin.Topics = append(origin.Topics, TopicSetting{t.ID, t.Enabled && o.Enabled})
			}
			kept.Origins = append(kept.Origins, origin)
		}
		out.Channels = append(out.Channels, kept)
	}
	return out
}

// A subject is what settings can be about.
type subject struct{ origin, topic string }

// subjects returns what a user can decide about: the origins and topics of
// what was sent to the user, and those that the operator names. An origin has
// the topic "".
func subjects(inbox []Notification, defaults Settings) []subject {
	var out []subject
	add := func(s subject) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for i := len(inbox) - 1; i >= 0; i-- { // oldest first
		if n := &inbox[i]; n.User != "" {
			add(subject{origin: n.Origin})
			add(subject{n.Origin, n.Payload.Topic})
		}
	}
	for _, c := range defaults.Channels {
		for _, o := range c.Origins {
			add(subject{origin: o.ID})
			for _, t := range o.Topics {
				add(subject{o.ID, t.ID})
			}
		}
	}
	return out
}

// effective returns the settings that hold for a user, spelled out for every
// subject.
func effective(user, defaults Settings, about []subject) Settings {
	mine, theirs := user.channel(WebChannel), defaults.channel(WebChannel)
	whole := explicit(mine, theirs)
	fallback := whole == nil || *whole
	c := Channel{ID: WebChannel, Enabled: whole, Origins: []OriginSetting{}}
	for _, s := range about {
		if s.topic != "" {
			continue
		}
		own, given := mine.origin(s.origin), theirs.origin(s.origin)
		o := OriginSetting{ID: s.origin, Enabled: fallback, Topics: []TopicSetting{}}
		if set := firstOrigin(own, given); set != nil {
			o.Enabled = set.Enabled
		}
		otherwise := o.Enabled
		if whole != nil {
			otherwise = fallback
		}
		for _, t := range about {
			if t.origin == s.origin && t.topic != "" {
				o.Topics = append(o.Topics, topicSetting(own, given, t.topic, otherwise))
			}
		}
		c.Origins = append(c.Origins, o)
	}
	return Settings{Channels: []Channel{c}}
}

func firstOrigin(own, given *OriginSetting) *OriginSetting {
	if own != nil {
		return own
	}
	return given
}

func topicSetting(own, given *OriginSetting, topic string, otherwise bool) TopicSetting {
	t := own.topic(topic)
	if t == nil {
		t = given.topic(topic)
	}
	if t != nil {
		otherwise = t.Enabled
	}
	return TopicSetting{topic, otherwise}
}
