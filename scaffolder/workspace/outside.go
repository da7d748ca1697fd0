package workspace

// Outside turns the error of an os.Root for a path that leads out of it into
// NotAllowed, for folders that are read like a workspace but are none. Other
// errors are returned as they are.
func Outside(err error) error { return refuse(err) }
