package api_test

import (
	"testing"

	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/stretchr/testify/require"
)

// Where no cluster is configured, the reference has no routes for Kubernetes:
// the tab of the frontend takes the empty 404 for "nothing here".
func TestKubernetesIsNotThere(t *testing.T) {
	s := wholePortal(t, nil)
	for _, r := range [][2]string{
		{"GET", "/api/kubernetes/clusters"}, {"POST", "/api/kubernetes/services/x"}, {"POST", "/api/kubernetes/resources/workloads/query"},
		{"GET", "/api/kubernetes/proxy/x"}, {"GET", "/api/kubernetes/.backstage/auth/v1/cookie"}, {"GET", "/api/kubernetes"},
	} {
		for _, option := range []apitest.RequestOption{apitest.Anonymous, apitest.As(s.Token)} {
			res := s.Do(r[0], r[1], "", option)
			require.Equal(t, 404, res.Status, r)
			require.Empty(t, res.Text())
			require.Empty(t, res.Header.Get("Content-Type"))
		}
	}
}
