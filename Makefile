# Two commands do everything: make demo, make test. Others: make help.
PYTHON ?= python3
PY := .venv/bin/python
SCHOOL ?= samples/an-hong
OUT ?= out/demo
PUPILS ?= 320
NAMES ?=
INSTANCE ?= demo

.PHONY: help setup demo down rebuild test test-slow faults bench check check-compose format contracts lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install or build whatever is missing
	@$(PYTHON) infra/setup.py

demo: setup ## bring the system up and take a school through the whole road (SCHOOL=dir OUT=dir)
	@$(PY) -m infra.demo --school "$(SCHOOL)" --out "$(OUT)"

down: ## stop the demo
	@$(PY) infra/local.py down --instance demo

rebuild: ## build the oversight units' read model anew from what its owners republish (INSTANCE=demo)
	@$(PY) -m infra.tools.rebuild --instance "$(INSTANCE)"

test: setup ## the tests, on real parts
	@$(PY) -m infra.tools.run_tests

test-slow: setup ## what takes minutes more: every browser journey, the whole interoperability matrix, the token program as a process
	@$(PY) -m pytest -m slow

faults: setup ## stores and processes that die in the middle of work (about half an hour)
	@$(PY) -m pytest tests/faults

bench: setup ## measure, beside plain scripts with the same libraries: out/bench.json (NAMES="road" PUPILS=320 DOCUMENTS=20000)
	@$(PY) -m infra.bench $(NAMES) --pupils "$(PUPILS)" $(if $(DOCUMENTS),--documents "$(DOCUMENTS)")

check: ## style, types, arrows, contracts (no servers needed)
	@$(PYTHON) infra/setup.py --only venv
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m infra.generate --check
	@$(PY) -m pytest -q tests/architecture tests/contracts

check-compose: ## compose.yaml by the Compose project's own `config` (builds it once; needs Go)
	@$(PY) infra/tools/check_compose.py

format: ## put code into shape
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

contracts: ## write schemas, AsyncAPI, OpenAPI, error and rights tables from the code
	@$(PY) -m infra.generate

lock: ## pin everything again (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock

clean: down ## forget all data of local instances
	@rm -rf var out
