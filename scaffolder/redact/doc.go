// Package redact masks secrets in lines of text.
//
// It owns how a secret may appear: as it is, with its line breaks at other
// places, as JSON escapes, as base64 of it or of a text that holds it, URL-encoded,
// and cut in two by the end of a line. Each appearance becomes "***", and
// overlapping ones a single "***". Secrets of a single character mask nothing,
// as in the reference: they would mask everything.
//
// It knows nothing of logs or tasks. A Masker is safe for concurrent use, a
// Stream belongs to one goroutine at a time.
package redact
