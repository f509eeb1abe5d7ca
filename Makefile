# Everything starts here. `make help` lists the targets; each of them installs first what it needs, once.

.DEFAULT_GOAL := help
.PHONY: help install demo up down status test containers clients fuzz faults drill bench bench-services imports check lint words formats types generated charts s3 olap compose docs format lock lock-services clean
SHELL := /bin/sh

BIN := .venv/bin
CHARTS := .venv/charts/bin
DOCS := .venv/docs/bin
CLIENTS := .venv/clients/bin
INSTALLED := .venv/.installed
RUNNER := -m pytest
export PYTHON
# Every process of a run would compile every file again.
unexport PYTHONDONTWRITEBYTECODE
PACKAGES := $(patsubst %/pyproject.toml,%,$(wildcard contracts/pyproject.toml demo/pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml))
SPACE := $(subst ,, )
SOURCES := $(wildcard $(addsuffix /src,$(PACKAGES))) clients/python/src
# Where tests import from, as pytest's `pythonpath` has it, and which of them are typed as strictly as the sources: those of every service too.
TESTING := clients/python tests/support tests/conformance/support libs/tailrace/tests/toy_service/src tests/bench tests/faults tests/faults/purse_service/src tests/fuzz \
	$(wildcard services/*/tests/support)
TYPED := .ci/rerun.py $(wildcard tests/conformance/*.py) tests/conformance/support \
	$(addprefix tests/,bench ci docs e2e faults interplay newcomer support clients/test_asyncapi_document.py clients/test_clients.py clients/conftest.py clients/test_python_client.py clients/test_python_tokens.py clients/test_readers.py clients/test_typescript_client.py fuzz/test_fuzz.py fuzz/test_shares.py fuzz/shares.py) \
	clients/python/hatch_build.py clients/typescript/build.py \
	$(wildcard libs/*/tests services/*/tests) demo/tests

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "  ARGS=… goes to pytest or the demo; SERVICE=… tests that one, AGAIN=1 runs every test, CONTAINERS=1 with Docker; ALL=1 replays every purchase in the demo."

demo: up ## Install, start everything, run the main job, leave the fleet running
	@$(BIN)/tailrace demo $(if $(ALL),--all) $(ARGS)

up: install ## Start PostgreSQL, Kafka, Connect and every service
	@$(BIN)/tailrace up

down: install ## Stop everything, keep the data
	@$(BIN)/tailrace down

status: install ## Show what runs
	@$(BIN)/tailrace status

test: install $(if $(CONTAINERS),.venv/.containers) ## Run the suite on a stack of its own; what passed today with the same files is left out
	@$(BIN)/python $(RUNNER) $(if $(CONTAINERS),--containers,-n auto $(if $(AGAIN),,--unchanged)) \
		$(if $(SERVICE),--service $(SERVICE) services/$(SERVICE) tests/conformance) $(ARGS)

containers: .venv/.containers ## Install what `make test CONTAINERS=1` needs besides, but for Docker

.venv/.containers: locks/requirements-containers.lock | install
	@echo "Installing what locks/requirements-containers.lock names …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/requirements-containers.lock
	@touch $@

clients: .venv/.clients ## Build the clients into dist/clients; install what makes others of the OpenAPI document, and what asks every operation
	@cd clients/python && ../../$(BIN)/python -m hatchling build -t wheel -d ../../dist/clients
	@[ ! -x .venv/clients/node_modules/.bin/tsc ] || PATH="$(CURDIR)/$(CLIENTS):$(CURDIR)/.venv/clients/node_modules/.bin:$$PATH" $(BIN)/python clients/typescript/build.py dist/clients

.venv/.clients: locks/requirements-clients.lock locks/clients/package-lock.json | install
	@sh .ci/venv .venv/clients
	@echo "Installing what locks/requirements-clients.lock and locks/clients name …"
	@$(CLIENTS)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/requirements-clients.lock
	@cp locks/clients/package.json locks/clients/package-lock.json .venv/clients
	@PATH="$(CURDIR)/$(CLIENTS):$$PATH" npm ci --prefix .venv/clients --ignore-scripts --no-audit --no-fund --loglevel=error \
		|| echo "npm could not install locks/clients: there is no TypeScript client."
	@touch $@

fuzz: .venv/.clients ## Send the gateway requests made by chance, and ask every operation for things at random, on a fleet of its own: EXAMPLES=200 SECONDS=1800 SEED=7
	@FUZZ_REQUESTS=$(or $(REQUESTS),5000) FUZZ_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -q services/gateway/tests/test_smuggling.py -k chance
	@FUZZ_PATHS=1000000 FUZZ_EXAMPLES=$(or $(EXAMPLES),200) FUZZ_SECONDS=$(or $(SECONDS),1800) FUZZ_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -q tests/fuzz $(ARGS)

faults: install ## Trade while processes are killed, on a stack of its own, and check the end: SEED=… EVENTS=… MONTH=days REPORT=1
	@PYTHONPATH=tests/faults:tests/support:services/accounting/tests/support $(BIN)/python -m mix $(if $(SEED),--seed $(SEED)) \
		--events $(or $(EVENTS),200000) $(if $(MONTH),--month $(MONTH)) \
		$(if $(FAULTS),--faults $(FAULTS)) $(if $(REPORT),--report docs/reports) $(ARGS)

drill: install ## Rehearse a disaster on a stack of its own, and print how it went: DRILL=restored, machine, brokers, failover, kafka or overload
	@PYTHONPATH=tests/faults:tests/support:services/accounting/tests/support $(BIN)/python -m drills.$(or $(DRILL),restored) $(ARGS)

bench: install ## Measure reports, and fleets of these sizes, each on a stack of its own: SERVICES=18,40 SECONDS=60 REPORT=1 ONLY=reports,wide,request; or ONLY=gateway, beside other proxies: QUICK=1
ifeq ($(ONLY),gateway)
	@PYTHONPATH=tests/bench $(BIN)/python -m edge $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) \
		$(if $(REPORT),--json docs/reports/gateway.json --page docs/reports/gateway.md) $(ARGS)
else
	@PYTHONPATH=tests/bench:tests/support:tests/faults $(BIN)/python -m measure $(if $(SERVICES),--services $(SERVICES)) \
		$(if $(ONLY),--only $(ONLY)) $(if $(SHARE),--share $(SHARE)) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(IDLE),--idle $(IDLE)) $(if $(REPORT),--report docs/reports) $(ARGS)
endif

bench-services: install ## Measure what so many further services cost, describing, tests and fleet, in scratch copies: N=10 ONLY=describe,tests,fleet REPORT=1
	@PYTHONPATH=tests/bench:tests/support:tests/faults $(BIN)/python -m measure.services $(if $(N),--services $(N)) $(if $(ONLY),--only $(ONLY)) \
		$(if $(IDLE),--idle $(IDLE)) $(if $(REPORT),--report docs/reports) $(ARGS)

imports: install ## Import a file of customers and say what that takes, in this process and on a PostgreSQL of its own: ROWS=100000
	@IMPORT_ROWS=$(or $(ROWS),100000) $(BIN)/python -m pytest -q -s -n0 services/customers/tests/test_many_imports.py

check: install ## Lint, formats, strict types, import boundaries, generated files: all of them, also when one fails
	@$(MAKE) --no-print-directory --keep-going lint words formats types generated

lint:
	$(BIN)/ruff check .

words:
	@$(BIN)/python $(RUNNER) -q -n0 -p no:cacheprovider tests/conformance/test_lints.py

formats:
	$(BIN)/ruff format --check .

types:
	MYPYPATH=$(subst $(SPACE),:,$(SOURCES) $(TESTING)) $(BIN)/mypy $(SOURCES) $(TYPED)

generated:
	@code=0; $(BIN)/tailrace describe --check || code=1; $(BIN)/lint-imports --config dist/importlinter.ini || code=1; exit $$code

s3: .venv/.go ## Build versitygw, an S3 server that keeps object locks: the tests of locked objects use it where it is
	@PATH="$(CURDIR)/.venv/go/bin:$$PATH" GOBIN=$(CURDIR)/$(BIN) GOTOOLCHAIN=local CGO_ENABLED=0 \
		go install github.com/versity/versitygw/cmd/versitygw@v1.8.0

.venv/.go: locks/requirements-s3.lock | install
	@sh .ci/venv .venv/go
	@echo "Installing what locks/requirements-s3.lock names, a Go toolchain …"
	@.venv/go/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/requirements-s3.lock
	@touch $@

olap: .venv/.olap ## Install ClickHouse's engine within a process: the tests of the adapter for ClickHouse use it where it is

.venv/.olap: locks/requirements-olap.lock | install
	@echo "Installing what locks/requirements-olap.lock names …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/requirements-olap.lock
	@touch $@

charts: .venv/.charts ## Build every Helm chart into dist/charts, and check it with helm and the Kubernetes schemas, offline
	@$(CHARTS)/python deploy/helm/check.py

.venv/.charts: locks/requirements-charts.lock | install
	@sh .ci/venv .venv/charts
	@echo "Installing what locks/requirements-charts.lock names, helm among it …"
	@$(CHARTS)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/requirements-charts.lock
	@touch $@

compose: install ## Build every image and run the platform on official ones, with Docker
	@$(BIN)/tailrace describe --build
	@set -a; [ ! -f .env ] || . ./.env; $(BIN)/tailrace secret --into dist/compose/secrets
	docker compose --env-file dist/compose/sizes.env $(if $(wildcard .env),--env-file .env) up --build --wait $(ARGS)

docs: .venv/.docs ## Build the documentation into dist/docs; a broken link, or anything else that Sphinx warns of, is an error
	@rm -rf dist/docs
	@$(BIN)/tailrace describe --build
	@$(DOCS)/python -m sphinx -b html -W --keep-going -q -E -d dist/.doctrees -c docs . dist/docs
	@echo "The documentation is in dist/docs/index.html"

.venv/.docs: locks/requirements-docs.lock | install
	@sh .ci/venv .venv/docs
	@echo "Installing what locks/requirements-docs.lock names …"
	@$(DOCS)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/requirements-docs.lock
	@touch $@

format: install ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## Choose the newest versions again and write the locks (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH (pip install uv)" >&2; exit 1; }
	cd locks && uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements.in -o requirements.lock
	cd locks && uv pip compile --upgrade --no-deps --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-demo.in -o requirements-demo.lock
	cd locks && uv pip compile -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-runtime.in -o requirements-runtime.lock
	@$(MAKE) --no-print-directory lock-services
	cd locks && uv pip compile -c requirements.lock -c requirements-runtime.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-tools.in -o requirements-tools.lock
	cd locks && uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-charts.in -o requirements-charts.lock
	cd locks && uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-s3.in -o requirements-s3.lock
	cd locks && uv pip compile --upgrade -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-containers.in -o requirements-containers.lock
	cd locks && uv pip compile --upgrade -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-olap.in -o requirements-olap.lock
	cd locks && uv pip compile --upgrade -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-docs.in -o requirements-docs.lock
	cd locks && uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-clients.in -o requirements-clients.lock

lock-services: ## Lock what the image of one service alone holds, as the pyproject.toml of each has it; versions stay (needs uv)
	$(or $(PYTHON),python3) libs/tailrace_tools/src/tailrace/codegen/locks.py

clean: ## Stop everything and delete the installation; the data stays
	@[ ! -x $(BIN)/tailrace ] || $(BIN)/tailrace down
	rm -rf .venv

install: $(INSTALLED)

# The data set of `lifetimes` is all that is wanted of it, so its own dependencies stay out.
$(INSTALLED): locks/requirements.lock locks/requirements-demo.lock $(addsuffix /pyproject.toml,$(PACKAGES))
	@sh .ci/venv .venv
	@echo "Installing what locks/requirements.lock names …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r locks/requirements-demo.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation $(addprefix -e ,$(PACKAGES))
	@touch $@
