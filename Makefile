# smartcity: see README.md. `make help` lists the targets.
#
# Three builds stand side by side: build/release, build/debug and build/asan, chosen by MODE. The release
# program is also build/smartcity. The engine (src/ without main.c) and the screen (ui/) are two archives, so
# that an engine test that needed curses would not link.

MODE    ?= release
PREFIX  ?= /usr/local
DESTDIR ?=
V       ?= 0
VERSION := 0.1.0

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),@:,@printf '  %-7s %s\n' $(1) $(2))

# ---- packages -------------------------------------------------------------------------------------------
# pkg-config name -> Debian package. `make deps` installs what is missing; nothing else here touches the system.
MODULES  := rdkafka ncursesw libcurl libmicrohttpd jansson sqlite3 libzstd zlib libcrypto cairo libturbojpeg chafa inih
PACKAGES := gcc libc6-dev pkg-config librdkafka-dev libncurses-dev libcurl4-openssl-dev libjansson-dev \
            libsqlite3-dev libmicrohttpd-dev libzstd-dev zlib1g-dev libssl-dev libcairo2-dev libturbojpeg0-dev libchafa-dev libinih-dev
TEST_PACKAGES := libcmocka-dev
CLIENT_PACKAGES := python3 python3-venv npm
CHECK_PACKAGES := clang libclang-rt-dev clang-format clang-tidy cppcheck valgrind

-include .ci/local.mk

# ---- flags ----------------------------------------------------------------------------------------------
CC       ?= cc
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wformat=2 -Wno-unused-parameter -Wno-missing-field-initializers
WERROR   ?=
ifeq ($(MODE),release)
OPT := -O2 -g -DNDEBUG
else ifeq ($(MODE),debug)
OPT := -O0 -g3
else ifeq ($(MODE),asan)
OPT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifeq ($(MODE),fuzz)
CC  := clang
OPT := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined
else
$(error MODE is release, debug, asan or fuzz, not '$(MODE)')
endif
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
ifneq ($(MODE),release)
HARDEN   := -fPIE
endif

PKG_CFLAGS = $(shell pkg-config --cflags $(MODULES))
ENGINE_LIBS = $(shell pkg-config --libs $(filter-out ncursesw chafa,$(MODULES))) -lm -lpthread -ldl
UI_LIBS     = $(shell pkg-config --libs ncursesw chafa)

B := build/$(MODE)
CPPFLAGS += -D_GNU_SOURCE -DSMARTCITY_VERSION='"$(VERSION)"' -Isrc -I. -Ibuild/gen
CFLAGS   += -std=c17 $(OPT) $(HARDEN) $(WARNINGS) $(WERROR)

