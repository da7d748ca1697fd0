package scaffolderapi

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
)

// refused turns values that do not fit into their answer, and leaves other
// errors alone.
func refused(err error) (any, error) {
	var p *scaffolder.ParameterError
	if errors.As(err, &p) {
		return faults(p), nil
	}
	return nil, err
}

// CreateTask answers POST /v2/tasks.
func (a *API) CreateTask(c *gin.Context) (any, error) {
	in, err := opCreate.Read(c)
	if err != nil {
		return nil, err
	}
	ref, err := catalog.ParseEntityRef(in.Body.String("templateRef"), "template", catalog.DefaultNamespace)
	if err != nil {
		return nil, wire.InputError(err.Error())
	}
	id, err := a.create(c.Request.Context(), order{ref, in.Body.Object("values"), textsOf(in.Body.Object("secrets")), actions.TokenOf(c.Request)})
	if err != nil {
		return refused(err)
	}
	return wire.Created(wire.Obj("id", id)), nil
}

// An order is what a task is made from, and the token of who asks for it.
type order struct {
	ref     catalog.EntityRef
	values  *jsonvalue.Object
	secrets map[string]string
	token   string
}

// create starts a task for the caller that the context knows.
func (a *API) create(ctx context.Context, o order) (string, error) {
	ref := o.ref
	audit.About(ctx, slog.String("templateRef", ref.String()))
	if err := a.require(ctx, taskCreate); err != nil {
		return "", err
	}
	submission, err := a.submission(ctx, o.values)
	if err != nil {
		return "", err
	}
	message := "Scaffolding task for " + ref.String()
	if submission.UserRef != "" {
		message += " created by " + submission.UserRef
	}
	a.Log.InfoContext(ctx, message)
	t, err := a.template(ctx, ref)
	if err != nil {
		return "", err
	}
	if err := t.CheckValues(o.values); err != nil {
		return "", err
	}
	if err := t.CheckSecrets(o.secrets); err != nil {
		return "", err
	}
	submission.TemplateRef, submission.BaseURL = ref.String(), t.BaseURL()
	id, err := a.Engine.Create(ctx, request(ctx, scaffolder.NewSpec(t, submission), withToken(o.token, o.secrets)))
	if err == nil {
		audit.About(ctx, slog.String("taskId", id))
	}
	return id, err
}

// submission returns who asks, and the values.
func (a *API) submission(ctx context.Context, values *jsonvalue.Object) (scaffolder.Submission, error) {
	s := scaffolder.Submission{Values: values}
	who := auth.PrincipalFrom(ctx)
	if who.Kind != auth.User {
		return s, nil
	}
	s.UserRef = who.Subject
	var err error
	s.User, _, err = a.Catalog.Lookup(ctx, who, who.Subject)
	return s, err
}

// request adds to a task who started it.
func request(ctx context.Context, spec scaffolder.Spec, secrets map[string]string) engine.Request {
	return engine.Request{Spec: spec, Secrets: secrets, Credentials: callerCredentials(ctx)}
}

// withToken adds the token with which the caller came to secrets.
func withToken(token string, secrets map[string]string) map[string]string {
	out := make(map[string]string, len(secrets)+1)
	for name, secret := range secrets {
		out[name] = secret
	}
	delete(out, "__initiatorCredentials") // these two names are not the caller's
	delete(out, "backstageToken")
	if token != "" {
		out["backstageToken"] = token
	}
	return out
}

func callerCredentials(ctx context.Context) string {
	return credentialsOf(auth.PrincipalFrom(ctx))
}

// ListTasks answers GET /v2/tasks.
func (a *API) ListTasks(c *gin.Context) (any, error) {
	in, err := opTasks.Read(c)
	if err != nil {
		return nil, err
	}
	q := engine.Query{CreatedBy: in.List("createdBy"), Limit: -1}
	for _, s := range in.List("status") {
		q.Status = append(q.Status, scaffolder.Status(s))
	}
	if q.Order, err = parseOrder(in.List("order")); err != nil {
		return nil, err
	}
	if n := in.Count("limit"); n != nil {
		q.Limit = *n
	}
	if n := in.Count("offset"); n != nil {
		q.Offset = *n
	}
	return a.list(c.Request.Context(), q)
}

