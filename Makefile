# SPDX-License-Identifier: MIT
# A thin front: CMake builds, tools/ does the rest.
prefix ?= /usr/local
DESTDIR ?=
SRC ?=
FUZZ_SECONDS ?= 600
BUILD = build/release
# Debian's Python is the one that has Debian's libtorrent.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

.PHONY: all install test demo demo-trackerless soak fuzz fuzz-coverage fuzz-planted bench bench-daemon bench-dht bench-rest bench-yield deb check-style format clean

all:
	@tools/install.sh tools/install-build.txt
	@tools/build.sh release freshet libfreshet generated
	@echo "The program is $(BUILD)/freshet (try: $(BUILD)/freshet help)"

install: all
	@tools/install_files.sh "$(DESTDIR)" "$(prefix)"

test:
	@tools/install.sh tools/install-build.txt tools/install-test.txt
	@tools/test.sh

demo: all
	@tools/demo.sh "$(SRC)"

demo-trackerless: all
	@tools/install.sh tools/install-test.txt
	@tools/demo.sh --trackerless

soak: all
	@tools/soak.sh

fuzz:
	@tools/install.sh tools/install-build.txt tools/install-test.txt
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tools/fuzz.sh campaign

fuzz-coverage:
	@tools/install.sh tools/install-build.txt tools/install-test.txt
	@tools/fuzz.sh coverage

fuzz-planted:
	@tools/install.sh tools/install-build.txt tools/install-test.txt
	@tools/fuzz.sh planted

bench: all
	@tools/install.sh tools/install-test.txt tools/install-bench.txt
	@$(PYTHON) bench/bench.py
	@$(PYTHON) bench/bench_daemon.py

bench-dht: all
	@tools/install.sh tools/install-test.txt tools/install-bench.txt
	@$(PYTHON) bench/bench_dht.py

bench-daemon: all
	@tools/install.sh tools/install-test.txt
	@$(PYTHON) bench/bench_daemon.py

bench-rest: all
	@$(CC) -O2 -D_GNU_SOURCE -I. -o build/engine_at_rest bench/engine_at_rest.c \
		build/release/libfreshet_core.a build/release/libfreshet_panic.a -lcrypto
	@build/engine_at_rest

bench-yield: all
	@tools/install.sh tools/install-test.txt tools/install-bench.txt
	@$(PYTHON) bench/bench_yield.py

deb: all
	@tools/install.sh tools/install-test.txt
	@tools/package.sh

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build
