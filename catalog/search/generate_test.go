package search

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Words of a company that rents things out, for made-up catalogs.
var (
	things = strings.Fields(`account address alert analytics asset audit availability basket billing booking branch budget
		calendar campaign capacity card cart catalog channel checkout claim cluster comment contract coupon courier credit
		currency customer dashboard delivery deposit discount dispatch document driver email estimate event exchange export
		feature feed fleet forecast fraud fulfilment garage gateway geocode guest holiday identity image import incident
		insurance inventory invoice journey ledger license location login loyalty mailbox maintenance market media member
		message metric mobile newsletter notification offer onboarding order parcel partner passport payment payout payroll
		permission picture planner policy portal pricing privacy product profile promotion provider purchase quality quota
		quote rating receipt recommendation refund region registry rental report reservation return review reward route
		salary schedule search sensor session settlement shipment signup stock storage subscription supplier support survey
		tariff tax telemetry tenant ticket timeline tracking traffic transfer translation trip upload usage vehicle vendor
		voucher wallet warehouse warranty weather webhook workshop`)
	roles  = strings.Fields(`api service worker gateway frontend ui library store sync exporter importer scheduler proxy engine bot`)
	verbs  = strings.Fields(`keeps collects calculates sends receives validates publishes archives renders schedules imports monitors synchronises forwards stores`)
	fields = strings.Fields(`mobile web internal legacy regional batch realtime public shared central`)
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// entityOf makes up the n-th entity.
func entityOf(r *rand.Rand, n int) catalog.Entity {
	a, b, role := pick(r, things), pick(r, things), pick(r, roles)
	name := a + "-" + role
	if r.IntN(2) == 0 {
		name = a + "-" + b + "-" + role
	}
	if n >= len(things)*len(roles)/4 {
		name = fmt.Sprintf("%s-%d", name, n)
	}
	kind := []string{"Component", "Component", "Component", "Component", "API", "System", "Resource", "Group", "User"}[r.IntN(9)]
	meta := jsonvalue.NewObject(
		jsonvalue.Member{Key: "name", Value: name},
		jsonvalue.Member{Key: "description", Value: fmt.Sprintf("The %s %s that %s every %s of the %s, and %s the %s for %s clients.",
			a, role, pick(r, verbs), pick(r, things), pick(r, things), pick(r, verbs), pick(r, things), pick(r, fields))},
	)
	if r.IntN(3) == 0 {
		meta.Set("title", strings.ToUpper(a[:1])+a[1:]+" "+strings.ToUpper(b[:1])+b[1:])
	}
	spec := jsonvalue.NewObject(
		jsonvalue.Member{Key: "type", Value: []string{"service", "website", "library"}[r.IntN(3)]},
		jsonvalue.Member{Key: "lifecycle", Value: []string{"production", "experimental", "deprecated"}[r.IntN(3)]},
		jsonvalue.Member{Key: "owner", Value: "group:default/team-" + pick(r, things)},
	)
	return catalog.Entity{Object: jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: "backstage.io/v1alpha1"},
		jsonvalue.Member{Key: "kind", Value: kind},
		jsonvalue.Member{Key: "metadata", Value: meta},
		jsonvalue.Member{Key: "spec", Value: spec},
	)}
}

// documentsOf makes up n documents.
func documentsOf(n int) []Document {
	r := rand.New(rand.NewPCG(7, 7))
	out := make([]Document, n)
	for i := range out {
		out[i] = FromEntity(entityOf(r, i), DefaultLocation)
	}
	return out
}
