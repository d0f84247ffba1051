# What a newcomer types: "make run" to see mail flow, "make test" to check a
# change. Everything else is a part of these two.

GO   ?= go
TOOL := CGO_ENABLED=0 $(GO) tool -modfile=tools.mod

# How long "make fuzz" stays at each target, and arguments for "make bench"
# and "make conformance".
FUZZTIME ?= 20s
ARGS     ?=

.PHONY: help run build explainer test deps check-format fmt vet staticcheck lint fuzz docs bench conformance clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start a relay with a built-in inbox: mail to 127.0.0.1:1025, page on http://127.0.0.1:8025
	CGO_ENABLED=0 $(GO) run ./cmd/weir serve --dev $(ARGS)

build: explainer ## build bin/weir, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/weir ./cmd/weir

explainer: ## build the explainer for browsers, which "weir codes export" writes into its site
	CGO_ENABLED=0 GOOS=js GOARCH=wasm $(GO) build -trimpath -ldflags='-s -w' -o internal/codes/built/explain.wasm ./internal/codes/wasm
	gzip -9nf internal/codes/built/explain.wasm
	cp "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" internal/codes/built/wasm_exec.js
	chmod u+w internal/codes/built/wasm_exec.js

test: deps lint explainer ## run everything that has to pass, with the race detector
	scripts/test-all

deps: ## install the Debian packages that the tests need
	scripts/test-deps

lint: check-format vet staticcheck ## check the form of the code

check-format:
	@unformatted=$$($(TOOL) gofumpt -l .); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi

vet:
	CGO_ENABLED=0 $(GO) vet ./...

staticcheck:
	$(TOOL) staticcheck ./...

fmt: ## format the code
	$(TOOL) gofumpt -w .

fuzz: ## try every parser with made-up input, FUZZTIME at each
	scripts/fuzz-all $(FUZZTIME)

docs: ## write docs/configuration.md and docs/replies.md anew, from the code
	CGO_ENABLED=0 $(GO) test ./internal/config -run '^TestReferenceIsWhatWasLookedAt$$' -update
	CGO_ENABLED=0 $(GO) test ./internal/inbound -run '^TestTheReferenceIsUpToDate$$' -update

bench: ## measure the relay beside Postfix; options in ARGS
	CGO_ENABLED=0 $(GO) run ./bench/relay $(ARGS)

conformance: ## play the conformance dialogues against SERVER=host:port; options in ARGS
	@test -n "$(SERVER)" || { echo "say against which server: make conformance SERVER=host:port"; exit 2; }
	CGO_ENABLED=0 $(GO) run ./test/conformance/cmd $(ARGS) $(SERVER)

clean: ## remove what was built
	rm -rf bin dist internal/codes/built/explain.wasm.gz internal/codes/built/wasm_exec.js
