package catalogapi

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/permission"
)

// PermissionMetadata answers GET /.well-known/backstage/permissions/metadata.
func (a *API) PermissionMetadata(*gin.Context) (any, error) {
	return permission.Metadata(published(), ruleSpecs()), nil
}

// ApplyConditions answers POST /.well-known/backstage/permissions/apply-conditions
// for services: which of some entities meet conditions.
func (a *API) ApplyConditions(c *gin.Context) (any, error) {
	return permission.AnswerConditions(c, EntityType, a)
}

// Apply tells which entities meet criteria; see permission.Applier.
func (a *API) Apply(ctx context.Context, refs []string, c *permission.Criteria) ([]bool, error) {
	predicate, err := predicateOf(c, true) // owners are compared with their case here, unlike in lists
	if err != nil {
		return nil, err
	}
	return a.Reader.Matching(ctx, refs, predicate)
}

var _ permission.Applier = (*API)(nil)
