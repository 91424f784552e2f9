# The way in: `make serve` for a running demo, `make test` for the tests. `make help` lists the rest.

PORT ?= 8000
PYTHON ?= python3
BENCH_ARGS ?=
FUZZ_EXAMPLES ?= 4000
PYTEST_ARGS ?= -n auto --maxprocesses 4
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-config \
	--no-emit-index-url --no-emit-find-links --no-header pyproject.toml requirements.in

.DEFAULT_GOAL := help
.PHONY: help serve test check fuzz bench lock upgrade schema format clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

serve: $(VENV)/.runtime ## set up, load the demo company, serve it on 127.0.0.1 (PORT=8000)
	@$(BIN)/adgraph serve --demo --port $(PORT)

test: $(VENV)/.tools ## set up and run every test
	@$(BIN)/python -m pytest -m "not bench" $(PYTEST_ARGS)

check: $(VENV)/.tools ## lint, types, direction of imports, schema and migrations in step
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/adgraph export-schema | diff schema/schema.graphql - || { echo "schema/schema.graphql is behind the code: run make schema."; exit 1; }
	@$(BIN)/python -m storage.schema_check

fuzz: $(VENV)/.tools ## send random operations to the server until something gives (FUZZ_EXAMPLES=4000 of each kind)
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest tests/api/test_fuzz.py

bench: $(VENV)/.tools ## measure against plain Strawberry and Ariadne on generated data (BENCH_ARGS=--quick)
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

format: $(VENV)/.tools ## lay out the code and sort imports
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

schema: $(VENV)/.runtime ## print the schema into schema/schema.graphql
	@$(BIN)/adgraph export-schema --output schema/schema.graphql

lock: $(VENV)/.tools ## bring the lock files in step with what is asked for
	@$(LOCK) --output-file requirements.lock
	@$(LOCK) requirements-dev.in --constraints requirements.lock --output-file requirements-dev.lock

upgrade: $(VENV)/.tools ## lock the newest versions allowed
	@$(LOCK) --upgrade --output-file requirements.lock
	@$(LOCK) requirements-dev.in --upgrade --constraints requirements.lock --output-file requirements-dev.lock

clean: ## remove the environment and caches, keep the database
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Each stamp is as new as the last install that succeeded, so a second `make serve` starts at once.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		found=$$($(PYTHON) -c 'import platform; print("Python " + platform.python_version())' 2>/dev/null || echo "no Python"); \
		echo "adgraph needs Python 3.11 or newer; '$(PYTHON)' is $$found."; \
		echo "Name another one: make $(or $(MAKECMDGOALS),serve) PYTHON=python3.12"; exit 1; }
	@echo "Making the environment in $(VENV) (once)…"
	@$(PYTHON) -m venv $(VENV) || { \
		echo "Python could not make a virtual environment; on Debian and Ubuntu: apt install python3-venv."; \
		rm -rf $(VENV); exit 1; }

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the server needs…"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.tools: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the tools and what the tests need…"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
