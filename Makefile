# batchqc: `make demo` runs the main job, `make test` passes the tests. Both set up what they need.

# Which Python: that of the system where it can be used. Distributions compile it with a profile of
# what programs do; what pyenv compiles is a quarter slower. Another one: make PYTHON=/path/to/python3
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
  2>/dev/null && echo /usr/bin/python3 || echo python3)
UV_VERSION := 0.13.8
BIN := .venv/bin
# What the tests look with from outside, at certificates and at CSVs: Debian package by program or file.
PROGRAMS := pdfsig:poppler-utils pdftoppm:poppler-utils qpdf:qpdf mutool:mupdf-tools \
  certutil:libnss3-tools openssl:openssl zbarimg:zbar-tools javac:default-jdk-headless \
  /usr/share/java/jaxb-runtime.jar:libjaxb-java soffice:libreoffice-calc-nogui softhsm2-util:softhsm2 node:nodejs npm:npm \
  faketime:faketime strace:strace unzip:unzip /usr/sbin/nginx:nginx-light /usr/sbin/clamd:clamav-daemon chromium-headless-shell:chromium-headless-shell /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:fonts-dejavu-core
# Tests of the core: they reach every branch of it. The tracer that counts branches takes as long as
# what it counts, so that `make test` counts these only; `make long` counts everywhere.
OF_CORE := tests/core $(sort $(wildcard tests/documents/test_language*.py)) \
  tests/documents/test_impact.py tests/documents/test_profile_file.py \
  tests/documents/test_spec_tools.py

# Workers of the tests: a quarter of their time they wait for servers, programs and each other.
WORKERS ?= $(shell echo $$(( $$(nproc) * 3 / 2 )))

# Else every worker, and every program that the tests start, compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE

# The bill of materials of what is installed at a site, in CycloneDX.
SBOM ?= dist/batchqc.cdx.json

.PHONY: demo test core long lint matrix audit sbom serve screenshots clean

demo: .venv/demo.done  ## the main job: assay CSVs to signed certificates, into demo/
	$(BIN)/batchqc demo --to demo/

test: .venv/test.done programs provider axe store-server  ## everything that every change must pass
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint core
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --share $(OF_CORE:%=--ignore=%)

core: .venv/test.done
	$(BIN)/pytest -q -n auto -p no:tests.houses $(OF_CORE) --cov=batchqc.core --cov-report=
	$(BIN)/coverage report --fail-under=100 --skip-covered

lint: .venv/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

long: .venv/test.done programs provider axe store-server  ## coverage of everything, and benchmarks at full size; what they show is written down
	$(BIN)/uv sync --quiet --frozen --inexact --group long
	BATCHQC_LONG=1 $(BIN)/pytest -q -n auto --timeout=3600 --dist loadfile --cov --cov-report=
	$(BIN)/coverage report --fail-under=92 --skip-covered --sort=cover
	@failed=0; for one in mutation without_locks performance/specification_impact performance/peer_workload \
	  performance/hostile_uploads performance/fifty_rows performance/large_file performance/trends \
	  performance/quality_review performance/charts performance/merkle_log \
	  performance/certificates performance/certificate_search performance/bundle_export performance/pages \
	  performance/growth performance/load performance/faults; do \
	  echo "$$one"; $(BIN)/python tests/$$one.py || failed=1; done; exit $$failed

sbom: .venv/demo.done  ## what is installed at a site, with versions and hashes
	@mkdir -p $(dir $(SBOM))
	@$(BIN)/uv export --quiet --frozen --no-dev --all-extras --format cyclonedx1.5 -o $(SBOM) >/dev/null

audit: .venv/test.done  ## known vulnerabilities of what is installed at a site; what cannot be asked fails
	@mkdir -p dist
	$(BIN)/uv sync --quiet --frozen --inexact --group audit
	$(BIN)/uv export --quiet --frozen --no-dev --all-extras --no-emit-project -o dist/locked.txt >/dev/null
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r dist/locked.txt

matrix: .venv/test.done  ## requirements and their tests in the guide, anew, from the marks
	$(BIN)/python -m tests.matrix

serve: demo  ## pages and API over the demonstration's records, on port 8000
	BATCHQC_SEAL_PASSPHRASE=specimen-only-2026 $(BIN)/batchqc --home demo serve

screenshots: .venv/test.done programs  ## every screen of the guide, anew, into batchqc/guide/screens/
	$(BIN)/python tests/web/screenshots.py $(ONLY)

clean:
	rm -rf .venv demo dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "batchqc needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/demo.done: $(BIN)/uv uv.lock pyproject.toml
	$(BIN)/uv sync --quiet --frozen --no-dev --inexact --compile-bytecode
	@touch $@

.venv/test.done: $(BIN)/uv uv.lock pyproject.toml
	$(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode
	@touch $@ .venv/demo.done

# The OpenID provider that the tests sign in at: a certified one, of the versions in its lock file.
PROVIDER := tests/provider/node_modules/.package-lock.json
.PHONY: provider
provider: $(PROVIDER)
$(PROVIDER): tests/provider/package-lock.json | programs
	@npm ci --silent --no-fund --no-audit --ignore-scripts --prefix tests/provider
	@touch $@

# The S3 server that the tests store in, of the versions in its lock file, apart from what they test.
STORE_SERVER := .venv/store-server/.done
.PHONY: store-server
store-server: $(STORE_SERVER)
$(STORE_SERVER): tests/store_server/requirements.txt | .venv/test.done
	@$(BIN)/uv venv --quiet --clear .venv/store-server
	@$(BIN)/uv pip install --quiet --python .venv/store-server/bin/python --require-hashes -r $<
	@touch $@

# What the tests look at pages with for accessibility.
AXE := tests/web/axe/node_modules/.package-lock.json
.PHONY: axe
axe: $(AXE)
$(AXE): tests/web/axe/package-lock.json | programs
	@npm ci --silent --no-fund --no-audit --ignore-scripts --prefix tests/web/axe
	@touch $@

.PHONY: programs
programs:
	@missing=""; \
	for pair in $(PROGRAMS); do \
	  [ -e "$${pair%%:*}" ] || command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair##*:}"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	missing=$$(echo $$missing | tr ' ' '\n' | sort -u | tr '\n' ' '); \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	else \
	  echo "The tests use programs that are missing. Type:"; \
	  echo "  sudo apt-get install -y $$missing"; exit 1; \
	fi
