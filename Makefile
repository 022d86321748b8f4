# The project's commands. Continuous integration runs `make test` and nothing else.
#
#   make demo    train on real data from the command line and use the model
#   make test    everything that has to hold: environment, build, checks, every test
#   make help    all commands
.POSIX:
.SUFFIXES:
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV = .venv
BENCH = .venv-bench
# ON: a build without the native kernel fails. AUTO and OFF as in pyproject.toml.
KILONET_KERNEL ?= ON
export KILONET_KERNEL PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# Options of `make bench`, such as ARGS=--write-readme, and of `make bench-tables`, such as ARGS=--write.
ARGS =

KERNEL = $(wildcard CMakeLists.txt src/kilonet/engine/kernel/*)
INSTALL = -m pip install --quiet
EDITABLE = $(INSTALL) --no-build-isolation --editable

.PHONY: help env build check format test demo bench bench-tables calibrate choosing soak docs dist clean distclean system

help:
	@echo "make env      the development environment in $(VENV), with the package installed editable"
	@echo "make build    the native kernel, after a change in it"
	@echo "make check    formatting, lint, types, imports, line budgets"
	@echo "make format   let the formatter and the linter mend what they can"
	@echo "make test     system packages, environment, build, check, then every test"
	@echo "make demo     fit, show and predict on real data from the command line"
	@echo "make bench    measure against PyTorch, JAX, scikit-learn and ONNX Runtime (environment in $(BENCH))"
	@echo "make bench-tables  what learners make of real tables at their defaults; many hours, goes on where it was"
	@echo "make calibrate  how often the verdicts of a search are right; half an hour or more"
	@echo "make choosing   how long choosing a network takes, beside scikit-learn's grid search"
	@echo "make soak     kill a search at twenty moments and go on with it"
	@echo "make docs     the gallery of experiments in docs/notes.md, pages of the Python interface in build/docs"
	@echo "make dist     source distribution and wheel in dist/"
	@echo "make clean    remove what was built; make distclean: the environments too"

system:
	@tools/system_packages.sh

$(VENV)/bin/python: | system
	$(PYTHON) -m venv $(VENV)

# Installing the package builds the kernel too, so the second stamp is as good as new.
$(VENV)/.ready: pyproject.toml tools/build_requirements.py | $(VENV)/bin/python
	$(VENV)/bin/python $(INSTALL) $$($(VENV)/bin/python tools/build_requirements.py)
	more="$$($(VENV)/bin/python tools/build_requirements.py --backend)" && \
	    { [ -z "$$more" ] || $(VENV)/bin/python $(INSTALL) $$more; }
	$(VENV)/bin/python $(EDITABLE) ".[dev]"
	@touch $@ $(VENV)/.built

$(VENV)/.built: $(VENV)/.ready $(KERNEL)
	$(VENV)/bin/python $(EDITABLE) . --no-deps
	@touch $@

env: system $(VENV)/.ready

build: env $(VENV)/.built

check: build
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python tools/budgets.py

format: env
	$(VENV)/bin/ruff check --fix --exit-zero
	$(VENV)/bin/ruff format

test: build check
	@tools/system_packages.sh tests
	$(VENV)/bin/python -m pytest

demo: build
	@mkdir -p build
	$(VENV)/bin/kilonet fit digits --hidden 64,32 --l2 1e-3 --out build/digits.kn
	$(VENV)/bin/kilonet show build/digits.kn
	$(VENV)/bin/python tools/digit_rows.py build/digits.csv
	$(VENV)/bin/kilonet predict build/digits.kn build/digits.csv

$(VENV)/.docs: $(VENV)/.ready
	$(VENV)/bin/python $(EDITABLE) ".[docs]"
	@touch $@

$(BENCH)/bin/python: | system
	$(PYTHON) -m venv $(BENCH)

# A build folder of its own: CMake remembers the environment that it was configured in.
BENCH_EDITABLE = $(EDITABLE) . --config-settings=build-dir=build/bench/{wheel_tag}

$(BENCH)/.ready: benchmarks/requirements.txt pyproject.toml tools/build_requirements.py | $(BENCH)/bin/python
	$(BENCH)/bin/python $(INSTALL) $$($(BENCH)/bin/python tools/build_requirements.py)
	more="$$($(BENCH)/bin/python tools/build_requirements.py --backend)" && \
	    { [ -z "$$more" ] || $(BENCH)/bin/python $(INSTALL) $$more; }
	$(BENCH)/bin/python $(INSTALL) --requirement benchmarks/requirements.txt
	$(BENCH)/bin/python $(BENCH_EDITABLE)
	@touch $@ $(BENCH)/.built

$(BENCH)/.built: $(BENCH)/.ready $(KERNEL)
	$(BENCH)/bin/python $(BENCH_EDITABLE) --no-deps
	@touch $@

bench: system $(BENCH)/.built
	$(BENCH)/bin/python -m benchmarks $(ARGS)

$(BENCH)/.tables: benchmarks/requirements-tables.txt benchmarks/requirements-tables-alone.txt $(BENCH)/.ready
	$(BENCH)/bin/python $(INSTALL) --requirement benchmarks/requirements-tables.txt
	$(BENCH)/bin/python $(INSTALL) --no-deps --requirement benchmarks/requirements-tables-alone.txt
	@touch $@

bench-tables: system $(BENCH)/.built $(BENCH)/.tables
	$(BENCH)/bin/python -m benchmarks.tables $(ARGS)

# Both need no peers but scikit-learn, so the development environment does.
calibrate: build
	$(VENV)/bin/python -m benchmarks.calibration $(ARGS)

choosing: build
	$(VENV)/bin/python -m benchmarks.choosing $(ARGS)

soak: build
	KILONET_KILLS=20 $(VENV)/bin/python -m pytest -q tests/unit/test_search_store.py

docs: build $(VENV)/.docs
	$(VENV)/bin/python tools/gallery.py
	$(VENV)/bin/python -m pdoc --output-directory build/docs --no-show-source kilonet

dist: build
	$(VENV)/bin/python -m build --no-isolation --outdir dist

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f $(VENV)/.built $(BENCH)/.built

distclean: clean
	rm -rf $(VENV) $(BENCH)
