# Short names for what there is to do; CMake and Ninja do it.  `make help` lists them.
BUILD  ?= build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)
CONFIG  = cmake -S . -G Ninja -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(FLAGS)
SUITE   = ctest --output-on-failure -j $(JOBS)

.DEFAULT_GOAL := build
.PHONY: help setup setup-tests configure build run train quality test test-asan test-tsan test-long bench size format install clean

help:        ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

setup:
	@tools/setup.sh

setup-tests:
	@tools/setup.sh tests

build: configure ## build/heed, build/libheed.a, build/libheed.so
	@cmake --build $(BUILD) -j $(JOBS)

configure: setup
	@$(CONFIG) -B $(BUILD) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

run: configure ## what messages are about, by the model that ships; then the same as a live stream, with a page
	@cmake --build $(BUILD) -j $(JOBS) --target heed
	@tools/run.sh $(BUILD)/heed

train: configure ## learn 77 intents from 10,003 bank customers' messages, test, answer
	@cmake --build $(BUILD) -j $(JOBS) --target heed
	@tools/train.sh $(BUILD)/heed

quality: build ## labels and tags of docs/BENCHMARKS.md with three seeds, and how far confidence holds, beside what is wanted: hours
	@HEED=$(BUILD)/heed recipes/quality.sh

test: setup-tests build  ## the default suite
	@$(SUITE) --test-dir $(BUILD) -LE long

test-long: setup-tests build ## what takes longer: trainings that learn, cost by length, hundreds of kills, every combination of attention
	@$(SUITE) --test-dir $(BUILD) -L long

test-asan: setup-tests ## the default suite under AddressSanitizer and UBSan
	@$(CONFIG) -B $(BUILD)-asan -DHEED_SANITIZE=address,undefined >/dev/null
	@cmake --build $(BUILD)-asan -j $(JOBS)
	@LSAN_OPTIONS=suppressions=$(CURDIR)/tests/leaks.txt:print_suppressions=0 \
	    $(SUITE) --test-dir $(BUILD)-asan -LE "long|native"

test-tsan: setup-tests ## the default suite under ThreadSanitizer
	@$(CONFIG) -B $(BUILD)-tsan -DHEED_SANITIZE=thread >/dev/null
	@cmake --build $(BUILD)-tsan -j $(JOBS)
	@$(SUITE) --test-dir $(BUILD)-tsan -LE "long|native"

bench: build ## figures of this machine
	@$(BUILD)/heed bench gemm
	@$(BUILD)/heed bench attention
	@$(BUILD)/heed bench ops

size:        ## lines of each part beside its budget
	@tools/size.sh

format:      ## clang-format on every C file
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: build ## headers, libraries, program, pkg-config file and man page under PREFIX
	@cmake --install $(BUILD) --prefix $(PREFIX)
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig # programs find libheed.so at once

clean:       ## remove what was built
	@rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-clang $(BUILD)-arm64
