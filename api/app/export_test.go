package app

// Name returns the name of the file that a path means.
func Name(publicPath, path string) (string, bool) {
	s := &Site{Options: Options{PublicPath: publicPath}}
	return s.name(path)
}

// Inject puts a configuration into a page.
func Inject(page string, config []byte) (string, error) { return inject(page, config) }
