# Two commands are enough: `make demo` and `make test`. `make help` lists the rest.
# Needs Python 3.11 or newer; everything else goes into .venv from the pinned requirement files.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo setup test check bench simulate torture hostile clean

# The first interpreter that is new enough; `make PYTHON=/path/to/python …` overrides it.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
ARGS ?=
TESTS ?= tests
HISTORIES ?= 2000
SEED ?= 1
BODIES ?= 50000
CYCLES ?= 20
DATABASE ?= both
BIN := .venv/bin
RUNTIME := .venv/.runtime
DEVELOPMENT := .venv/.development
APT_COMMAND := apt-get update && apt-get install --yes chromium

help: ## Say what can be made
	@grep -E '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo
	@echo "make demo ARGS=--once   exits when the replay is done: 0 only if every figure agrees"
	@echo "make test TESTS=tests/contracts   runs a part of the tests"

demo: $(RUNTIME) ## Replay Tiền Giang 2020 on this machine, then serve it until Ctrl-C
	$(BIN)/tungnha demo $(ARGS)

setup: $(DEVELOPMENT) ## Make .venv with everything that tests and checks need

test: $(DEVELOPMENT) ## Run every test (browser tests where Chromium is)
	@set -o pipefail; chosen=(); \
	if ! $(BIN)/python -m tests.support.chromium; then \
		printf '\nNo Chromium: browser tests NOT RUN. To have them: %s\n\n' '$(APT_COMMAND)' >&2; \
		if [ "$${CI:-}" = true ]; then exit 1; fi; \
		chosen=(-m 'not browser'); \
	fi; \
	$(BIN)/python -m pytest -n 2 --dist worksteal "$${chosen[@]}" $(TESTS) && \
	if [ "$${#chosen[@]}" -gt 0 ]; then echo 'browser tests NOT RUN (no Chromium)'; fi

check: $(DEVELOPMENT) ## Check style, types, import arrows, templates and pins
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint server/templates --lint --quiet
	$(BIN)/python -m pip check

simulate: $(DEVELOPMENT) ## Hold HISTORIES=n of SEED=s against the oracle, faults and all
	$(BIN)/python -m tests.simulation --histories $(HISTORIES) --seed $(SEED) $(ARGS)

torture: $(DEVELOPMENT) ## Kill, starve and mistreat real processes (CYCLES=n SEED=s DATABASE=both)
	$(BIN)/python -m tests.torture --cycles $(CYCLES) --seed $(SEED) --database $(DATABASE) $(ARGS)

bench: $(DEVELOPMENT) ## Measure every goal of docs/performance.md beside its reference (ARGS=--help)
	$(BIN)/python -m tests.bench $(ARGS)

hostile: $(DEVELOPMENT) ## Shoot hostile bodies at a server process (BODIES=, SEED=, DATABASE=sqlite)
	$(BIN)/python -m tests.contracts.hostile --bodies $(BODIES) --seed $(SEED) \
		--database $(if $(filter both,$(DATABASE)),sqlite,$(DATABASE))

clean: ## Remove .venv and caches; offices' databases stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

# --- stamps: each is remade when what it depends on is newer ---

.venv/bin/python:
	@if [ -z '$(PYTHON)' ]; then echo 'Python 3.11 or newer is needed (make PYTHON=…).' >&2; exit 1; fi
	$(PYTHON) -m venv .venv

$(RUNTIME): requirements.txt pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
