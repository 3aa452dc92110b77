# make up: the staging environment on this machine. make test: every check. Other targets: make help.
STACK ?= staging
CONTEXT ?=
export STACK CONTEXT
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.requirements
BIN := $(VENV)/bin
UV_VERSION := 0.9.11

.DEFAULT_GOAL := help
.PHONY: help venv tools up preview refresh destroy status doctor forget down test unit lint format docs bench clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

venv: $(STAMP)
$(STAMP): requirements.txt requirements-dev.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "· installing Python packages …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $${PIP_INDEX_URL:+--default-index "$$PIP_INDEX_URL"} -r requirements-dev.txt
	@touch $@

tools: $(STAMP) ## Build the engine, the Kubernetes provider and the control plane (once)
	@$(BIN)/python -m local.tools

up: $(STAMP) ## Bring the stack up (STACK=staging; NODES=simulated|real; CONTEXT=<of your kubeconfig>, UNCHECKED=true; DRY_RUN=true, SKIP_TESTS=true, LOAD_SEED_DATA=false)
	@./understudy local up

preview: $(STAMP) ## Show what up would change
	@./understudy local preview

refresh: $(STAMP) ## Read manual edits into the stack's state
	@./understudy local refresh

destroy: $(STAMP) ## Delete the stack's resources; the local cluster stays
	@./understudy local destroy

status: $(STAMP) ## Show the local cluster's processes
	@./understudy local status

doctor: $(STAMP) ## What the stack needs of your cluster, and what is missing (CONTEXT)
	@./understudy doctor

forget: $(STAMP) ## Forget the state of stacks on a cluster of yours that is gone (CONTEXT)
	@./understudy local forget

down: $(STAMP) ## Stop the local cluster; its data and the stack's state stay
	@./understudy local down

lint: $(STAMP) ## ruff, mypy, import-linter, actionlint, zizmor
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache
	@$$($(BIN)/python -m local.tools actionlint) && $(BIN)/zizmor --offline --quiet --no-progress .github/workflows
	@if command -v istioctl >/dev/null; then $(BIN)/python -m review.istio | istioctl analyze --use-kube=false --output-threshold Warning -; fi

test: lint tools ## Every check: lint, unit, property, golden and end-to-end tests
	@$(BIN)/python -m local.tools prometheus && $(BIN)/python -m local.tools helm
	@$(BIN)/pytest -n 2 --dist loadgroup -m "not quiet"
	@$(BIN)/pytest -m quiet

unit: $(STAMP) ## The tests that need no engine (seconds)
	@$(BIN)/pytest -n 2 -m "not engine and not servers"

format: $(STAMP) ## Format the code, and write the generated files anew
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format . ; $(MAKE) --no-print-directory docs

docs: $(STAMP) ## Write the generated files anew: schema, golden graphs, README's tables
	@$(BIN)/python -m review.generated && $(BIN)/python -m local.plugins.aws.page

bench: $(STAMP) tools ## Measure previews, graph and explain, the second make up
	@$(BIN)/python -m bench

clean: ## Stop every local cluster and remove all that was made here
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m local.clean; fi
	@rm -rf .understudy .pytest_cache .mypy_cache .ruff_cache .hypothesis $(VENV)
