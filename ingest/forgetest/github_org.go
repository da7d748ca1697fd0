package forgetest

// githubOrg is what a GitHub knows of its organisations, users and teams.
type githubOrg struct{}

// orgRoutes registers the operations on organisations: GraphQL, users, teams.
func (g *GitHub) orgRoutes() {}

// isUser tells whether the owner of repositories is a user.
func (g *GitHub) isUser(string) bool { return false }
