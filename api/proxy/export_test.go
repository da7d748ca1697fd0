package proxy

// Climbs tells whether a path is refused.
func Climbs(path string) bool { return climbs(path) }

// Destination returns where an endpoint sends a path and query.
func Destination(e Endpoint, uri string) (string, error) {
	checked, err := newEndpoint(e)
	if err != nil {
		return "", err
	}
	u, err := checked.destination(uri)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}
