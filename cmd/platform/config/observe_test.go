package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

func TestObservability(t *testing.T) {
	s, err := read(t, `
backend:
  baseUrl: http://x
  health: {accessLog: yes}
  metrics: {listen: 9464}
  auditor: {file: /var/log/audit.log, fileSeverity: high, severityLogLevelMappings: {low: info, critical: error}}
  tracing: {endpoint: 'http://collector:4318', headers: {x-team: key}, sampleRatio: 0.25, capture: {endUser: true}}
`)
	require.NoError(t, err)
	require.True(t, s.Backend.LogHealth)
	require.Equal(t, ":9464", s.Backend.Metrics)
	require.Equal(t, config.Audit{File: "/var/log/audit.log", FileFrom: "high", Levels: map[string]string{"low": "info", "critical": "error"}}, s.Log.Audit)
	ratio := 0.25
	require.Equal(t, config.Tracing{Endpoint: "http://collector:4318", Headers: map[string]string{"x-team": "key"}, Ratio: &ratio, EndUser: true}, s.Tracing)

	s, err = read(t, minimal)
	require.NoError(t, err)
	require.False(t, s.Backend.LogHealth)
	require.Empty(t, s.Backend.Metrics)
	require.Equal(t, config.Audit{FileFrom: "low"}, s.Log.Audit)
	require.Equal(t, config.Tracing{}, s.Tracing)
}

func TestObservabilityFaults(t *testing.T) {
	for _, tc := range []struct{ text, says string }{
		{"tracing: {sampleRatio: 2}", "a share from 0 to 1"},
		{"tracing: {sampleRatio: often}", "backend.tracing.sampleRatio"},
		{"tracing: {headers: [a]}", "backend.tracing.headers"},
		{"logger: {overrides: [{level: warn}]}", "must name a field"},
		{"logger: {overrides: [{matchers: {a: b}}]}", "backend.logger.overrides[0].level"},
		{"logger: {overrides: [{matchers: {a: b}, level: loud}]}", "error, warn, info, debug"},
		{"logger: {overrides: [{matchers: {a: '/(/'}, level: warn}]}", "is not a pattern"},
		{"metrics: {listen: everywhere}", "is not a port"},
		{"auditor: {fileSeverity: loud}", "low, medium, high, critical"},
		{"auditor: {severityLogLevelMappings: {low: loud}}", "error, warn, info, debug"},
		{"auditor: {severityLogLevelMappings: {tiny: info}}", "low, medium, high, critical"},
		{"auditor: {file: [a]}", "backend.auditor.file"},
	} {
		_, err := read(t, "backend: {baseUrl: 'http://x', "+tc.text+"}")
		require.ErrorContains(t, err, tc.says, tc.text)
	}
}

func TestMatchers(t *testing.T) {
	s, err := read(t, "backend: {baseUrl: 'http://x', logger: {overrides: [{matchers: {a: 5, b: [x, '/^y/', true], c: '/api/', d: '/API/i', e: /}, level: WARN}]}}")
	require.NoError(t, err)
	require.Equal(t, "warn", s.Log.Overrides[0].Level)
	for name, values := range map[string]map[string]bool{
		"a": {"5": true, "55": false}, "b": {"x": true, "yes": true, "ay": false, "true": true, "": false},
		"c": {"/api/": true, "an api": true, "/API/": false}, "d": {"/api/x": true}, "e": {"/": true, "x": false},
	} {
		for value, want := range values {
			require.Equal(t, want, s.Log.Overrides[0].Matchers[name].Matches(value), "%s %s", name, value)
		}
	}
}
