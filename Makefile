# Every target runs on a fresh Debian machine with Go; `make test` fetches the
# rest (Java and Maven for Apache Kafka, Node for the API's description) when
# it can.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT)
ARGS    ?=
SEED    ?= 1
RUNS    ?= 1
PARALLEL ?= 1
FUZZTIME ?= 10m

.PHONY: help build demo test lint fmt console bench fuzz chaos servers java node browser

help: ## This list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

build: ## bin/waybill and bin/standardsim
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

demo: build ## The main job on embedded defaults; ARGS=--exit ends by itself
	./bin/waybill demo $(ARGS)

# The race detector lets each process that ends well sleep a second beforehand.
test: export GORACE = atexit_sleep_ms=0
test: java node browser ## Every test, with the race detector, against PostgreSQL and Apache Kafka
	go run ./deploy/local -setting fsync=off -setting full_page_writes=off -- go test -race -vet=off -timeout 40m ./... # lint vets; crashes of PostgreSQL have servers of their own
	go test ./commands/content # what measures time and memory, which the race detector takes itself

lint: node ## golangci-lint with the layer rules; the API's description by a linter, and against the one before; the console's files against their sources
	go tool -modfile=tools/go.mod golangci-lint run
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true tools/node_modules/.bin/redocly lint --extends=recommended contract/openapi.json
	cd adapters/rest/publish && go run . -check
	node console/web/build.mjs --check

console: node ## The console's files, from their sources
	node console/web/build.mjs

fmt: ## gofmt
	gofmt -w $$(git ls-files '*.go')

bench: java ## The figures, as ratios to a limit measured in the same run, by a PostgreSQL with memory
	go run ./deploy/local -setting shared_buffers=2GB -setting max_wal_size=16GB -- go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./bench/...

fuzz: ## Each fuzz target for FUZZTIME; what crashes one is kept in its testdata
	for package in ./commands/content ./commands/sheet; do \
	  for target in $$(go test -list '^Fuzz' $$package | grep ^Fuzz); do \
	    go test $$package -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x -parallel $(PARALLEL) || exit 1; \
	  done; \
	done

chaos: build java ## Faults from SEED on, RUNS times, PARALLEL at once: afterwards verify passes, figures and answers are those of an undisturbed run
	go run ./deploy/chaos -seed $(SEED) -runs $(RUNS) -parallel $(PARALLEL)

servers: java ## PostgreSQL and Apache Kafka for development, until interrupted
	go run ./deploy/local

java:
	@command -v java >/dev/null && command -v mvn >/dev/null || { \
	  [ "$$(id -u)" = 0 ] || { echo 'Apache Kafka needs Java 17 and Maven: apt-get install default-jre-headless maven' >&2; exit 1; }; \
	  apt-get update -qq && apt-get install -qq -y default-jre-headless maven >/dev/null; }

node: tools/node_modules/.package-lock.json console/web/node_modules/.package-lock.json

%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || { \
	  [ "$$(id -u)" = 0 ] || { echo 'the API'"'"'s description is checked, and the console built, with Node 20.19 or later and npm: apt-get install nodejs npm' >&2; exit 1; }; \
	  apt-get update -qq && apt-get install -qq -y nodejs npm >/dev/null; }
	npm ci --prefix $* --no-audit --no-fund
	@touch $@

browser:
	@command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q . || { \
	  [ "$$(id -u)" = 0 ] || { echo 'the console is tested in Chromium, with a Chinese font: apt-get install chromium fonts-noto-cjk' >&2; exit 1; }; \
	  apt-get update -qq && apt-get install -qq -y chromium fonts-noto-cjk >/dev/null; }
