package forgetest

// gitlabOrg is what a GitLab knows of its groups and users.
type gitlabOrg struct{}

// orgRoutes registers the operations on groups, users and lists of projects.
func (g *GitLab) orgRoutes() {}