func (a *API) list(ctx context.Context, q engine.Query) (any, error) {
	page, total, err := a.tasks(ctx, q)
	if err != nil {
		return nil, err
	}
	out := []byte(`{"tasks":[`)
	for i, t := range page {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendTask(out, t.Task, t.Spec)
	}
	out = append(out, `],"totalTasks":`...)
	return append(strconv.AppendInt(out, int64(total), 10), '}'), nil
}

// tasks returns those that the caller may read.
func (a *API) tasks(ctx context.Context, q engine.Query) (page []engine.Listed, total int, err error) {
	d, err := a.decide(ctx, taskRead)
	if err != nil {
		return nil, 0, err
	}
	var fault error
	switch d.Result {
	case permission.Deny:
		return nil, 0, errDenied
	case permission.Conditional:
		q.Visible = func(t scaffolder.Task) bool {
			ok, err := d.Meets(taskHolds(t))
			if err != nil {
				fault = err
			}
			return ok
		}
	}
	page, total, err = a.Engine.Tasks(q)
	return page, total, errors.Join(err, fault)
}

func parseOrder(list []string) ([]engine.Order, error) {
	var out []engine.Order
	for _, item := range list {
		direction, field, ok := strings.Cut(item, ":")
		if !ok || direction != "asc" && direction != "desc" {
			return nil, wire.InputError(`Invalid order parameter "` + item + `", expected "<asc or desc>:<field name>"`)
		}
		if !slices.Contains([]string{"created_at", "status", "created_by"}, field) {
			return nil, wire.InputError(`Invalid order field "` + field + `"`)
		}
		out = append(out, engine.Order{Field: field, Descending: direction == "desc"})
	}
	return out, nil
}

// appendTask writes a task as clients see it.
func appendTask(dst []byte, t scaffolder.Task, spec []byte) []byte {
	dst = jsonvalue.AppendString(append(dst, `{"id":`...), t.ID)
	dst = append(append(dst, `,"spec":`...), spec...)
	dst = jsonvalue.AppendString(append(dst, `,"status":`...), string(t.Status))
	dst = appendTime(append(dst, `,"createdAt":`...), t.CreatedAt)
	dst = append(dst, `,"lastHeartbeatAt":`...)
	if t.Heartbeat.IsZero() {
		dst = append(dst, "null"...)
	} else {
		dst = appendTime(dst, t.Heartbeat)
	}
	if t.CreatedBy != "" {
		dst = jsonvalue.AppendString(append(dst, `,"createdBy":`...), t.CreatedBy)
	}
	return append(dst, '}')
}

func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000Z"`)
}

// task returns the task of the path, if it is there. Whether the caller may
// know of it is not asked.
func (a *API) task(c *gin.Context) (scaffolder.Task, []byte, error) {
	id, _ := wire.Param(c, "taskId")
	return a.Engine.Task(id)
}

// readable returns the task of the path if the caller may read it.
func (a *API) readable(c *gin.Context) (scaffolder.Task, []byte, error) {
	t, spec, err := a.task(c)
	if err != nil {
		return t, nil, err
	}
	return t, spec, a.requireOf(c.Request.Context(), taskRead, t)
}

// GetTask answers GET /v2/tasks/{taskId}.
func (a *API) GetTask(c *gin.Context) (any, error) {
	if _, err := opTask.Read(c); err != nil {
		return nil, err
	}
	t, spec, err := a.readable(c)
	if err != nil {
		return nil, err
	}
	return appendTask(nil, t, spec), nil
}

// CancelTask answers POST /v2/tasks/{taskId}/cancel.
func (a *API) CancelTask(c *gin.Context) (any, error) {
	if _, err := opCancel.Read(c); err != nil {
		return nil, err
	}
	t, _, err := a.readable(c)
	if err != nil {
		return nil, err
	}
	if err := a.requireOf(c.Request.Context(), taskCancel, t); err != nil {
		return nil, err
	}
	if err := a.Engine.Cancel(c.Request.Context(), t.ID); err != nil {
		return nil, err
	}
	return wire.Obj("status", string(scaffolder.Cancelled)), nil
}

// RetryTask answers POST /v2/tasks/{taskId}/retry.
func (a *API) RetryTask(c *gin.Context) (any, error) {
	in, err := opRetry.Read(c)
	if err != nil {
		return nil, err
	}
	t, _, err := a.task(c)
	if err != nil {
		return nil, err
	}
	if err := a.require(c.Request.Context(), taskCreate); err != nil {
		return nil, err
	}
	if err := a.requireOf(c.Request.Context(), taskRead, t); err != nil {
		return nil, err
	}
	secrets := textsOf(in.Body.Object("secrets"))
	if err := a.mayRetry(c.Request.Context(), t, secrets); err != nil {
		return refused(err)
	}
	if err := a.Engine.Retry(c.Request.Context(), t.ID, request(c.Request.Context(), scaffolder.Spec{}, withToken(actions.TokenOf(c.Request), secrets))); err != nil {
		return nil, err
	}
	return wire.Created(wire.Obj("id", t.ID)), nil
}

