//go:build !portal

package main

// portalBundle is empty in a binary that holds no portal.
var portalBundle []byte
