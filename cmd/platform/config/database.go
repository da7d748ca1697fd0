package config

import (
	"errors"
	"fmt"
)

// Database is backend.database, or else database, as far as there is a choice:
// the store of this release is always the embedded one.
type Database struct {
	// Client is the driver that the configuration names, "" for none.
	Client string
	// Memory asks for a store that is gone when the program ends.
	Memory bool
	// key is where Client was read, for errors.
	key string
}

func (r *reader) database(c *Config) Database {
	v := c.At("backend.database")
	if !v.Exists() {
		v = c.At("database")
	}
	if !v.Exists() {
		return Database{}
	}
	if !v.IsObject() {
		r.fault(v.wrongType("object"))
		return Database{}
	}
	connection := v.At("connection")
	return Database{
		Client: r.text(v.At("client"), ""),
		Memory: connection.Is(":memory:") || connection.At("filename").Is(":memory:"),
		key:    v.At("client").Key(),
	}
}

func (d Database) validate() error {
	switch d.Client {
	case "", "better-sqlite3", "sqlite3":
		return nil
	case "pg":
		return fmt.Errorf("config key '%s': PostgreSQL is not supported in this release, which keeps its data in one file "+
			"under --data; use better-sqlite3 or leave the key out", d.key)
	}
	return errors.New("config key '" + d.key + "': there is no database client '" + d.Client +
		"'; use better-sqlite3, which means the embedded store, or leave the key out")
}