# ---- sources --------------------------------------------------------------------------------------------
ENGINE_SRC := $(filter-out src/main.c,$(wildcard src/*/*.c))
UI_SRC     := $(wildcard ui/*.c ui/panels/*.c)
GEN_SRC    := build/gen/geo_tables.c build/gen/sql_text.c build/gen/saved_sql.c
UNIT_SRC   := $(wildcard tests/unit/test_*.c)
UITEST_SRC := $(wildcard tests/ui/test_*.c)
INTEG_SRC  := $(wildcard tests/integration/test_*.c)
BENCH_SRC  := $(wildcard tests/bench/bench_*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)

ENGINE_OBJ := $(ENGINE_SRC:%.c=$(B)/%.o) $(GEN_SRC:build/gen/%.c=$(B)/gen/%.o)
UI_OBJ     := $(UI_SRC:%.c=$(B)/%.o)
SUPPORT_OBJ := $(SUPPORT_SRC:%.c=$(B)/%.o)
UNIT_BIN   := $(UNIT_SRC:%.c=$(B)/%)
UITEST_BIN := $(UITEST_SRC:%.c=$(B)/%)
INTEG_BIN  := $(INTEG_SRC:%.c=$(B)/%)
BENCH_BIN  := $(BENCH_SRC:%.c=$(B)/%)
FUZZ_BIN   := $(FUZZ_SRC:%.c=$(B)/%)

PROGRAM := $(if $(filter release,$(MODE)),build/smartcity,$(B)/smartcity)

.PHONY: all run test test-clients test-foreign check bench fuzz docs install clean deps help program test-binaries duckdb test-cloud test-torture torture
.DELETE_ON_ERROR:
.SECONDARY:

all: deps
	$(Q)$(MAKE) --no-print-directory program

program: $(PROGRAM)

help:
	@echo 'make            build build/smartcity (installing what is missing)'
	@echo 'make run        build and open the console; RUN="--seed 9" passes arguments'
	@echo 'make test       build with ASan and UBSan, run every test'
	@echo 'make test-clients   the local cloud under the aws CLI, boto3 and the JavaScript SDK, fetched once'
	@echo 'make test-foreign   the AWS client against moto and versitygw, fetched once'
	@echo 'make check      layers, formatting, static analysis, generated documents'
	@echo 'make duckdb     fetch the SQL engine of the local cloud into build/lib'
	@echo 'make test-cloud the tests that need it'
	@echo 'make test-torture   100 kills on the way from Kafka to Redshift; each event arrives once'
	@echo 'make torture    the same with 1,000; TORTURE="--kills 50 --seed 7" passes arguments'
	@echo 'make bench      figures, as ratios to a bare loop in the same run'
	@echo 'make fuzz       fuzzers, FUZZ_SECONDS=30 each'
	@echo 'make docs       man pages, keys and completion from the tables'
	@echo 'make install    DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)'
	@echo 'MODE=release|debug|asan|fuzz   V=1 shows the commands   WERROR=-Werror'

# ---- what is missing ------------------------------------------------------------------------------------
# Says what it will install before it does; asks for sudo only when not root.
deps_for = missing=; for package in $(1); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	    echo "smartcity needs these Debian packages, installing them now:$$missing" >&2; \
	    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	    if [ -n "$$sudo" ] && ! command -v sudo >/dev/null; then \
	        echo "not root, and sudo is not here; as root: apt-get install$$missing" >&2; exit 1; fi; \
	    $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >&2 || exit 1; \
	fi

deps:
	@command -v dpkg-query >/dev/null || { echo 'not a Debian system: install the libraries of README.md by hand' >&2; exit 0; }; \
	$(call deps_for,$(PACKAGES))

deps-test: deps
	@command -v dpkg-query >/dev/null || exit 0; $(call deps_for,$(TEST_PACKAGES))

deps-check: deps-test
	@command -v dpkg-query >/dev/null || exit 0; $(call deps_for,$(CHECK_PACKAGES))

# DuckDB's library, which the program loads when SQL is first needed: fetched once, and checked.
duckdb:
	$(Q)sh data/fetch_duckdb.sh build/lib

# ---- compile and link -----------------------------------------------------------------------------------
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/gen/%.o: build/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The geodata tables become C arrays of int32 Mercator vertices, by a small program of our own.
build/gen/compile_geo: data/compile_geo.c data/geo_reader.c src/city/geo_math.c data/geo_reader.h src/city/geo.h src/city/geo_tables.h
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(CC) -D_GNU_SOURCE -std=c17 -O1 $(WARNINGS) -Isrc $(filter %.c,$^) -o $@ -lm

build/gen/geo_tables.c: build/gen/compile_geo $(wildcard data/geo/*.tsv)
	$(call say,GEN,$@)
	$(Q)build/gen/compile_geo data/geo >$@

build/gen/sql_text.c: data/compile_sql.sh $(wildcard data/sql/*.sql)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)sh data/compile_sql.sh $(filter %.sql,$^) >$@

build/gen/saved_sql.c: data/compile_saved.sh $(wildcard data/sql/saved/*/*.sql)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)sh data/compile_saved.sh $(filter %.sql,$^) >$@

