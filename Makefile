# make demo   everything at once, with an example shop: the way to see Renkei
# make test   all tests, as CI runs them
# make check  format, lint, types, import contracts, schema, what it breaks, and migrations
# make demo-picture  docs/demo.png anew, from the demo that runs
# make lock   new versions in constraints.txt

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# Tests wait for processes and clocks more than they work.
AT_ONCE = $$(($$($(PYTHON) -c 'import os; print(os.cpu_count())') + 2))
LOCK := --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-annotate \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra dev --all-build-deps

.PHONY: install demo demo-picture test check lock

install: $(INSTALLED)

$(INSTALLED): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Renkei needs Python 3.11 or newer. Name one: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || \
		{ echo "Python cannot make an environment: install its venv module (Debian: python3-venv)."; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install
	$(BIN)/renkei demo

demo-picture: install
	$(BIN)/python -m tests.browser.picture docs/demo.png

test: install
	$(BIN)/pytest --numprocesses $(AT_ONCE) --dist worksteal

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/renkei schema print | diff - schema.graphql
	$(BIN)/renkei schema check
	@scratch=$$(mktemp -u $${TMPDIR:-/tmp}/renkei-check-XXXXXX); \
		$(BIN)/renkei migrate --check --data-dir $$scratch; \
		result=$$?; rm -rf $$scratch; exit $$result

lock: install
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK) --output-file constraints.txt pyproject.toml
