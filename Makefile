# Everything here needs Go and make, and nothing else but what is said beside it.
# shared/ stands for the folder of conformance cases beside this checkout.

SHARED    ?= ../shared
VERSION   ?= dev
FUZZTIME  ?= 20s
BENCH     ?= .
BENCHTIME ?= 1s
ENTITIES  ?= 10000
# The built frontend that make release puts into the binary.
PORTAL_DIST ?= portal/dist

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(shell command -v gcc >/dev/null 2>&1 && [ "$$(go env CGO_ENABLED)" = 1 ] && echo -race)

STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build portal run release test lint bench bench-served fuzz conformance e2e demo-git demo-publish descriptions node-interop

build: ## bin/platform
	go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/platform ./cmd/platform

release: ## dist/platform, one file with the portal of PORTAL_DIST in it
	go run ./cmd/packportal '$(PORTAL_DIST)' cmd/platform/portal.zip
	go build -tags portal -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o dist/platform ./cmd/platform
	@ls -l dist/platform

portal: ## portal/dist, the stock frontend of Backstage (needs Node or curl, and an npm registry)
	./portal/build

run: build ## the sample catalog on http://localhost:7007, with guest sign-in
	./bin/platform serve --config testdata/configs/sample.yaml --data data

test: ## all Go tests
	go test $(RACE) -timeout 20m ./...

lint: ## formatting, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(find . -name '*.go' -not -path '*/node_modules/*')); \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(STATICCHECK) ./...

bench: ## Go benchmarks; BENCH=regexp picks some
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

bench-served: build ## the built binary with ENTITIES entities, measured over HTTP (needs shared/)
	SHARED='$(SHARED)' ENTITIES=$(ENTITIES) ./.ci/bench

descriptions: ## what hosts publish of their APIs, which tests hold requests against (needs npm and its registry)
	./ingest/forgetest/openapi/fetch

fuzz: ## each fuzz target for FUZZTIME
	FUZZTIME=$(FUZZTIME) ./.ci/fuzz

conformance: build ## the recorded scenarios against the built binary (needs shared/)
	SHARED='$(SHARED)' ./.ci/conformance

demo-git: build ## push to doubles of GitHub and GitLab, and see how soon the catalog knows
	go run ./ingest/forgetest/cmd/demogit --platform bin/platform

demo-publish: build ## a task publishes to a double of GitHub; git clone and curl read it back
	go run ./ingest/forgetest/cmd/demopublish --platform bin/platform

node-interop: ## a Node backend made of the packages of Backstage calls the platform and is called by it (needs Node and an npm registry)
	NODE_INTEROP=1 go test -count=1 -run TestNodeBackend -v ./cmd/platform

e2e: build portal ## a walk through the portal with Chromium, which is installed where apt is; E2E_PORT, E2E_ONLY
	./portal/e2e/run