$(B)/libengine.a: $(ENGINE_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar qcs $@ $^

$(B)/libui.a: $(UI_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar qcs $@ $^

$(PROGRAM): $(B)/src/main.o $(B)/libui.a $(B)/libengine.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $^ -o $@ $(LDFLAGS) $(UI_LIBS) $(ENGINE_LIBS)

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(SUPPORT_OBJ) $(B)/libengine.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $^ -o $@ $(LDFLAGS) $(ENGINE_LIBS) -lcmocka

$(B)/tests/ui/%: $(B)/tests/ui/%.o $(SUPPORT_OBJ) $(B)/libui.a $(B)/libengine.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $^ -o $@ $(LDFLAGS) $(UI_LIBS) $(ENGINE_LIBS) -lcmocka

$(B)/tests/integration/%: $(B)/tests/integration/%.o $(SUPPORT_OBJ) $(B)/libengine.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $^ -o $@ $(LDFLAGS) $(ENGINE_LIBS) -lcmocka -lutil

$(B)/tests/bench/%: $(B)/tests/bench/%.o $(SUPPORT_OBJ) $(B)/libui.a $(B)/libengine.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $^ -o $@ $(LDFLAGS) $(UI_LIBS) $(ENGINE_LIBS) -lutil

$(B)/tests/torture/broker: $(B)/tests/torture/broker.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $^ -o $@ $(LDFLAGS) $(shell pkg-config --libs rdkafka jansson)

$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libengine.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer -pie $^ -o $@ $(LDFLAGS) $(ENGINE_LIBS)

-include $(ENGINE_OBJ:.o=.d) $(UI_OBJ:.o=.d) $(UNIT_BIN:=.d) $(UITEST_BIN:=.d) $(INTEG_BIN:=.d) \
         $(BENCH_BIN:=.d) $(FUZZ_BIN:=.d) $(SUPPORT_OBJ:.o=.d) $(B)/src/main.d

# ---- targets --------------------------------------------------------------------------------------------
# DuckDB comes in the background: the console is there at once, and its lake as soon as that is.
run: all
	$(Q)sh data/fetch_duckdb.sh --quiet build/lib >build/duckdb.log 2>&1 &
	$(Q)build/smartcity $(RUN)

test-binaries: $(PROGRAM) $(UNIT_BIN) $(UITEST_BIN) $(INTEG_BIN)

# TESTS="tests/unit/test_codec tests/ui/test_drive" runs only those.
test: deps-test
	$(Q)$(MAKE) --no-print-directory MODE=asan test-binaries
	$(Q)sh tests/run build/asan $(TESTS)

# What runs SQL: as `test`, with DuckDB there.
CLOUD_TESTS := $(basename $(foreach name,duckdb athena catalogue redshift lake glue,\
                 $(wildcard tests/unit/test_$(name)*.c tests/integration/test_$(name)*.c)))
test-cloud: deps-test duckdb
	$(Q)$(MAKE) --no-print-directory MODE=asan $(CLOUD_TESTS:%=build/asan/%)
	$(Q)sh tests/run build/asan $(CLOUD_TESTS)

# Everything from Kafka to Redshift, killed at random moments (tests/torture/torture.py); needs python3 alone.
test-torture: TORTURE ?= --kills 100
torture: TORTURE ?= --kills 1000
test-torture torture: deps-test duckdb
	@command -v dpkg-query >/dev/null || exit 0; $(call deps_for,$(if $(shell command -v python3),,python3))
	$(Q)$(MAKE) --no-print-directory program build/release/tests/torture/broker
	$(Q)python3 tests/torture/torture.py $(TORTURE)

# Clients that others wrote, in a virtual environment of their own (build/clients). CLIENTS="test_s3" runs only those.
test-clients: deps-test duckdb
	@command -v dpkg-query >/dev/null || exit 0; $(call deps_for,$(if $(shell command -v npm),$(filter-out npm,$(CLIENT_PACKAGES)),$(CLIENT_PACKAGES)))
	$(Q)$(MAKE) --no-print-directory MODE=asan program
	$(Q)sh tests/clients/run build/asan $(CLIENTS)

# The AWS client against servers that others wrote (build/foreign).
test-foreign: deps-test
	@command -v dpkg-query >/dev/null || exit 0; $(call deps_for,$(filter-out npm,$(CLIENT_PACKAGES)))
	$(Q)$(MAKE) --no-print-directory MODE=asan build/asan/tests/integration/test_aws
	$(Q)sh tests/foreign/run build/asan

bench: deps
	$(Q)$(MAKE) --no-print-directory MODE=release program $(BENCH_SRC:%.c=build/release/%)
	$(Q)sh tests/bench/run build/release $(BENCHES)

FUZZ_SECONDS ?= 30
fuzz: deps-check
	$(Q)$(MAKE) --no-print-directory MODE=fuzz $(FUZZ_SRC:%.c=build/fuzz/%)
	$(Q)sh tests/fuzz/run build/fuzz $(FUZZ_SECONDS)

check: deps-check
	$(Q)sh tests/check/run

# What comes from the tables of commands and options; `make check` compares.
docs: program
	$(Q)sh tests/check/generated write

install: program
	install -D -m 755 build/smartcity $(DESTDIR)$(PREFIX)/bin/smartcity
	install -D -m 644 docs/smartcity.1 $(DESTDIR)$(PREFIX)/share/man/man1/smartcity.1
	install -D -m 644 docs/smartcity.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/smartcity.conf.5
	[ ! -f build/lib/libduckdb.so ] || install -D -m 644 build/lib/libduckdb.so $(DESTDIR)$(PREFIX)/lib/smartcity/libduckdb.so
	install -D -m 644 docs/smartcity.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/smartcity

clean:
	rm -rf build
