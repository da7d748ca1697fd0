package nunjucks

// normalize is String.prototype.normalize for text that it leaves alone.
func normalize(s, form string) (Value, error) {
	if isASCII(s) {
		return str(s), nil
	}
	return undefined, throw("normalize to %s is only possible for ASCII", form)
}
