// Package config reads the configuration of the program: the files that are
// named app-config.yaml by custom, the transforms inside them, and the
// variables APP_CONFIG_*.
//
// It owns the order of the sources, how they are merged, the words of errors
// about keys, and Settings, the one struct of everything that the program
// uses, with its defaults and its Validate. It opens nothing but configuration
// files and starts nothing.
//
// Load gives a Config, the merged tree; Read turns it into Settings and
// reports all faults together. Keys that nobody reads are no fault: the files
// of a portal are shared with its frontend and with plugins that we do not
// know. Neither type changes once it has been returned.
//
// Values under keys that hold secrets by their name are known to Config.
// Redact keeps them out of what is written to a log.
package config
