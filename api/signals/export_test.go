package signals

import (
	"maps"
	"slices"
)

// Obey returns the channels that a connection is subscribed to after a frame.
func Obey(_ *Hub, frame []byte) []string {
	c := &connection{channels: map[string]struct{}{}}
	c.obey(frame)
	return slices.Collect(maps.Keys(c.channels))
}
