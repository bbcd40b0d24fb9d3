# Each target is one plain command; README shows them for those without make.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
# Libraries that are kept compiled load in half the time; images often forbid to keep them
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help build test test-faults versions rollback lint compile-engines ducklake test-ducklake test-spark forget status dashboards serve-dashboards serving-copy test-bi update docs superset serve-superset superset-assets lock demo clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# An environment from a lock: uv installs it in seconds; where uv can't be had, pip does
define install
	$(PYTHON) -m venv --clear $(1)
	$(1)/bin/pip install --quiet --disable-pip-version-check uv \
		&& $(1)/bin/uv pip install --quiet --python $(1)/bin/python --no-deps --require-hashes -r $(2) \
		|| $(1)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(2)
endef

.venv: requirements.lock
	$(call install,.venv,requirements.lock)
	@touch .venv

# unit tests bring rows of their own, so they say nothing of a shop's data: they are in `test`
build: .venv ## install what is needed and build the warehouse (the demo shop, or CLV_INPUT)
	$(BIN)/dbt build --warn-error --exclude-resource-type unit_test

update: .venv ## every day: build what is new, publish it, and say what changed
	@$(BIN)/python scripts/update.py

test: .venv .venv-boards ## everything: dbt data and unit tests, pytest, lint
	$(MAKE) lint
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-faults: .venv ## faults, random and rare shops: builds killed, full disks, dirty rows
	$(BIN)/pytest -m faults --numprocesses 2 --dist loadfile --no-loadscope-reorder

versions: .venv ## the published versions of the warehouse
	$(BIN)/python scripts/published.py list

rollback: .venv ## serve the published version before, or VERSION=3
	$(BIN)/python scripts/published.py rollback $(VERSION)

status: .venv ## one page: can the numbers be trusted today? (fails where something is red)
	@$(BIN)/python scripts/status.py

lint: .venv ## layout of SQL and Python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/lint_sql.py lint --processes 2 models

.venv/duckdb_extensions: .venv engines/ducklake/requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r engines/ducklake/requirements.lock \
		|| $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r engines/ducklake/requirements.lock
	$(BIN)/python engines/ducklake/install_extensions.py $@
	@touch $@

ducklake: .venv/duckdb_extensions ## what the target ducklake needs (docs/engines.md)

test-ducklake: ducklake ## build the demo shop on DuckLake, compare it with DuckDB (needs PostgreSQL)
	$(BIN)/python engines/ducklake/check_ducklake.py

# The adapter is found through a path file, as a package that is installed would be
.venv-spark: engines/spark/requirements.lock
	$(call install,.venv-spark,engines/spark/requirements.lock)
	.venv-spark/bin/python -c "import sysconfig; print('$(CURDIR)/engines/spark/adapter', file=open(sysconfig.get_path('purelib') + '/sparkconnect.pth', 'w'))"
	@touch .venv-spark

test-spark: .venv-spark ## build the demo shop on a Spark cluster, compare it with DuckDB (needs Java 17)
	.venv-spark/bin/pytest -q engines/spark/tests
	.venv-spark/bin/python engines/spark/check_spark.py

.venv-offline: engines/offline/requirements.lock
	$(call install,.venv-offline,engines/offline/requirements.lock)
	@touch .venv-offline

compile-engines: .venv-offline ## compile and parse all models for PostgreSQL, Redshift, Snowflake, BigQuery
	.venv-offline/bin/python engines/offline/compile_offline.py

.venv-boards: dashboards/boards/requirements.lock
	$(call install,.venv-boards,dashboards/boards/requirements.lock)
	@touch .venv-boards

dashboards: .venv-boards ## the boards as pages that need no server, in dashboards/html
	.venv-boards/bin/python scripts/dashboards.py render

serve-dashboards: .venv-boards ## the boards live, with filters
	.venv-boards/bin/python scripts/dashboards.py serve

serving-copy: .venv/duckdb_extensions ## copy what is published to PostgreSQL, CLV_SERVING_COPY (docs/bi.md)
	@$(BIN)/python scripts/serving_copy.py $(if $(FORCE),--force)

# Superset goes with Python 3.11 and 3.12; with another one: make superset PYTHON=python3.12
.venv-superset: dashboards/superset/requirements.lock
	$(call install,.venv-superset,dashboards/superset/requirements.lock)
	@touch .venv-superset

superset: .venv-superset ## a Superset in .superset with the dashboards in it; again, to update them
	@.venv-superset/bin/python scripts/superset_home.py prepare

serve-superset: .venv-superset ## serve it on this machine, port 8088
	@.venv-superset/bin/python scripts/superset_home.py serve

superset-assets: .venv ## write dashboards/superset/assets anew, after a change of its boards or of a mart
	$(BIN)/python scripts/superset_assets.py

test-bi: .venv .venv-boards .venv-docs .venv-superset .venv/duckdb_extensions ## what needs a server, a browser or another environment
	$(BIN)/pytest -m bi --numprocesses 2 --dist loadfile --no-loadscope-reorder

.venv-docs: docs/requirements.lock
	$(call install,.venv-docs,docs/requirements.lock)
	@touch .venv-docs

docs: .venv .venv-docs ## all tables and columns, and where they come from, as pages in site
	$(BIN)/python scripts/docs_site.py

lock: ## resolve the dependencies anew
	$(BIN)/uv pip compile pyproject.toml --group dev --generate-hashes --universal \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--output-file requirements.lock
	$(BIN)/uv pip compile --group ducklake --constraint requirements.lock --generate-hashes --universal \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--output-file engines/ducklake/requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group spark --constraint requirements.lock --generate-hashes --universal \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--output-file engines/spark/requirements.lock
	$(BIN)/uv pip compile --group offline --generate-hashes --universal \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--output-file engines/offline/requirements.lock
	$(BIN)/uv pip compile --group boards --generate-hashes --universal \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--output-file dashboards/boards/requirements.lock
	$(BIN)/uv pip compile --group docs --generate-hashes --universal \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--output-file docs/requirements.lock
	$(BIN)/uv pip compile --group superset --generate-hashes --universal \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--output-file dashboards/superset/requirements.lock

forget: .venv ## erase people: make forget CUSTOMER=id,id or FILE=ids.txt (README, "Privacy")
	@$(BIN)/python scripts/forget.py --customer "$(CUSTOMER)" --file "$(FILE)"

demo: .venv ## make the demo shop anew
	$(BIN)/python scripts/make_demo_shop.py

clean: ## remove what a build made
	rm -rf target target-boards target-docs logs dashboards/html dashboards/superset/pictures site warehouse/*.duckdb* warehouse/published
