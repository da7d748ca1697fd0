package actions

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// List answers GET /.backstage/actions/v1/actions of a plugin.
func (r *Registry) List(plugin string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		who, err := r.o.Authenticator.Identify(c.Request, plugin)
		if err != nil {
			return nil, err
		}
		list := []any{}
		there, err := r.those(c.Request.Context(), who, func(a *Action) bool { return a.Plugin == plugin })
		for _, a := range there {
			list = append(list, a.object())
		}
		return wire.Obj("actions", list), err
	}
}

// Status answers GET /.backstage/actions/v1/status of a plugin, for services.
func (r *Registry) Status(plugin string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		who, err := r.o.Authenticator.Identify(c.Request, plugin)
		if err != nil {
			return nil, err
		}
		return wire.Obj("hasActions", true), who.NeedService()
	}
}

func (a *Action) object() *jsonvalue.Object {
	return wire.Obj("id", a.ID(), "name", a.Name, "title", a.Title, "description", a.Description, "pluginId", a.Plugin,
		"attributes", wire.Obj("destructive", a.Destructive, "idempotent", a.Idempotent, "readOnly", a.ReadOnly),
		"schema", wire.Obj("input", a.Input, "output", a.Output))
}

// Handler answers POST /.backstage/actions/v1/actions/:id/invoke of a plugin,
// whose body is the input, and with wrapped that of v2, whose body holds it.
func (r *Registry) Handler(plugin string, wrapped bool) wire.Handler {
	return func(c *gin.Context) (any, error) {
		who, err := r.o.Authenticator.Identify(c.Request, plugin)
		if err != nil {
			return nil, err
		}
		id, ok := wire.Param(c, "id")
		if !ok {
			return nil, wire.MalformedPath()
		}
		if !strings.HasPrefix(id, plugin+":") {
			return nil, noAction(id)
		}
		input, err := readInput(c.Request, id, wrapped)
		if err != nil {
			return nil, err
		}
		output, err := r.Invoke(c.Request.Context(), Caller{Principal: who, Token: TokenOf(c.Request)}, id, input)
		if err != nil {
			return nil, err
		}
		return append(append([]byte(`{"output":`), output...), '}'), nil
	}
}

func readInput(r *http.Request, id string, wrapped bool) (any, error) {
	body, ok, err := wire.ReadJSON(r, wire.BodyLimit)
	if err != nil {
		return nil, err
	}
	if !ok {
		body = jsonvalue.NewObject()
	}
	if !wrapped {
		return body, nil
	}
	o, _ := body.(*jsonvalue.Object)
	if o.Value("secrets") != nil {
		return nil, wire.InputError(`Action "` + id + `" does not accept secrets`)
	}
	return o.Value("input"), nil
}

// TokenOf returns the bearer token of a request, "" if it has none.
func TokenOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
