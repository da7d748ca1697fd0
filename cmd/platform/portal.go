package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/app"
	"github.com/greenroom-idp/greenroom/api/app/boltassets"
	"github.com/greenroom-idp/greenroom/api/app/bundle"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/notifications"
	"github.com/greenroom-idp/greenroom/api/notifications/boltnotices"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/proxy"
	"github.com/greenroom-idp/greenroom/api/ratelimit"
	"github.com/greenroom-idp/greenroom/api/schedule"
	"github.com/greenroom-idp/greenroom/api/signals"
	"github.com/greenroom-idp/greenroom/api/usersettings"
	"github.com/greenroom-idp/greenroom/api/usersettings/boltsettings"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/view"
)

// A portal holds the small plugins of the portal, and what they need to run.
type portal struct {
	plugins api.Portal
	limits  api.Limits

	folder  *app.Folder // of the frontend, nil if there is none
	stop    context.CancelFunc
	running sync.WaitGroup
}

// openPortal builds the small plugins on top of the store and the catalog, and
// begins with what they do on their own. It is called by openAPI, once there
// is an authority.
func (p *platform) openPortal(authority *auth.Authority, decider permission.Decider) (err error) {
	o := &portal{stop: func() {}}
	p.portal = o // what is open is closed with the platform, whatever comes
	for _, part := range []func() error{
		func() error { return o.openTasks(p) },
		func() error { return o.openActions(p, authority, decider) },
		func() error { return o.openOAuth(p, authority) },
		func() error { return o.openSignals(p, authority) },
		func() error { return o.openSettings(p) },
		func() error { return o.openNotifications(p) },
		func() error { return o.openProxy(p) },
		func() error { return o.openApp(p) },
		func() error { return o.openLimits(p) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return o.start(p)
}

// start runs what goes on by itself until Close.
func (o *portal) start(p *platform) error {
	ctx, cancel := context.WithCancel(context.Background())
	o.stop = cancel
	o.running.Go(func() { o.plugins.Tasks.Run(ctx) })
	if o.plugins.App == nil || p.settings.Portal.ForgetStatic || p.settings.Database.Memory {
		return nil
	}
	shelf, build := o.plugins.App.Shelf.(*boltassets.Shelf), o.plugins.App.Build
	o.running.Go(func() {
		if err := shelf.Keep(ctx, build, time.Now()); err != nil && ctx.Err() == nil {
			p.log.Warn("static files of the portal are not kept for browsers that still use this build", slog.Any("error", err))
		}
	})
	return nil
}

// Close ends what goes on by itself. It may be called for a portal that is not
// whole, and for nil.
func (o *portal) Close() error {
	if o == nil {
		return nil
	}
	if o.plugins.Signals != nil {
		o.plugins.Signals.Close()
	}
	o.stop()
	o.running.Wait()
	if o.folder != nil {
		return o.folder.Close()
	}
	return nil
}

func (o *portal) openTasks(p *platform) (err error) {
	o.plugins.Tasks, err = schedule.New(p.log, p.registry)
	return err
}

// people answers about users from the catalog and from their last sign-in.
type people struct {
	entities
	keys auth.Store
}

// Ownership returns what a user was found to own at the last sign-in.
func (p people) Ownership(ctx context.Context, user string) ([]string, error) {
	info, _, err := p.keys.User(ctx, user)
	return info.Ownership, err
}

// anonymous is whom the reference takes a peer without a token for.
const anonymous = "user:default/guest"

func (o *portal) openSignals(p *platform, authority *auth.Authority) (err error) {
	s := p.settings
	options := signals.Options{
		Authenticator: authority, Registerer: p.registry, Logger: p.log,
		Ownership: people{entities{p.view}, p.keys}.Ownership,
	}
	if g := authOptions(s, nil, nil).Guest; g != nil && g.Allowed {
		options.Anonymous = []string{anonymous} // which anybody may sign in as
	}
	options.Origins = portalOrigins(s)
	o.plugins.Signals, err = signals.New(options)
	return err
}

func (o *portal) openSettings(p *platform) error {
	store, err := boltsettings.Open(p.db)
	if err != nil {
		return err
	}
	o.plugins.UserSettings = usersettings.New(store, o.plugins.Signals)
	return nil
}

func (o *portal) openNotifications(p *platform) error {
	store, err := boltnotices.Open(p.db)
	if err != nil {
		return err
	}
	s := p.settings.Portal
	defaults, err := notifications.ParseSettings(s.Notifications.Defaults)
	if err != nil {
		return fmt.Errorf("configuration: config key 'notifications.defaultSettings': %w", err)
	}
	o.plugins.Notifications, err = notifications.New(notifications.Options{
		Store: store, Catalog: entities{p.view}, Signals: o.plugins.Signals, PortalURL: s.BaseURL,
		Defaults: defaults, Retention: s.Notifications.Retention, Logger: p.log,
	})
	if err != nil || s.Notifications.Retention < 0 {
		return err
	}
	return o.plugins.Tasks.Add(schedule.Task{
		Plugin: "notifications", ID: "notification-cleaner", Every: 24 * time.Hour, Delay: time.Hour,
		Run: o.plugins.Notifications.Clean,
	})
}

func (o *portal) openProxy(p *platform) (err error) {
	s := p.settings
	options := proxy.Options{
		SkipInvalid: s.Portal.Proxy.SkipInvalid, OpenPolicy: s.Auth.DisableDefaultPolicy, Outbound: http.ProxyFromEnvironment,
		Registerer: p.registry, Logger: p.log,
	}
	if p.observed.tracing != nil {
		options.Propagate = api.Propagate
	}
	for _, e := range s.Portal.Proxy.Endpoints {
		endpoint := proxy.Endpoint{
			Route: e.Route, Target: e.Target, KeepHost: e.KeepHost, Headers: e.Headers, Methods: e.Methods,
			AllowedHeaders: e.AllowedHeaders, Credentials: e.Credentials, SkipVerify: e.SkipVerify, Timeout: e.Timeout,
		}
		if e.Rewrites != nil {
			endpoint.Rewrites = []proxy.Rewrite{}
		}
		for _, r := range e.Rewrites {
			endpoint.Rewrites = append(endpoint.Rewrites, proxy.Rewrite(r))
		}
		options.Endpoints = append(options.Endpoints, endpoint)
	}
	if o.plugins.Proxy, err = proxy.New(options); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

// openApp finds the frontend. That there is none is no fault: then a page says
// how to get one.
func (o *portal) openApp(p *platform) error {
	s := p.settings
	o.plugins.Welcome = app.Welcome{Title: s.Title, Version: versionText()}
	build, from, err := o.findBuild(s.Portal.Dist, portalBundle)
	if err != nil || build == nil {
		return err
	}
	config, err := json.Marshal([]any{map[string]any{"context": "app", "deprecatedKeys": []any{}, "data": s.Portal.Frontend}})
	if err != nil {
		return fmt.Errorf("encode the configuration of the portal: %w", err)
	}
	options := app.Options{Build: build, Config: config, Title: s.Title, Logger: p.log}
	if u, err := url.Parse(s.Portal.BaseURL); err == nil {
		options.PublicPath = strings.TrimRight(u.Path, "/")
	}
	if !s.Portal.ForgetStatic {
		if options.Shelf, err = boltassets.Open(p.db); err != nil {
			return err
		}
	}
	if o.plugins.App, err = app.New(options); err != nil {
		return fmt.Errorf("the portal in %s cannot be served: %w", from, err)
	}
	p.log.Info("portal", slog.String("from", from))
	return nil
}

// findBuild returns the frontend of app.dist, or else the one that is embedded
// in the binary, or else one beside it; nil if there is none.
func (o *portal) findBuild(dist string, embedded []byte) (build app.Build, from string, err error) {
	if dist == "" && embedded != nil {
		b, err := bundle.Open(embedded)
		if err != nil {
			return nil, "", fmt.Errorf("the portal in the binary: %w", err)
		}
		return app.Bundled(b), "the binary", nil
	}
	if dist == "" {
		dist = besideBinary()
	}
	if dist == "" {
		return nil, "", nil
	}
	if o.folder, err = app.OpenFolder(dist); err != nil {
		return nil, "", fmt.Errorf("app.dist: %w: build the frontend, or leave the key out", err)
	}
	return o.folder, dist, nil
}

// besideBinary returns the folder of a built frontend where a release or a
// checkout has it, "" if there is none.
func besideBinary() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	dir := filepath.Dir(self)
	for _, candidate := range []string{"dist", "portal/dist", "../portal/dist"} {
		candidate = filepath.Join(dir, candidate)
		for _, page := range []string{"index.html.tmpl", "index.html"} {
			if _, err := os.Stat(filepath.Join(candidate, page)); err == nil {
				return candidate
			}
		}
	}
	return ""
}

func (o *portal) openLimits(p *platform) (err error) {
	l := p.settings.Portal.RateLimit
	if l.Global != nil {
		o.limits.Global = ratelimit.New(ratelimit.Rule(*l.Global), nil)
	}
	for id, rule := range l.Plugins {
		if o.limits.Plugins == nil {
			o.limits.Plugins = map[string]*ratelimit.Limiter{}
		}
		o.limits.Plugins[id] = ratelimit.New(ratelimit.Rule(*rule), nil)
	}
	switch t := l.TrustProxy; {
	case t.All:
		o.limits.Trust = ratelimit.TrustAll()
	case t.Hops > 0:
		o.limits.Trust = ratelimit.TrustHops(t.Hops)
	case t.Networks != nil:
		if o.limits.Trust, err = ratelimit.TrustNetworks(t.Networks); err != nil {
			return fmt.Errorf("configuration: config key 'backend.trustProxy': %w", err)
		}
	}
	return nil
}

// entities answers notifications and actions from a view.
type entities struct{ view *view.View }

var _ notifications.Catalog = entities{}

// Entity returns an entity as JSON, nil if there is none.
func (e entities) Entity(ctx context.Context, ref string) (json.RawMessage, error) {
	page, err := e.view.ByRef(ctx, strings.ToLower(ref), nil)
	if err != nil || page.Body == nil {
		return nil, err
	}
	body := bytes.Clone(page.Body)
	if page.Release != nil {
		page.Release()
	}
	return body, nil
}

// Relations returns the relations of an entity.
func (e entities) Relations(ctx context.Context, ref string) ([]catalog.Relation, error) {
	body, err := e.Entity(ctx, ref)
	if err != nil || body == nil {
		return nil, err
	}
	entity, err := jsonvalue.ParseObject(body)
	if err != nil {
		return nil, fmt.Errorf("stored form of %s: %w", ref, err)
	}
	list, _ := entity.Value("relations").([]any)
	var out []catalog.Relation
	for _, v := range list {
		if r, ok := v.(*jsonvalue.Object); ok {
			out = append(out, catalog.Relation{Source: ref, Type: r.String("type"), Target: r.String("targetRef")})
		}
	}
	return out, nil
}
