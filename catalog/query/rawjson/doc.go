// Package rawjson walks over JSON text without building values from it: it
// finds where values begin and end, and reads single strings and numbers.
//
// It is made for documents that jsonvalue has written, so it checks what it
// must to stay inside the text and no more: Skip accepts some text that is not
// JSON. It keeps nothing; all functions are safe for concurrent use.
package rawjson
