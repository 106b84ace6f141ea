# Everything that is done here has a target; `make` alone lists them. A fresh clone needs Python 3.11 or later, git and
# make: each target does its own set-up, in .venv, and once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-peers
PEERS_READY := $(PEERS)/.ready
SWIFT := .venv-swift
SWIFT_READY := $(SWIFT)/.ready
VALIDATORS := .venv-validators
VALIDATORS_READY := $(VALIDATORS)/.ready
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
# Tests and benchmarks start hundreds of commands: compiled once, as they are where a user installs them.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/pytest -n auto --maxprocesses 8
# The quick tests lie in memory where there is room: every sync is made, and none is waited for. The slow ones lie on disk.
ROOM := $(shell df --output=avail -B1M /dev/shm 2>/dev/null | tail -n 1)
IN_MEMORY := $(if $(filter 1,$(shell [ "0$(strip $(ROOM))" -ge 4096 ] && echo 1)),PYTEST_DEBUG_TEMPROOT=/dev/shm)

# The first Python that is new enough; one that can make a venv goes before one that cannot.
define CHOOSE_PYTHON
choose() { \
  for python in python3.11 python3.12 python3.13 python3; do \
    "$$python" -c "import sys; assert sys.version_info >= (3, 11)$$1" 2>/dev/null && { echo "$$python"; return; }; \
  done; \
  return 1; \
}; \
python=$$(choose "; import venv, ensurepip" || choose "") \
  || { echo "Python 3.11 or later is needed; the PATH has none." >&2; exit 1; }
endef

# Debian keeps ensurepip in a package of its own. It is installed only where it is missing, and only by root.
define HAVE_VENV
"$$python" -c "import venv, ensurepip" 2>/dev/null || { \
  package=$$("$$python" -c "import sys; print('python%d.%d-venv' % sys.version_info[:2])"); \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    apt-get update -qq && apt-get install -qq -y "$$package" >/dev/null; \
  else \
    echo "$$python cannot make a venv: install the package $$package (or your system's like)." >&2; exit 1; \
  fi; \
}
endef

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

.PHONY: setup
setup: $(READY) ## make .venv with Tianyi and what its tests need

$(READY): setup.cfg pyproject.toml
	@echo "Setting up $(VENV), once …"
	@$(CHOOSE_PYTHON); $(HAVE_VENV); \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear $(VENV); \
	PYTHONWARNINGS=ignore $(BIN)/python $(PIP_INSTALL) --editable '.[test]'  # setuptools warns of editable installs
	@touch $@

.PHONY: demo
demo: $(READY) ## see it work: the life of one accession, in less than half a minute
	@$(BIN)/python -m demo

.PHONY: lint
lint: $(READY) ## style and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary demo docs/make_reference.py

.PHONY: test
test: $(READY) scanner ## style, types and the tests that are quick (all of them, whichever fails)
	@failed=0; $(MAKE) --no-print-directory lint || failed=1; \
	  $(IN_MEMORY) $(PYTEST) -o tmp_path_retention_policy=failed -m "not slow and not exhaustive" || failed=1; exit $$failed

# ClamAV's clamd, a package of Debian, is installed only where it is missing, and only by root; without it the tests
# that need it are skipped.
.PHONY: scanner
scanner:
	@PATH="$$PATH:/usr/sbin" command -v clamd >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null \
	  || { apt-get update -qq && apt-get install -qq -y --no-install-recommends clamav-daemon >/dev/null; } \
	  || echo "Not installed: clamd. The tests of virus scanning need it." >&2

.PHONY: test-slow
test-slow: $(READY) $(SWIFT_READY) $(VALIDATORS_READY) ## the rest of the tests
	@$(PYTEST) -m "slow and not exhaustive" || { code=$$?; [ $$code -eq 5 ] || exit $$code; }  # 5: there are none yet

.PHONY: test-every
test-every: $(READY) ## faults at every call of every verb, kills at every step, every RO-Crate, and not some: about eight minutes more
	@$(PYTEST) -m exhaustive

.PHONY: servers
servers: $(SWIFT_READY) ## make .venv-swift, with the S3 server of the tests (46 MB)

$(SWIFT_READY): $(READY)
	@echo "Setting up $(SWIFT), once …"
	@$(BIN)/python -m venv --clear $(SWIFT)
	@$(SWIFT)/bin/python $(PIP_INSTALL) swift setuptools
	@touch $@

.PHONY: validators
validators: $(VALIDATORS_READY) ## make .venv-validators, with roc-validator and eark-validator, which want older libraries than ours

$(VALIDATORS_READY): $(READY)
	@echo "Setting up $(VALIDATORS), once …"
	@$(BIN)/python -m venv --clear $(VALIDATORS)
	@for validator in 'roc-validator>=0.13,<0.14' 'eark-validator>=1.1.3,<1.2'; do \
	  $(VALIDATORS)/bin/python $(PIP_INSTALL) "$$validator" || echo "Not installed: $$validator. Its tests will say so." >&2; \
	done
	@touch $@

.PHONY: reference
reference: $(READY) ## write docs/reference.md again from the code
	@$(BIN)/python docs/make_reference.py

.PHONY: bench
bench: $(READY) $(PEERS_READY) ## measure beside other tools: about an hour, 8 GB of disk for a while
	@command -v restic >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null \
	  || { apt-get update -qq && apt-get install -qq -y restic >/dev/null; }
	@TIANYI_PEERS="$(CURDIR)/$(PEERS)" $(BIN)/python -m benchmarks --yes

$(PEERS_READY): $(READY)
	@echo "Setting up $(PEERS), once …"
	@$(BIN)/python -m venv --clear $(PEERS)
	@for peer in bagit opf-fido ocfl-py pygfried; do \
	  $(PEERS)/bin/python $(PIP_INSTALL) "$$peer" || echo "Not installed: $$peer. The report will say so."; \
	done
	@touch $@

.PHONY: clean
clean: ## remove what the other targets made
	@rm -rf $(VENV) $(PEERS) $(SWIFT) $(VALIDATORS) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
