package searchapi_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// BenchmarkQuery asks over HTTP, everything that is found and what a condition
// leaves of it.
func BenchmarkQuery(b *testing.B) {
	owned := permission.Decision{Result: permission.Conditional, Criteria: &permission.Criteria{Rule: &permission.Rule{
		Name: "IS_ENTITY_OWNER", ResourceType: entityType, Params: wire.Obj("claims", []any{"group:default/shop"})}}}
	for _, n := range []int{1_000, 10_000, 100_000} {
		s := newServer(b, nil, someEntities(b, rand.New(rand.NewPCG(1, 1)), n)...)
		for _, under := range []string{"no condition", "a condition"} {
			s.policy.decide = nil
			if under == "a condition" {
				s.policy.decide = func(permission.Permission) (permission.Decision, error) { return owned, nil }
			}
			for _, term := range []string{"", "booking"} {
				b.Run(fmt.Sprintf("%d/%s/%q", n, under, term), func(b *testing.B) {
					r := httptest.NewRequest("GET", "/api/search/query?term="+term, nil)
					r.Header.Set("Authorization", "Bearer "+s.token)
					b.ReportAllocs()
					for b.Loop() {
						w := httptest.NewRecorder()
						s.ServeHTTP(w, r)
						require.Equal(b, 200, w.Code)
					}
				})
			}
		}
	}
}
