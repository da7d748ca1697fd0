package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// version of the release; the linker sets it (make build VERSION=...).
var version = "dev"

func versionVerb() verb {
	return verb{name: "version", summary: "print the version", prepare: func(*flag.FlagSet) action {
		return func(_ context.Context, args []string, stdout, _ io.Writer) error {
			if err := noArguments(args); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "greenroom %s %s %s/%s\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		}
	}}
}

// versionText is the version, with the commit where the build knows it.
func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return version + " " + s.Value[:12]
		}
	}
	return version
}
