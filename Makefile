# Short names for what there is to do; CMake and Ninja do it.  make help lists them.
BUILD ?= build

.PHONY: build
build:
	@tools/setup.sh
	@cmake -S . -B $(BUILD) -G Ninja >/dev/null && cmake --build $(BUILD)
