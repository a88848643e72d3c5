# Two commands matter: `make up` runs everything, `make test` tests everything.
# `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
ARGS ?=
WORKERS ?= 2

.PHONY: help up down demo test check format lock env bench soak screenshots clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

up: .venv/.runtime  ## run everything on this machine; Ctrl-C stops it (ARGS=--detach: in the background)
	@$(BIN)/rounds up $(ARGS)

down: .venv/.runtime  ## stop what `make up ARGS=--detach` started
	@$(BIN)/rounds down

demo: .venv/.runtime  ## the same with a sample project and simulated annotators (ARGS="--rounds N --data FILE --detach")
	@$(BIN)/rounds demo $(ARGS)

test: .venv/.dev  ## every test, against a real Postgres, a real Argilla and a real browser (ARGS="-k name")
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: .venv/.dev  ## lint, format, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.bench  ## measure beside published results and other libraries: hours for all (ARGS=labels-dbpedia-cold: minutes)
	@$(BIN)/python -m bench $(ARGS)

soak: .venv/.dev  ## play rounds while everything breaks, and compare with undisturbed ones (ARGS="--kills N --seed N --crowd")
	@$(BIN)/python -m tests.faults $(ARGS)

screenshots: .venv/.dev  ## a picture of every page, wide and narrow, light and dark, in screenshots/
	@$(BIN)/python docs/take_screenshots.py screenshots

format: .venv/.dev  ## put the code into shape
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

lock: .venv/.runtime  ## renew the lock files from pyproject.toml
	@$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
		--custom-compile-command "make lock" --extra embedded pyproject.toml -o requirements.lock
	@$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
		--custom-compile-command "make lock" --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
		--custom-compile-command "make lock" -c requirements.lock pyproject.toml -o docker/runtime.lock
	@echo hatchling | $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate \
		--python-version 3.11 --custom-compile-command "make lock" -c requirements.lock - -o docker/build.lock
	@$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
		--custom-compile-command "make lock" app/embedded/argilla-server.in -o app/embedded/argilla-server.lock

env:  ## write .env with random secrets for docker compose, once
	@$(PYTHON) docker/make_env.py

clean:  ## remove the environment and caches; data in .rounds/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

# --- the environment: rebuilt only when a lock file changes, so a second start needs no network ---
.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Rounds needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 up"; exit 1; }
	@echo "Creating the environment in .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-uv.lock

.venv/.runtime: .venv/bin/uv requirements.lock pyproject.toml
	@echo "Installing what Rounds needs (about 250 MB, once) ..."
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	@echo "Installing what the tests need ..."
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

.venv/.bench: .venv/.dev
	@echo "Installing the libraries that Rounds is measured beside ..."
	@$(UV) pip install --quiet --python $(BIN)/python --no-build-isolation -c requirements-dev.lock -e '.[bench]'
	@touch $@
