package mcpactions

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/audit"
)

// A Server is what a client connects to.
type Server struct {
	// Key is the last segment of its path below /v1, "" for /v1 itself.
	Key string
	// Name, Description and Instructions are told to clients. Name is required.
	Name, Description, Instructions string
	// Filter chooses the actions that are its tools; zero: all.
	Filter actions.Filter
}

// Options are what a Service needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Actions are what tools are made of. Required.
	Actions *actions.Registry
	// Servers, of different keys. At least one.
	Servers []Server
	// PlainNames leaves the plugin out of the names of tools; false: they are
	// <plugin>.<action>.
	PlainNames bool
	// SimpleNames writes names with letters, digits and underscores alone, as
	// catalog_get_catalog_entity, for clients whose models take no others; false:
	// as they are. Either spelling is understood.
	SimpleNames bool
	// Version of the program, as clients are told it; "": unknown.
	Version string
	// Origins are glob patterns of the origins whose pages may call; nil: none.
	// Programs that are no browsers send no origin.
	Origins []string
	// Log takes faults; nil: they are lost.
	Log *slog.Logger
	// Auditor writes who lists and calls tools; nil: nobody does.
	Auditor *audit.Auditor
	// Registerer gets the metrics; nil: they are lost.
	Registerer prometheus.Registerer
}

// A Service answers for the MCP servers.
type Service struct {
	o       Options
	servers map[string]*Server
	handler *mcp.StreamableHTTPHandler
	took    *prometheus.HistogramVec
}

// New checks the options.
func New(o Options) (*Service, error) {
	if o.Actions == nil || len(o.Servers) == 0 {
		return nil, errors.New("MCP needs actions and a server")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "unknown"
	}
	s := &Service{o: o, servers: map[string]*Server{}, took: newMetrics()}
	if o.Registerer != nil {
		if err := o.Registerer.Register(s.took); err != nil {
			return nil, fmt.Errorf("register metrics of MCP: %w", err)
		}
	}
	for i := range o.Servers {
		server := &o.Servers[i]
		if server.Name == "" || s.servers[server.Key] != nil {
			return nil, fmt.Errorf("MCP server %q needs a name and a key of its own", server.Key)
		}
		s.servers[server.Key] = server
	}
	s.o.Origins = nil
	for _, p := range o.Origins {
		if !doublestar.ValidatePattern(p) {
			return nil, fmt.Errorf("%q is not a pattern of origins", p)
		}
		for strings.Contains(p, "**") { // which would cross slashes
			p = strings.ReplaceAll(p, "**", "*")
		}
		s.o.Origins = append(s.o.Origins, strings.ToLower(p))
	}
	s.handler = mcp.NewStreamableHTTPHandler(serverOf, &mcp.StreamableHTTPOptions{
		Stateless: true, MaxRequestBodyBytes: maxBody,
		// The Host that a proxy on this machine passes on is not a local one.
		// What a rebound name lets a page send has an origin, and that is checked.
		DisableLocalhostProtection: true,
	})
	return s, nil
}

// Paths returns the paths of the servers, from the mount of the plugin, by
// their keys.
func (s *Service) Paths() map[string]string {
	out := map[string]string{}
	for key := range s.servers {
		out[key] = pathOf(key)
	}
	return out
}

func pathOf(key string) string { return strings.TrimSuffix("/v1/"+key, "/") }

// fromAllowed tells whether a request comes from no page, or from one of an
// origin that may call. Null, which any page can make itself have, may not.
func (s *Service) fromAllowed(origin string) bool {
	if origin == "" {
		return true
	}
	origin = strings.ToLower(origin)
	for _, p := range s.o.Origins {
		if origin != "null" && (p == origin || doublestar.MatchUnvalidated(p, origin)) {
			return true
		}
	}
	return false
}

func newMetrics() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "mcp_server_operation_duration_seconds",
		Help:    "Duration of requests of the Model Context Protocol, by method, tool and kind of error.",
		Buckets: []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60},
	}, []string{"mcp_method_name", "gen_ai_tool_name", "error_type"})
}
