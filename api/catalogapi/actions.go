package catalogapi

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// Refresh answers POST /refresh. The ref is lower-cased and looked up as it
// is: a short form names no entity.
func (a *API) Refresh(c *gin.Context) (any, error) {
	in, err := opRefresh.Read(c)
	if err != nil {
		return nil, err
	}
	ref := strings.ToLower(in.Body.String("entityRef"))
	audit.About(c.Request.Context(), slog.String("entityRef", ref))
	who := auth.PrincipalFrom(c.Request.Context())
	if token := in.Body.String("authorizationToken"); token != "" {
		if who, err = a.Authenticator.Authenticate(token, "catalog"); err != nil {
			return nil, err
		}
	}
	if err := a.requireOf(c, who, entityRefresh, ref); err != nil {
		return nil, err
	}
	if err := a.Engine.Refresh(c.Request.Context(), ref); err != nil {
		return nil, err
	}
	return wire.OK(), nil
}

// DeleteEntity answers DELETE /entities/by-uid/{uid}. That nothing has the uid
// is no error.
func (a *API) DeleteEntity(c *gin.Context) (any, error) {
	if _, err := opDeleteEntity.Read(c); err != nil {
		return nil, err
	}
	text, _ := wire.Param(c, "uid")
	if err := a.mayDelete(c, text); err != nil {
		return nil, err
	}
	uid, err := catalog.ParseUID(text)
	if err != nil {
		return wire.NoContent(), nil
	}
	if err := a.Engine.DeleteEntity(c.Request.Context(), uid); err != nil {
		return nil, err
	}
	return wire.NoContent(), nil
}

// ValidateEntity answers POST /validate-entity. What is wrong with the entity
// is not an error of the request: it has a form of its own.
func (a *API) ValidateEntity(c *gin.Context) (any, error) {
	in, err := opValidate.Read(c)
	if err != nil {
		return nil, err
	}
	if err := a.require(c, entityValidate, ""); err != nil {
		return nil, err
	}
	location := in.Body.String("location")
	l, err := catalog.ParseLocationRef(location)
	if err != nil {
		return invalid([]error{err}), nil
	}
	if l.Type != "url" {
		return invalid([]error{catalog.NewError(catalog.NameTypeError,
			"Invalid location ref "+location+", only 'url:<target>' is supported, e.g. url:https://host/path")}), nil
	}
	faults := a.Validator.Validate(c.Request.Context(), catalog.Entity{Object: in.Body.Object("entity")}, location)
	if err := c.Request.Context().Err(); err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return invalid(faults), nil
	}
	return wire.OK(), nil
}

func invalid(faults []error) any {
	list := make([]any, len(faults))
	for i, fault := range faults {
		list[i] = catalog.ErrorObject(fault)
	}
	return wire.Status{Code: http.StatusBadRequest, Body: wire.Obj("errors", list)}
}

// AnalyzeLocation answers POST /analyze-location: a proposal for a repository
// that has no descriptor yet.
func (a *API) AnalyzeLocation(c *gin.Context) (any, error) {
	in, err := opAnalyze.Read(c)
	if err != nil {
		return nil, err
	}
	audit.About(c.Request.Context(), slog.String("target", wire.LoggedURL(in.Body.Object("location").String("target"))))
	if err := a.require(c, locationAnalyze, ""); err != nil {
		return nil, err
	}
	target, err := url.Parse(in.Body.Object("location").String("target"))
	if err != nil || target.Scheme == "" || target.Host == "" {
		return nil, wire.InputError("The given location.target is not a URL")
	}
	owner, name := repositoryOf(target)
	metadata := wire.Obj("name", name)
	if prefix := slugPrefix(a.HostType(target)); prefix != "" {
		metadata.Set("annotations", wire.Obj(prefix+"/project-slug", owner+"/"+name))
	}
	entity := wire.Obj("apiVersion", "backstage.io/v1alpha1", "kind", "Component",
		"metadata", metadata, "spec", wire.Obj("type", "other", "lifecycle", "unknown"))
	return wire.Obj("existingEntityFiles", []any{},
		"generateEntities", []any{wire.Obj("entity", entity, "fields", []any{})}), nil
}

// slugPrefix returns the prefix of the annotation that names a repository. It
// goes by the type of host, whatever the host is called.
func slugPrefix(hostType string) string {
	switch hostType {
	case "github":
		return "github.com"
	case "gitlab":
		return "gitlab.com"
	case "azure":
		return "dev.azure.com"
	}
	return ""
}

// repositoryOf splits a URL of a repository, or of a file in one, into what
// owns the repository and its name.
func repositoryOf(u *url.URL) (owner, name string) {
	path := strings.Trim(u.Path, "/")
	for _, marker := range []string{"/-/", "/blob/", "/tree/", "/src/", "/raw/", "/edit/"} {
		path, _, _ = strings.Cut(path, marker)
	}
	path = strings.TrimSuffix(path, ".git")
	segments := strings.Split(path, "/")
	if i := len(segments) - 2; i >= 0 && segments[i] == "_git" { // Azure: org/project/_git/repository
		segments = append(segments[:i:i], segments[i+1])
	}
	last := len(segments) - 1
	return strings.Join(segments[:last], "/"), segments[last]
}
