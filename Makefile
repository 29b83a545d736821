# Everything that there is to do with this project: `make help`. What a target needs is installed or built first, once:
# the rules at the end are files with their sources, so the second time is instant.

APP ?= examples/demo.ts
PORT ?= 8888
ADDRESS ?= 127.0.0.1
RUNTIME ?= $(or $(WATERSPOUT_RUNTIME),node)
WORKERS ?= 1
MINUTES ?= 1
NODE ?=
SEED ?=
SUITES ?=
ARGS ?=

BIN := node_modules/.bin
NODE_MODULES := node_modules/.package-lock.json
# The mark of a whole build: dist/host/index.js and others are written twice.
HOST := dist/host/.built
DECLARATIONS := dist/assembly/index.d.ts
CORE := build/core.wasm
CORE_COMPONENTS := build/core.component.wasm build/core.component-async.wasm
# The cores of components whose handlers are in TypeScript: one that only serves, and one that connects to others, too.
EDGE := build/edge.component-async.wasm build/edgeclient.component-async.wasm
ABSENT := build/absent.component.wasm
RUST := build/rust.component-async.wasm
DEMO := build/demo.wasm
ECHO := build/echo.wasm
WEB := build/web.wasm
COMPONENTS := $(foreach app,demo echo web proxy,build/$(app).component.wasm build/$(app).component-async.wasm) \
  $(foreach app,demo web,build/$(app).http.wasm build/$(app).http-async.wasm)
NODES := build/tools/nodes/node_modules/.package-lock.json
ENGINES := build/tools/engines/node_modules/.package-lock.json
FRAMEWORKS := build/tools/frameworks/node_modules/.package-lock.json
# The binary of the Node that NODE names; `node` where it names none.
node = $(if $(NODE),$(CURDIR)/$(dir $(NODES))node$(NODE)-$(shell node -p 'process.platform + "-" + process.arch')/bin/node,node)
# Another binary is the user's own business.
WASMTIME := $(if $(WATERSPOUT_WASMTIME),,build/tools/wasmtime)
WASMTIME_ASYNC := $(if $(WATERSPOUT_WASMTIME_ASYNC),,build/tools/wasmtime-async)
# Those between: tests of components take them, too.
WASMTIMES := build/tools/wasmtime-46 build/tools/wasmtime-48

sources = $(shell find $(1) -name '*.ts')
REFERENCE := --tsconfig host/tsconfig.json host/index.ts
SANDBOXED_REFERENCE := --name 'Waterspout, AssemblyScript' --tsconfig assembly/tsconfig.json assembly/index.ts assembly/web/index.ts
ASSEMBLY := assembly bench/sandboxed examples/sandboxed templates/assemblyscript test/assembly

.PHONY: help run build debug test compat check bench fuzz losses fleet soak protocol format clean screenshot wasmtime
.PHONY: components rust wasmtime-46 wasmtime-48 wasmtime-async docs frameworks
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p; s/^##/           |/p' Makefile | awk -F'|' '{ printf "%-22s%s\n", $$1, $$2 }'

run: build $(if $(filter wasmtime component,$(RUNTIME)),$(WASMTIME)) $(if $(filter component-async,$(RUNTIME)),$(WASMTIME_ASYNC)) ## serve APP (examples/demo.ts) on ADDRESS (127.0.0.1), PORT (8888)
## with RUNTIME (node, wasmtime, component-async, component) and WORKERS (1, of wasmtime)
	@exec node dist/host/cli/main.js run '$(APP)' --port '$(PORT)' --address '$(ADDRESS)' \
	  --runtime '$(RUNTIME)' --workers '$(WORKERS)'

build: $(CORE) $(CORE_COMPONENTS) $(EDGE) $(ABSENT) $(HOST) $(DECLARATIONS) $(DEMO) $(ECHO) $(WEB) ## build/core.wasm and its components, build/edge.component-async.wasm and build/edgeclient.component-async.wasm, dist/, build/demo.wasm, build/echo.wasm and build/web.wasm

debug: build ## build/core.wasm with names and debug info (docs/debugging.md); make -B build/core.wasm takes that back
	$(compile-core) --debug --outFile $(CORE)

components: $(COMPONENTS) ## examples as components of WASI 0.2 and 0.3, and of wasi:http 0.2 and 0.3: build/demo.component.wasm, …

