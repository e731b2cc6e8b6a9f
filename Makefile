# Everything sets itself up: the first call makes the virtual environment .venv and installs into it.
#
#   make test    every check and every test        make bench   benchmarks, as tables
#   make demo    one convolution, end to end       make clean   remove what was generated
#
# PYTHON is the interpreter that .venv is made with, at least 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto

.PHONY: test lint types lit pytest demo bench package clean

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

demo: $(VENV)/.installed
	$(BIN)/python examples/vta_conv2d.py

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/run.py

# A wheel and an sdist, and the wheel tried in an environment of its own.
package: $(VENV)/.installed-test
	rm -rf build/package dist
	$(BIN)/python -m build --quiet --outdir dist .
	$(BIN)/python -m venv build/package
	build/package/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd build/package && bin/python -c 'import vtac.analysis.dominance, vtac.dialects.hardware; print(vtac.__file__)'
	build/package/bin/vtac-opt --version
	build/package/bin/vtac --version
	cd build/package && bin/python $(CURDIR)/examples/vta_vadd.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "vtac needs Python 3.11 or newer; '$(PYTHON)' is older or missing. Try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,cuda]'
	touch $(VENV)/.installed $@

clean:
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
