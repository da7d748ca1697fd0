package catalogapi

import "github.com/greenroom-idp/greenroom/api/permission"

// EntityType is the resource type of entities.
const EntityType = "catalog-entity"

// The permissions of the catalog.
var (
	entityRead     = permission.Permission{Plugin: "catalog", Name: "catalog.entity.read", Action: "read", ResourceType: EntityType}
	entityCreate   = permission.Permission{Plugin: "catalog", Name: "catalog.entity.create", Action: "create"}
	entityDelete   = permission.Permission{Plugin: "catalog", Name: "catalog.entity.delete", Action: "delete", ResourceType: EntityType}
	entityRefresh  = permission.Permission{Plugin: "catalog", Name: "catalog.entity.refresh", Action: "update", ResourceType: EntityType}
	entityValidate = permission.Permission{Plugin: "catalog", Name: "catalog.entity.validate"}

	locationRead    = permission.Permission{Plugin: "catalog", Name: "catalog.location.read", Action: "read"}
	locationCreate  = permission.Permission{Plugin: "catalog", Name: "catalog.location.create", Action: "create"}
	locationDelete  = permission.Permission{Plugin: "catalog", Name: "catalog.location.delete", Action: "delete"}
	locationAnalyze = permission.Permission{Plugin: "catalog", Name: "catalog.location.analyze"}

	ingestionRead   = permission.Permission{Plugin: "catalog", Name: "catalog.ingestion.read", Action: "read"}
	ingestionManage = permission.Permission{Plugin: "catalog", Name: "catalog.ingestion.manage", Action: "update"}

	unprocessedRead   = permission.Permission{Plugin: "catalog", Name: "catalog.entities.unprocessed.read", Action: "read"}
	unprocessedDelete = permission.Permission{Plugin: "catalog", Name: "catalog.entities.unprocessed.delete", Action: "delete"}
)

// published are the permissions that the metadata route lists, in its order.
func published() []permission.Permission {
	return []permission.Permission{entityRead, entityCreate, entityDelete, entityRefresh, entityValidate,
		locationRead, locationCreate, locationDelete, locationAnalyze, ingestionRead, ingestionManage}
}

// EntityRead is the permission to read entities, for others who show what is
// in them.
func EntityRead() permission.Permission { return entityRead }

// Permissions are all permissions of the catalog.
func Permissions() []permission.Permission {
	return append(published(), unprocessedRead, unprocessedDelete)
}