test: build $(COMPONENTS) $(WASMTIME) $(WASMTIME_ASYNC) $(WASMTIMES) $(ENGINES) $(if $(NODE),$(NODES)) ## all tests, or those that ARGS chooses (ARGS="--project host")
## on the Node that runs make, or on NODE (22, 24, 26)
	@[ -z '$(NODE)' ] || [ -x '$(node)' ] || { echo 'waterspout: scripts/nodes/ has no Node $(NODE) for this machine' >&2; exit 1; }
	@$(if $(NODE),PATH="$(dir $(node)):$$PATH") $(BIN)/vitest run $(ARGS)

frameworks: build $(WASMTIME) $(FRAMEWORKS) $(if $(NODE),$(NODES)) ## builds of React Router, Nitro and SvelteKit, and Elysia, served (docs/frameworks.md)
## on the Node that runs make, or on NODE; it must be 22.22 or later
	@$(if $(NODE),PATH="$(dir $(node)):$$PATH") $(BIN)/vitest run test/e2e/frameworks.test.ts

compat: build $(WASMTIME) $(if $(NODE),$(NODES)) ## the suites of others that are checked out below SUITES, on Node's server and on ours, with both runtimes
## on the Node that runs make, or on NODE; ARGS="--help" for more (docs/compat.md)
	@$(node) test/compat/run.mjs $(if $(SUITES),--suites '$(SUITES)') $(ARGS)

check: $(HOST) ## formatting, types and lint of both languages; changes nothing
	$(BIN)/biome check --error-on-warnings
	@node protocol/generate.mjs --check
	$(BIN)/prettier --check --log-level warn $(ASSEMBLY)
	$(BIN)/tsc -p assembly
	$(BIN)/tsc -p host --noEmit
	$(BIN)/tsc -p host/inspect/page
	$(BIN)/tsc -p edge
	$(BIN)/tsc -p test/edge
	$(BIN)/tsc
	$(BIN)/typedoc $(REFERENCE) --emit none --logLevel Warn
	$(BIN)/typedoc $(SANDBOXED_REFERENCE) --emit none --logLevel Warn

docs: $(NODE_MODULES) ## the API reference of both languages, of the docstrings: build/docs/typescript, build/docs/assemblyscript
	$(BIN)/typedoc $(REFERENCE) --out build/docs/typescript
	$(BIN)/typedoc $(SANDBOXED_REFERENCE) --out build/docs/assemblyscript

protocol: ## write the numbers of protocol/protocol.json into both languages and docs/protocol.md
	@node protocol/generate.mjs

format: $(NODE_MODULES) ## bring the sources into the form that `make check` wants
	$(BIN)/biome check --write
	$(BIN)/prettier --write --log-level warn $(ASSEMBLY)

bench: build $(COMPONENTS) $(if $(NODE),$(NODES)) ## measure beside nginx, Node and others; ARGS="--quick" for a glance, "--help" for more
## on the Node that runs make, or on NODE (22, 24, 26)
	@$(node) bench/run.mjs $(ARGS)

fuzz: build $(WASMTIME) ## hostile clients and frames for MINUTES (1), from SEED (the time), guided by coverage; ARGS="--help" for more
	@node --import tsx test/fuzz/guided.ts --minutes '$(MINUTES)' $(if $(SEED),--seed '$(SEED)') $(ARGS)

soak: build $(COMPONENTS) $(WASMTIME) $(WASMTIME_ASYNC) ## memory and descriptors after 50,000 connections of each bare way to run, about a minute
	@node --import tsx test/soak/run.ts

losses: build $(WASMTIME) ## what clients lose in 100 reloads and 100 kills of workers, about ten minutes; ARGS="--help" for more
	@node --import tsx test/losses/run.ts $(ARGS)

fleet: build $(WASMTIME) ## what clients of HAProxy lose while three hosts behind it are upgraded, killed and cut off, ten minutes
## in network namespaces of its own; ARGS="--help" for more
	@unshare --map-root-user --net node --import tsx test/losses/fleet.ts $(ARGS)

rust: build ## examples/rust as a component, with cargo and its target wasm32-wasip2: build/rust.component-async.wasm
	cargo build --quiet --release --target wasm32-wasip2 --manifest-path examples/rust/Cargo.toml --target-dir build/rust
	node dist/host/cli/main.js build build/rust/wasm32-wasip2/release/handler.wasm --target component-async --out $(RUST)

screenshot: build $(WASMTIME) ## docs/images/live.png: a minute of the live page under load, with wrk and a Chromium
	@node scripts/screenshot.mjs

wasmtime: ## install wasmtime 36 if need be and print its path (make -s wasmtime)
	@scripts/install-wasmtime.sh

