# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# What needs an environment makes it first: see `make help`. Every path here is relative, because make cannot hold a
# name with a space, and the folder this stands in may have one. Nothing here needs an activated environment, nor
# lets an activated one or a sourced ROS installation get in.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

WORKERS ?= 2

VENV := .venv
PYTHON_IN := $(VENV)/bin/python
DONE := $(VENV)/.done

export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export AMENT_PREFIX_PATH := $(CURDIR)/$(VENV)
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME CMAKE_PREFIX_PATH COLCON_PREFIX_PATH RMW_IMPLEMENTATION ROS_LOCALHOST_ONLY

sources = $(shell find $(1) -type f ! -name '*.pyc' 2>/dev/null)
MSGS_SOURCES := $(call sources,vos_msgs cmake)
PACKAGE_SOURCES := $(call sources,vos_ros launch config weights scripts resource) setup.py setup.cfg package.xml

.PHONY: help
help:
	@echo 'make demo    play a video as a camera, follow two objects in it, write what came back to OUT (out/demo)'
	@echo '             VIDEO=file-or-folder MASK=png: your own video, and the mask of its first frame'
	@echo '             TRUTH=folder: true masks, one a frame, to score what came back'
	@echo 'make test    run all tests'
	@echo 'make soak    drive the node among faults for SECONDS=120, and tell what became of it (docs/soak.md)'
	@echo 'make fuzz    try random inputs on all that reads what others write, for SECONDS=600'
	@echo 'make setup   make the environment in .venv; those above do it themselves'
	@echo 'make lint    check rules, layout and annotations of the sources; `make test` does it, too'
	@echo 'make docs    write the site of the documents to out/site, and the tables in them anew'
	@echo 'make lock    resolve requirements.in into requirements.txt anew (needs uv)'
	@echo 'make clean   remove build products and caches; `make distclean` also .venv and out'

.PHONY: setup
setup: $(DONE)/vos_ros
	@echo 'The environment in $(VENV) is ready.'

.PHONY: demo
demo: setup
	@$(PYTHON_IN) -m vos_ros demo $${VIDEO:+--video "$$VIDEO"} $${MASK:+--mask "$$MASK"} \
	    $${TRUTH:+--truth "$$TRUTH"} --out "$${OUT:-out/demo}"

.PHONY: test
test: setup
	@$(PYTHON_IN) -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

.PHONY: soak
soak: setup
	@$(PYTHON_IN) -m vos_ros soak --seconds $(or $(SECONDS),120) --seed $(or $(SEED),0) --json out/soak/report.json

.PHONY: fuzz
fuzz: setup
	@$(PYTHON_IN) test/fuzz.py --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)

.PHONY: lint
lint: setup
	@$(PYTHON_IN) -m ruff check .
	@$(PYTHON_IN) -m ruff format --check .
	@$(PYTHON_IN) -m mypy

.PHONY: docs
docs: setup
	@$(PYTHON_IN) scripts/docs/generate.py
	@NO_MKDOCS_2_WARNING=1 $(PYTHON_IN) -m mkdocs build --quiet --strict
	@echo 'The site is in out/site: open out/site/index.html.'

.PHONY: lock
lock:
	@uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header requirements.in \
	    | grep -vE '^(nvidia|cuda)-|^triton==' > requirements.new
	@{ echo '# The lock of requirements.in, made by `make lock`.'; cat requirements.new; } > requirements.txt
	@rm requirements.new
	@echo mkdocs-material | uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header \
	    --constraint requirements.txt - > requirements.new
	@{ sed -n 1p requirements-docs.txt; cat requirements.new; } > requirements-docs.new
	@mv requirements-docs.new requirements-docs.txt
	@rm requirements.new

.PHONY: clean
clean:
	rm -rf build install log *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean
	rm -rf $(VENV) out

# --- the environment, in four steps; each leaves a file that tells when it was done ---------------------------------

$(DONE)/python: scripts/setup/make-venv
	@scripts/setup/make-venv $(VENV)
	@mkdir -p $(DONE)
	@touch $@

$(DONE)/requirements: requirements.txt requirements-test.txt requirements-docs.txt $(DONE)/python
	@echo 'Installing the pinned requirements (a few minutes the first time, torch being large) ...'
	@$(PYTHON_IN) -m pip install -qq -r requirements.txt
	@$(PYTHON_IN) -m pip install -qq --no-deps -r requirements-test.txt -r requirements-docs.txt
	@touch $@

$(DONE)/vos_msgs: $(MSGS_SOURCES) $(DONE)/requirements
	@echo 'Building the interface package vos_msgs (about 10 s) ...'
	@scripts/setup/build-vos-msgs $(VENV)
	@touch $@

$(DONE)/vos_ros: $(PACKAGE_SOURCES) $(DONE)/vos_msgs
	@echo 'Installing vos_ros into $(VENV) ...'
	@rm -rf build/lib build/bdist.*
	@$(PYTHON_IN) -m pip install -qq --no-deps --no-build-isolation --force-reinstall .
	@touch $@
