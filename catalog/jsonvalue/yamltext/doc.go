// Package yamltext writes JSON values as YAML 1.2 documents.
//
// It owns the text: block style with two blanks a level, strings bare where
// YAML 1.2 reads them back as strings (yes and on are, 007 and null are not),
// quoted where it does not, block scalars for several lines, lines folded at
// 80. The text is that of the npm package "yaml", which writes descriptors in
// the reference, so that a file made by either tool shows no difference to
// the other. Reading YAML is not its business, nor what the values mean.
//
// What is written reads back as the value that was given, whatever strings it
// holds. Append is a pure function and safe for concurrent use; values must
// be those of jsonvalue and are not changed.
package yamltext