wasmtime-async: ## the same for a wasmtime that serves components of WASI 0.3
	@scripts/install-wasmtime.sh async

wasmtime-46 wasmtime-48:
	@scripts/install-wasmtime.sh $(@:wasmtime-%=%)

clean: ## remove what was built; node_modules, build/tools and build/bench stay
	rm -rf dist build/docs build/*.wasm build/*.sha256

# --- what the targets need ---

# The marker says that the test pool's native part, which only measures coverage, need not be looked for (nor warned about).
$(NODE_MODULES): package-lock.json .npmrc
	@command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || \
	  { echo 'waterspout: install Node.js 20 or later, with npm' >&2; exit 1; }
	npm ci
	@touch node_modules/vitest-pool-assemblyscript/.native-build-error $@

compile-core = $(BIN)/asc assembly/bridge/main.ts --runtime minimal --shrinkLevel 1

# It fits into 64 KiB: docs/decisions/0031-built-for-size.md has what each step weighs and costs.
$(CORE): $(NODE_MODULES) asconfig.json $(call sources,assembly)
	$(compile-core) --outFile $@
	$(BIN)/wasm-opt --enable-simd --enable-bulk-memory -O2 -s 1 --const-hoisting $@ -o $@
	@cd $(@D) && { sha256sum $(@F) 2>/dev/null || shasum -a 256 $(@F); } >$(@F).sha256

$(DEMO): $(NODE_MODULES) asconfig.json $(call sources,assembly examples/sandboxed)
	$(BIN)/asc examples/sandboxed/demo.ts --outFile $@

$(ECHO): $(NODE_MODULES) asconfig.json $(call sources,assembly examples/sandboxed)
	$(BIN)/asc examples/sandboxed/echo.ts --outFile $@

$(WEB): $(NODE_MODULES) asconfig.json $(call sources,assembly examples/sandboxed)
	$(BIN)/asc examples/sandboxed/web.ts --outFile $@

WIT := $(shell find assembly/wasi wit -name '*.wit')

build/core.%.wasm: $(HOST) asconfig.json $(call sources,assembly) $(WIT)
	node dist/host/cli/main.js build assembly/bridge/main.ts --target $* --out $@ >/dev/null

build/edge.component-async.wasm: $(HOST) asconfig.json $(call sources,assembly) $(WIT)
	node dist/host/cli/main.js build assembly/edge/main.ts --target component-async --out $@ >/dev/null

build/edgeclient.component-async.wasm: $(HOST) asconfig.json $(call sources,assembly) $(WIT)
	node dist/host/cli/main.js build assembly/edge/mainoutgoing.ts --target component-async --out $@ >/dev/null

$(ABSENT): $(NODE_MODULES) scripts/absent.mjs wit/waterspout.wit
	@mkdir -p build
	@node scripts/absent.mjs

build/%.component.wasm: examples/sandboxed/%.ts $(HOST) asconfig.json $(call sources,assembly) $(WIT)
	node dist/host/cli/main.js build $< --target component --out $@ >/dev/null

build/%.component-async.wasm: examples/sandboxed/%.ts $(HOST) asconfig.json $(call sources,assembly) $(WIT)
	node dist/host/cli/main.js build $< --target component-async --out $@ >/dev/null

build/%.http-async.wasm: examples/sandboxed/%.ts $(HOST) asconfig.json $(call sources,assembly) $(WIT)
	node dist/host/cli/main.js build $< --target http-async --out $@ >/dev/null

build/%.http.wasm: examples/sandboxed/%.ts $(HOST) asconfig.json $(call sources,assembly) $(WIT)
	node dist/host/cli/main.js build $< --target http --out $@ >/dev/null

$(HOST): $(NODE_MODULES) tsconfig.json host/tsconfig.json scripts/bundle.mjs $(call sources,host types edge)
	$(BIN)/tsc -p host
	@node scripts/bundle.mjs
	@touch $@

$(DECLARATIONS): $(NODE_MODULES) scripts/declarations.mjs tsconfig.json assembly/tsconfig.json $(call sources,assembly)
	@node scripts/declarations.mjs

build/tools/%/node_modules/.package-lock.json: scripts/%/package.json scripts/%/package-lock.json
	@mkdir -p build/tools/$*
	@cp $^ .npmrc build/tools/$*
	npm ci --prefix build/tools/$*
	@touch $@

build/tools/wasmtime:
	@scripts/install-wasmtime.sh >/dev/null

build/tools/wasmtime-%:
	@scripts/install-wasmtime.sh $* >/dev/null
