# Public-warning service. `make help` lists the targets; each needs nothing but Python 3.11+ and make (judge: node too).
PYTHON ?= python3
ONCE ?=
ONLY ?=
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin

# Templates, catalogues and CAP documents are UTF-8 wherever this runs.
export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-bench setup-judge demo test judge check bench chaos docs fuzz mutants lock wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# $(call install,LOCK): make .venv if there is no good one and install LOCK and this checkout into it.
# A stamp of what was installed makes a second run quick; it names the folder, since a .venv cannot be moved.
define install
	@set -eu; \
	stamp="$(CURDIR) $$(cat $(1) pyproject.toml | cksum)"; \
	if [ -x $(BIN)/alerting ] && $(BIN)/python -c '' 2>/dev/null \
	   && [ "$$(cat $(VENV)/stamp-$(1) 2>/dev/null)" = "$$stamp" ]; then exit 0; fi; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Python 3.11 or newer is needed, and $(PYTHON) is not: set PYTHON=..., as in make setup PYTHON=python3.12" >&2; exit 1; }; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.prefix != "$(CURDIR)/$(VENV)")' 2>/dev/null; then \
	    rm -rf $(VENV); \
	    if command -v $(UV) >/dev/null 2>&1; then $(UV) venv -q --python "$$(command -v $(PYTHON))" $(VENV); \
	    elif $(PYTHON) -c 'import ensurepip' 2>/dev/null && $(PYTHON) -m venv $(VENV); then :; \
	    elif $(PYTHON) -m pip --version >/dev/null 2>&1 && rm -rf $(VENV) \
	        && $(PYTHON) -m venv --without-pip $(VENV); then :; \
	    else rm -rf $(VENV); \
	        echo "$(PYTHON) can make no virtual environment: install python3-venv (Debian, Ubuntu: apt install python3-venv) or uv" >&2; \
	        exit 1; fi; \
	fi; \
	if command -v $(UV) >/dev/null 2>&1; then pip="$(UV) pip"; at="--python $(BIN)/python"; \
	elif $(BIN)/python -m pip --version >/dev/null 2>&1; then pip="$(BIN)/python -m pip"; at=""; \
	else pip="$(PYTHON) -m pip --python $(BIN)/python"; at=""; fi; \
	echo "installing $(1) into $(VENV)"; \
	$$pip install -q $$at --require-hashes -r $(1); \
	$$pip install -q $$at --no-deps -e .; \
	echo "$$stamp" > $(VENV)/stamp-$(1)
endef

setup: ## make .venv with the service and its embedded servers
	$(call install,requirements.lock)

setup-test: setup
	$(call install,requirements-test.lock)

setup-bench: setup
	$(call install,requirements-bench.lock)

# Prism, by which tests/contract/test_judge.py holds our requests against Twilio's own OpenAPI; those tests skip without.
setup-judge: tests/judge/node_modules/.package-lock.json

tests/judge/node_modules/.package-lock.json: tests/judge/package-lock.json
	cd tests/judge && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

demo: setup ## one warning all the way through, then serve; ONCE=1 ends after the table
	@$(BIN)/alerting demo $(if $(ONCE),--once)

test: setup-test ## the tests, on real PostgreSQL and Valkey
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

judge: setup-test setup-judge ## hold our requests against Twilio's own OpenAPI (needs node, npm and the folder shared)
	$(BIN)/python -m pytest tests/contract/test_judge.py $(PYTEST_ARGS)

check: setup-test ## format, lint, types, import contracts, dependencies, known weaknesses
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .
	$(BIN)/bandit -q -c pyproject.toml -r alerting channels wsgi.py

bench: setup-bench ## the numbers; ONLY=name for one row
	@$(BIN)/python -m bench $(ONLY)

docs: setup-test ## write anew what is made from the code
	$(BIN)/python -m alerting.cap.rules.page > docs/cap-rules.md
	$(BIN)/python -c 'from tests.cap.test_rules import told; print(told(), end="")' > tests/cap/rules_told.txt

# $(call extra,NAME): add an extra of pyproject.toml to .venv; these two are no part of the locks.
define extra
	@if command -v $(UV) >/dev/null 2>&1; then $(UV) pip install -q --python $(BIN)/python -e '.[$(1)]'; \
	elif $(BIN)/python -m pip --version >/dev/null 2>&1; then $(BIN)/python -m pip install -q -e '.[$(1)]'; \
	else $(PYTHON) -m pip --python $(BIN)/python install -q -e '.[$(1)]'; fi
endef

chaos: setup-bench ## random faults in the whole service, counted from outside; SECONDS=600 SEED=1
	$(BIN)/python -m bench.chaos --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)

fuzz: setup-test ## feed mutated documents to the readers and rules; SECONDS_EACH=60
	$(call extra,fuzz)
	$(BIN)/python -m fuzz.cap --seconds $(or $(SECONDS_EACH),60)

mutants: setup-test ## count the faults in alerting/cap/rules that its tests notice; MUTANTS_ARGS="--seconds 720"
	$(call extra,mutants)
	nice -n 19 $(BIN)/python -m fuzz.mutants $(MUTANTS_ARGS)

lock: ## resolve the three locks anew (needs uv)
	$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade \
	    --extra embedded -o requirements.lock pyproject.toml
	$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 \
	    -c requirements.lock --extra embedded --extra test --extra check -o requirements-test.lock pyproject.toml
	$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 \
	    -c requirements.lock --extra embedded --extra bench -o requirements-bench.lock pyproject.toml
	@! grep -nE '://|--(extra-)?index-url|--find-links' requirements*.lock

wheel: setup-test ## build the wheel into dist/
	$(BIN)/python -m build --wheel --outdir dist .

clean: ## remove what builds and checks leave (never .venv or data)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