// mayRetry asks the template, if it is known, whether the caller may run it and
// with these secrets.
func (a *API) mayRetry(ctx context.Context, t scaffolder.Task, secrets map[string]string) error {
	if t.TemplateRef == "" {
		return nil
	}
	ref, err := catalog.ParseEntityRef(t.TemplateRef, "template", catalog.DefaultNamespace)
	if err != nil {
		return wire.InputError(err.Error())
	}
	template, err := a.template(ctx, ref)
	if err != nil {
		return err
	}
	return template.CheckSecrets(secrets)
}

// DryRun answers POST /v2/dry-run.
func (a *API) DryRun(c *gin.Context) (any, error) {
	in, err := opDryRun.Read(c)
	if err != nil {
		return nil, err
	}
	result, err := a.dryRun(c.Request.Context(), in.Body, actions.TokenOf(c.Request))
	if err != nil {
		return refused(err)
	}
	return describeDryRun(result)
}

// dryRun runs a template without effects for the caller that the context knows.
func (a *API) dryRun(ctx context.Context, body *jsonvalue.Object, token string) (*engine.DryRunResult, error) {
	if err := a.require(ctx, taskCreate); err != nil {
		return nil, err
	}
	if err := a.require(ctx, templateDryRun); err != nil {
		return nil, err
	}
	d, err := a.dryRunOf(ctx, body, token)
	if err != nil {
		return nil, err
	}
	result, err := a.Engine.DryRun(ctx, *d)
	if err != nil {
		return nil, stepFault(err)
	}
	return result, nil
}

// dryRunOf checks what a dry-run was asked for.
func (a *API) dryRunOf(ctx context.Context, body *jsonvalue.Object, token string) (*engine.DryRun, error) {
	entity := body.Object("template")
	if entity.String("apiVersion") != scaffolder.APIVersion && entity.Has("apiVersion") ||
		!scaffolder.IsTemplateKind(entity.String("kind")) && entity.Has("kind") {
		return nil, wire.InputError("Input template is not a template")
	}
	if err := a.Validate(entity); err != nil {
		return nil, wire.InputError(err.Error())
	}
	t, err := scaffolder.NewTemplate(catalog.Entity{Object: entity})
	if err != nil {
		return nil, err
	}
	values, secrets := body.Object("values"), textsOf(body.Object("secrets"))
	if err := t.CheckValues(values); err != nil {
		return nil, err
	}
	if err := t.CheckSecrets(secrets); err != nil {
		return nil, err
	}
	d := &engine.DryRun{Template: t, Secrets: withToken(token, secrets), Credentials: callerCredentials(ctx)}
	if d.Submission, err = a.submission(ctx, values); err != nil {
		return nil, err
	}
	list, _ := body.Value("directoryContents").([]any)
	for _, item := range list {
		o, _ := item.(*jsonvalue.Object)
		f, err := engine.ParseDryRunFile(o)
		if err != nil {
			return nil, err
		}
		d.Files = append(d.Files, f)
	}
	return d, nil
}

// stepFault makes an error of a step, which the template is to blame for, one
// of the input unless it has a better name.
func stepFault(err error) error {
	var step *engine.StepError
	if !errors.As(err, &step) {
		return err
	}
	for _, known := range []error{catalog.ErrInput, catalog.ErrNotAllowed, catalog.ErrNotFound, catalog.ErrConflict, catalog.ErrUnavailable} {
		if errors.Is(step.Err, known) {
			return step.Err
		}
	}
	return wire.InputError(step.Err.Error())
}

func describeDryRun(r *engine.DryRunResult) (any, error) {
	log := make([]any, len(r.Log))
	for i, body := range r.Log {
		v, err := jsonvalue.Parse(body)
		if err != nil {
			return nil, err
		}
		log[i] = wire.Obj("body", v)
	}
	files := make([]any, len(r.Files))
	for i, f := range r.Files {
		files[i] = f.Object()
	}
	return wire.Obj("log", log, "directoryContents", files, "output", r.Output, "steps", r.Steps), nil
}
