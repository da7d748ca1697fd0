package searchapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/search"
)

// A DocumentType is one type of what can be found.
type DocumentType struct {
	// Name is what clients call the type.
	Name  string
	Index *search.Index
	// Visibility is the permission to see a document, asked about the resource
	// that it names; nil: everybody may.
	Visibility *permission.Permission
}

// Permissions decide what callers may see; *permission.Engine does.
type Permissions interface {
	permission.Decider
	// Apply tells which resources of a type meet criteria.
	Apply(ctx context.Context, resourceType string, refs []string, c *permission.Criteria) ([]bool, error)
}

var _ Permissions = (*permission.Engine)(nil)

// Options are what an API needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Types in the order in which they are named in errors. Required.
	Types []DocumentType
	// Permissions are required.
	Permissions Permissions
	// MaxTermLength is the longest term, in UTF-16 code units; 0: 100.
	MaxTermLength int
	// MaxPageLimit is the largest page; 0: 100.
	MaxPageLimit int
	// FillWait is how long a query waits for an index that is being filled
	// after the start, before it answers from what is there; 0: 5 seconds.
	FillWait time.Duration
	// BasePath is the path of the mount in openapi.json; "": /api/search.
	BasePath string
}

const (
	defaultPageLimit     = 25
	defaultMaxTermLength = 100
	defaultMaxPageLimit  = 100
	defaultFillWait      = 5 * time.Second
)

// API answers for search.
type API struct {
	Options
	description *jsonvalue.Object
	// pre and post are around what is highlighted: tags that no text has, and
	// that differ from process to process, so that no document can bring its
	// own.
	pre, post string
}

// New checks the options.
func New(o Options) (*API, error) {
	if len(o.Types) == 0 || o.Permissions == nil {
		return nil, errors.New("search API needs types and permissions")
	}
	seen := map[string]bool{}
	for _, t := range o.Types {
		if t.Name == "" || t.Index == nil || seen[t.Name] {
			return nil, fmt.Errorf("search API: type %q needs a name of its own and an index", t.Name)
		}
		seen[t.Name] = true
	}
	if o.MaxTermLength == 0 {
		o.MaxTermLength = defaultMaxTermLength
	}
	if o.MaxPageLimit == 0 {
		o.MaxPageLimit = defaultMaxPageLimit
	}
	if o.FillWait == 0 {
		o.FillWait = defaultFillWait
	}
	if o.BasePath == "" {
		o.BasePath = "/api/search"
	}
	tag := uuid.NewString()
	return &API{
		Options: o, pre: "<" + tag + ">", post: "</" + tag + ">",
		description: operation.Describe("search", "Ranked full text over what the portal shows.", o.BasePath, []*operation.Operation{opQuery}),
	}, nil
}

// OpenAPI answers GET /openapi.json.
func (a *API) OpenAPI(*gin.Context) (any, error) { return a.description, nil }

// PermissionMetadata answers GET /.well-known/backstage/permissions/metadata:
// search owns no permissions.
func (a *API) PermissionMetadata(*gin.Context) (any, error) {
	return permission.Metadata(nil, nil), nil
}

// ApplyConditions answers POST /.well-known/backstage/permissions/apply-conditions:
// there are no resources here to apply any to.
func (a *API) ApplyConditions(c *gin.Context) (any, error) {
	return permission.AnswerConditions(c, "", nothing{})
}

// nothing applies conditions to resources that there are none of.
type nothing struct{}

// Apply tells that nothing is met.
func (nothing) Apply(_ context.Context, refs []string, _ *permission.Criteria) ([]bool, error) {
	return make([]bool, len(refs)), nil
}
