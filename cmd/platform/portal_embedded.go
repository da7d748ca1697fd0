//go:build portal

package main

import _ "embed"

// portalBundle is the portal that `make release` puts into the binary.
//
//go:embed portal.zip
var portalBundle []byte
