# Everything runs from here. Needs Node >= 20 with npm, git and make; the Node that the program runs on (24) and all
# else comes with `make setup`, which every other target runs first when it is needed.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo dev build image sbom check test test-fast test-module interop spark bench bench-identities bench-planning bench-workers soak soak-lake soak-maintenance clean reference
.PHONY: plan deploy destroy

BIN := node_modules/.bin
NODE := $(BIN)/node --disable-warning=ExperimentalWarning
VITEST := $(NODE) node_modules/vitest/vitest.mjs
INSTALLED := node_modules/.installed

help: ## this list
	@awk 'BEGIN {FS = ":.*## "; print "make <target>\n"} /^[a-z-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## install what is needed into node_modules
$(INSTALLED): package.json package-lock.json
	@test ! -L node_modules || { printf '%s\n' \
	  'make setup: node_modules is a symbolic link, and nothing was installed' \
	  '  why   npm ci empties the folder that it points to, and whoever works there has no packages left' \
	  '  fix   rm node_modules, then make setup; to share the files of another checkout: cp -al THERE/node_modules .' \
	  '  read  CONTRIBUTING.md#set-up' >&2; exit 2; }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: $(INSTALLED) ## simulated events through stream, lake and questions, with the proof that nothing was lost
	bin/lakeward demo

dev: $(INSTALLED) ## stream and lake in ./.lakeward, until Ctrl-C
	bin/lakeward dev

build: $(INSTALLED) ## compile to dist/, as the published package has it
	rm -rf dist
	$(BIN)/tsc -p tsconfig.build.json

image: $(INSTALLED) ## the container image, with docker or podman if one answers, else with buildah
	$(NODE) infra/image/build.ts

sbom: $(INSTALLED) ## dist/sbom.cdx.json: the production dependencies, as CycloneDX
	$(NODE) infra/image/sbom.ts dist/sbom.cdx.json

check: $(INSTALLED) ## types, lint and format, structure, dead code
	$(BIN)/tsc --noEmit
	$(BIN)/biome ci --colors=off --error-on-warnings .
	$(VITEST) run --project structure --reporter=dot
	$(NODE) node_modules/knip/bin/knip.js
	$(NODE) infra/deploy/check.ts

test: $(INSTALLED) ## every suite, with each suite's minutes
	$(NODE) tests/run.ts

test-fast: $(INSTALLED) ## the unit tests, under a minute
	$(NODE) tests/run.ts unit

test-module: $(INSTALLED) ## one layer alone, on hand-made input: make test-module MODULE=staging
	@test -n "$(MODULE)" || { echo "name a module: make test-module MODULE=staging  (one of: $$(ls -d src/*/ | cut -d/ -f2 | tr '\n' ' '))" >&2; exit 2; }
	@test -d "src/$(MODULE)" || { echo "there is no src/$(MODULE); one of: $$(ls -d src/*/ | cut -d/ -f2 | tr '\n' ' ')" >&2; exit 2; }
	$(VITEST) run --project unit src/$(MODULE)/

interop: $(INSTALLED) ## pyiceberg, Spark, DuckDB, icebird on our tables: every row of the table, and whether it holds
	$(NODE) tests/interop/run-table.ts

spark: $(INSTALLED) ## one contract over DuckDB and Spark, 50 failures in mid-work, both engines side by side: EVENTS=10000000
	$(VITEST) run --project unit tests/contracts/engine-over-duckdb.test.ts tests/contracts/portable.test.ts
	LAKEWARD_SPARK_ROUNDS=$${ROUNDS:-50} $(VITEST) run --project spark tests/spark/ src/engine/spark/
	$(NODE) bench/native-streaming.ts
	$(NODE) bench/spark.ts $${EVENTS:-1000000}

bench: $(INSTALLED) ## flights through stream and staging beside bare DuckDB; last line: figure against bar
	$(NODE) bench/bench.ts

bench-identities: $(INSTALLED) ## exact dedupe at 1 to 100 million event ids; last line: figure against bar
	$(NODE) bench/identities.ts 100

bench-planning: $(INSTALLED) ## what a question over a million files opens: FILES=…; last line: figure against bar
	$(NODE) bench/planning.ts $(or $(FILES),1000000)

bench-workers: $(INSTALLED) ## eight workers on one table, for each catalog: rate and longest time without a commit; last line: figure against bar
	$(NODE) bench/workers.ts $(or $(EVENTS),1000000)

soak: $(INSTALLED) ## schedules, kills, outages and pressure for MINUTES=10, or ONLY= one of them; goes on where it stopped; last line: figure against bar
	$(NODE) bench/soak.ts $(or $(MINUTES),10) $(ONLY)

soak-lake: $(INSTALLED) ## 10,000 orders of events of writers, maintenance, operators and faults on one table; RUNS=… FIRST=… for others
	LAKEWARD_INTERLEAVINGS=$(or $(RUNS),10000) LAKEWARD_FIRST_SEED=$(or $(FIRST),1) $(VITEST) run --project crashes tests/crashes/interleavings --testTimeout=7200000

soak-maintenance: $(INSTALLED) ## 9,000 commits with maintenance: what the table costs at the end; last line: figure against bar
	$(NODE) bench/soak-maintenance.ts

plan: $(INSTALLED) ## what an environment would be, made offline: make plan ENV=prod
	@$(NODE) infra/deploy/plan.ts $(or $(ENV),prod)

deploy: $(INSTALLED) ## deploy: make deploy ENV=local, on LocalStack without Docker, or on ENDPOINT=...
	@ENDPOINT='$(ENDPOINT)' NAME='$(NAME)' APPROVE='$(APPROVE)' $(NODE) infra/deploy/deploy.ts $(or $(ENV),local)

destroy: $(INSTALLED) ## take down what deploy made: make destroy ENV=local
	@ENDPOINT='$(ENDPOINT)' NAME='$(NAME)' APPROVE='$(APPROVE)' $(NODE) infra/deploy/destroy.ts $(or $(ENV),local)

reference: $(INSTALLED) ## write docs/reference/ anew from the tables in the code
	$(NODE) src/cli/reference.ts
	$(NODE) tests/interop/compatibility-page.ts

clean: ## remove what was built and installed, and the demo's lake
	rm -rf dist node_modules .lakeward/demo
