package notifications

// ReadQuery reads the query string of a list.
func ReadQuery(raw string) (*Query, error) { return readQuery(raw, listParameters) }
