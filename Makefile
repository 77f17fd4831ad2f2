# The two commands: `make demo` and `make test`. Each sets itself up, and is quick the second time.
# `make evaluate` measures how good it all is, in the notebook.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA_DIR ?= data
PORT ?= 8000
TRACKS ?= 60
# where `make bench` keeps data folders of synthetic tracks: 100,000 take 1 GB and a few minutes
BENCH_DIR ?= $(DATA_DIR)/bench
ASKED = --tracks $(TRACKS) $(if $(EVENTS),--events "$(EVENTS)")
comma := ,
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo catalog test evaluate format bench clean

demo: catalog
	exec $(BIN)/python -m api --data-dir "$(DATA_DIR)" --port $(PORT)

# Music of your own: make demo MUSIC=/path/to/music
catalog: $(VENV)/.installed
ifdef MUSIC
	$(BIN)/python -m indexer reindex "$(MUSIC)" --data-dir "$(DATA_DIR)"
else
	$(BIN)/python -m tools.demo_catalog "$(DATA_DIR)/demo-music"
	$(BIN)/python -m indexer reindex "$(DATA_DIR)/demo-music" --data-dir "$(DATA_DIR)"
endif

# What is indexed already, of yours: make evaluate INDEXED=1 DATA_DIR=/path/to/data
# TRACKS: how many are listened to again; EVENTS: a CSV of what listeners played. The command shows
# how long it will take, and the notebook finds everything measured.
evaluate: $(if $(INDEXED),,catalog) $(VENV)/.installed-evaluation
	$(BIN)/python -m indexer evaluate --data-dir "$(DATA_DIR)" $(ASKED)
	$(BIN)/python -m tools.notebook --data-dir "$(DATA_DIR)" $(ASKED)

test: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

format: $(VENV)/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.network
	$(BIN)/python -m benchmarks.throughput "$(DATA_DIR)/demo-music"
	$(BIN)/python -m benchmarks.vectors "$(DATA_DIR)"
	$(BIN)/python -m benchmarks.paths "$(DATA_DIR)"
	$(BIN)/python -m benchmarks.index_kinds "$(DATA_DIR)"
	mkdir -p "$(BENCH_DIR)"
	$(BIN)/python -m benchmarks.incremental "$(DATA_DIR)" --folder "$(BENCH_DIR)"
	$(BIN)/python -m benchmarks.serving "$(DATA_DIR)" --folder "$(BENCH_DIR)"
	$(INSTALL) --no-deps -r tests/references.txt
	$(BIN)/python -m benchmarks.embedders "$(DATA_DIR)/demo-music" --tracks 4 --seconds 40

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(INSTALL) $(if $(CI),torch==2.13.0) -e ".[test$(if $(CI),$(comma)wav2vec2$(comma)bench)]"
	$(if $(CI),$(INSTALL) --no-deps -r tests/references.txt)
	touch $@

$(VENV)/.installed-evaluation: $(VENV)/.installed
	$(INSTALL) -e ".[evaluation]"
	touch $@

$(VENV)/.installed-bench: $(VENV)/.installed
	$(INSTALL) torch==2.13.0
	$(INSTALL) -e ".[bench,rivals]"
	touch $@
