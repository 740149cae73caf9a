# Faktotum. `make demo` and `make test` work as the first command on a fresh
# Debian or Ubuntu machine; `make help` lists the rest.

VERSION = 0.1.0

O          ?= build
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
SBINDIR    ?= $(PREFIX)/sbin
DOCDIR     ?= $(PREFIX)/share/doc/faktotum
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share/faktotum
SYSCONFDIR ?= /etc
PKG_CONFIG ?= pkg-config
# Where systemd looks for what belongs to this prefix.
from_systemd = $(shell $(PKG_CONFIG) --define-variable=prefix=$(PREFIX) \
    --define-variable=rootprefix=$(PREFIX:/usr=) --variable=$(1) systemd 2>/dev/null)
UNITDIR     ?= $(or $(call from_systemd,systemd_system_unit_dir),$(PREFIX)/lib/systemd/system)
SYSUSERSDIR ?= $(or $(call from_systemd,sysusers_dir),$(PREFIX)/lib/sysusers.d)
TMPFILESDIR ?= $(or $(call from_systemd,tmpfiles_dir),$(PREFIX)/lib/tmpfiles.d)
CATALOGDIR  ?= $(or $(call from_systemd,catalogdir),$(PREFIX)/lib/systemd/catalog)
CLANG      ?= clang
PYTHON     ?= $(shell contrib/find-python)

CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion \
           -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
           -Wpointer-arith -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wcast-qual
# Branches land where they may, on processors that can check it.
machine         := $(shell $(CC) -dumpmachine 2>/dev/null)
branches_x86_64  = -fcf-protection
branches_aarch64 = -mbranch-protection=standard
HARDEN  ?= -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE \
           $(branches_$(firstword $(subst -, ,$(machine))))
HARDENLD ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack

# What each library is called by pkg-config; contrib/need-libs names the
# package to install when one is missing. libev has no .pc file everywhere.
# jansson is the oracle that our JSON scanner is fuzzed against.
LIBS_faktotum        = yaml-0.1 libsystemd libssl libcrypto
LIBS_faktotum-server = yaml-0.1 libssl libsystemd libcrypto sqlite3 libmicrohttpd libpcre2-8 hiredis
LIBS_all             = $(sort $(LIBS_faktotum) $(LIBS_faktotum-server) jansson)

all: $(O)/faktotum $(O)/faktotum-server

help:
	@echo 'demo      install what is missing, build, run real jobs, show the result'
	@echo 'test      install what is missing, build, run every test'
	@echo 'all       build faktotum and faktotum-server below $(O)/'
	@echo 'check     format, include arrows, warnings as errors, static analysis, hardening'
	@echo 'sanitize  the tests under address, undefined and thread sanitizers'
	@echo 'valgrind  the unit tests under valgrind: leaks and descriptors'
	@echo 'coverage  lines and branches that the tests run, per room, with a mark'
	@echo 'fuzz      every fuzz target for SECONDS=60'
	@echo 'crash     kill -9 of server and supervisor under load, ROUNDS=20'
	@echo 'fault     a table of faults and what was promised; ROWS=some of them'
	@echo 'fault-selftest  that these rigs fail when something is wrong'
	@echo 'walk      COMMANDS=200000 at random, beside a model, with faults and kills'
	@echo 'soak      JOBS=30000 mixed jobs through random troubles, MINUTES=10 at least; nothing may grow'
	@echo 'systemd-test  the units under a real systemd, in a container; as root'
	@echo 'vm-test   cgroup limits in a virtual machine with a unified tree'
	@echo 'callgrind the baseline of instructions a job, that make check compares with'
	@echo 'bench     side by side with a stock server and other workers'
	@echo 'interop   with stock servers and Node, Go, Python and Rust clients'
	@echo 'man       the man pages below $(O)/man'
	@echo 'install   into DESTDIR/PREFIX, with systemd units'

# ---- The rooms -------------------------------------------------------------

rooms      = base protocol config handlers supervisor cli server
src_server = $(wildcard server/*.c server/store/*.c server/web/*.c server/schema/*.c server/import/*.c)
$(foreach r,base protocol config handlers supervisor cli,\
  $(eval src_$r = $(wildcard $r/*.c)))
mains      = cli/main.c server/main.c

below_base       =
below_protocol   = base
below_config     = base
below_handlers   = base
below_supervisor = handlers config protocol base
below_cli        = supervisor handlers config protocol base
below_server     = config protocol base

obj     = $(patsubst %.c,$(O)/obj/%.o,$(1))
archive = $(patsubst %,$(O)/lib/lib%.a,$(1))
with    = $(call archive,$(1) $(below_$(1)))

# Debian's hiredis asks for large files, which changes what a test's shim for
# pwrite() and its like must be called; nothing of hiredis depends on it.
pkg_cflags := $(filter-out -D_FILE_OFFSET_BITS=64,\
  $(shell $(PKG_CONFIG) --cflags $(LIBS_all) 2>/dev/null))
pkg_libs    = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

override CPPFLAGS += -I. -D_GNU_SOURCE -DFAKTOTUM_VERSION='"$(VERSION)"' $(pkg_cflags)
override COMPILE = $(CC) -std=gnu11 $(CPPFLAGS) $(WARN) $(WERROR) $(HARDEN) $(CFLAGS) -pthread

$(O)/faktotum: $(O)/obj/cli/main.o $(call with,cli) | libs
	$(call say,LD) $(CC) $(HARDENLD) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lev $(call pkg_libs,$(LIBS_faktotum))

$(O)/faktotum-server: $(O)/obj/server/main.o $(call with,server) | libs
	$(call say,LD) $(CC) $(HARDENLD) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lev $(call pkg_libs,$(LIBS_faktotum-server))

define room_archive
$(O)/lib/lib$(1).a: $(call obj,$(filter-out $(mains),$(src_$(1))))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR) $$(AR) rcs $$@ $$^
endef
$(foreach r,$(rooms),$(eval $(call room_archive,$r)))

# make V=1 shows the commands.
say = $(if $(V),,@echo '  $(1)  $@' &&)

# Every object knows the flags it was built with: other flags, other objects.
$(O)/obj/%.o: %.c $(O)/flags | libs
	@mkdir -p $(@D)
	$(call say,CC) $(COMPILE) -MMD -MP -c -o $@ $<

$(O)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(COMPILE))' | cmp -s - $@ || echo '$(subst ','\'',$(COMPILE))' > $@

libs:
	@contrib/need-libs $(PKG_CONFIG) $(LIBS_all)

# ---- Tests -----------------------------------------------------------------

unit_src  = $(wildcard tests/unit/test_*.c)
unit_bin  = $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(unit_src))
room_of   = $(firstword $(subst /, ,$(firstword $(wildcard $(foreach r,$(rooms),$(r)/$(1).c) server/store/$(1).c server/web/$(1).c server/schema/$(1).c server/import/$(1).c))))

define unit_test
$(O)/tests/unit/test_$(1): $(O)/obj/tests/unit/test_$(1).o $(call with,$(call room_of,$(1)))
	@mkdir -p $$(@D)
	$$(call say,LD) $$(CC) $$(CFLAGS) $$(LDFLAGS) -pthread -o $$@ $$^ -lcmocka -lev $$(call pkg_libs,$$(LIBS_all))
endef
$(foreach t,$(patsubst tests/unit/test_%.c,%,$(unit_src)),$(eval $(call unit_test,$t)))

# What the integration tests start beside the two programs.
tools_src = $(wildcard tests/handlers/*.c tests/support/*.c)
tools_bin = $(patsubst %.c,$(O)/%,$(tools_src))
$(tools_bin): $(O)/%: $(O)/obj/%.o
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $<

# What the fault rig preloads into them: clocks, writes and syncs that go wrong.
shim = $(O)/tests/fault/shim.so
$(shim): tests/fault/shim.c tests/fault/shim_files.c tests/fault/shim.h tests/fault/shim_inside.h $(O)/flags
	@mkdir -p $(@D)
	$(call say,LD) $(filter-out -fPIE,$(COMPILE)) $(LDFLAGS) -fPIC -shared -o $@ $(filter %.c,$^) -ldl

bench_bin = $(O)/bench/load $(O)/bench/bare_loop $(O)/bench/first_step $(O)/bench/beanstalk_load
$(O)/bench/load $(O)/bench/first_step: $(O)/obj/tests/bench/wire.o
$(bench_bin): $(O)/bench/%: $(O)/obj/tests/bench/%.o
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^

steps_bin = $(O)/bench/worker_steps $(O)/bench/server_steps
$(O)/bench/worker_steps: $(O)/obj/tests/bench/worker_steps.o $(call with,supervisor)
$(O)/bench/server_steps: $(O)/obj/tests/bench/server_steps.o $(call with,server)
$(steps_bin):
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(HARDENLD) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lev $(call pkg_libs,$(LIBS_all))

# deps-build-test installs the sets build and test of contrib/install-deps.
deps: deps-build
deps-%: FORCE
	@contrib/install-deps $(subst -, ,$*)

unit: $(unit_bin)
tools: $(tools_bin) $(shim) $(steps_bin) $(bench_bin)

test: deps-build-test
	+@$(MAKE) --no-print-directory test-here
test-here: all unit tools fuzz-regress
	$(PYTHON) tests/run --build-dir $(O) unit integration

demo: deps-build-demo
	+@$(MAKE) --no-print-directory all
	examples/demo --build-dir $(O)

interop: deps-build-test-interop
	+@$(MAKE) --no-print-directory all
	tests/interop/run --build-dir $(O)

# A peer that cannot be installed is skipped.
bench: deps-build
	-@contrib/install-deps bench
	+@$(MAKE) --no-print-directory all $(bench_bin)
	tests/bench/run --build-dir $(O)

ROUNDS ?= 20
crash: all
	$(PYTHON) tests/fault/crash --build-dir $(O) --rounds $(ROUNDS)

fault: all tools
	$(PYTHON) tests/fault/run --build-dir $(O) $(ROWS)

fault-selftest: all tools
	$(PYTHON) tests/fault/selftest --build-dir $(O)

COMMANDS ?= 200000
walk: all tools
	$(PYTHON) tests/fault/walk --build-dir $(O) --commands $(COMMANDS)

# Without the rows that wait for long; below three minutes on two processors.
fault-ci: deps-build-test
	+@$(MAKE) --no-print-directory all tools
	$(PYTHON) tests/fault/run --build-dir $(O) --ci -j 6
	$(PYTHON) tests/fault/selftest --build-dir $(O) -j 6

# The plot needs gnuplot: contrib/install-deps soak.
MINUTES ?= 10
JOBS    ?= 30000
soak: all tools
	$(PYTHON) tests/fault/soak --build-dir $(O) --minutes $(MINUTES) --jobs $(JOBS)

systemd-test: deps-build-test-systemd
	+@$(MAKE) --no-print-directory all
	$(PYTHON) tests/systemd/run --build-dir $(O)

# Emulated, so only what a container cannot show; TESTS= is all of it.
TESTS ?= cgroup or test_unit
vm-test: deps-build-test-vm
	+@$(MAKE) --no-print-directory all
	$(PYTHON) tests/systemd/run --build-dir $(O) --vm $(if $(TESTS),-k '$(TESTS)')

# ---- Fuzzing ---------------------------------------------------------------

fuzz_src = $(wildcard tests/fuzz/fuzz_*.c)
fuzzers  = $(patsubst tests/fuzz/fuzz_%.c,%,$(fuzz_src))
SECONDS ?= 60
FUZZFLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

# Under libFuzzer the whole tree is built once more, with coverage.
fuzz: deps-build-test-check
	+@$(MAKE) --no-print-directory O=$(O)/fuzz CC=$(CLANG) HARDEN= HARDENLD= \
	    CFLAGS='$(FUZZFLAGS) -fsanitize=fuzzer-no-link' FUZZMAIN=-fsanitize=fuzzer fuzz-bins
	tests/fuzz/run --build-dir $(O)/fuzz --seconds $(SECONDS)

# A target that is not named by a file of its room; what it replaces or can
# break: tests/fuzz/broken.h; tests/fuzz/program.h, worker.h, worker_broken.h.
fuzzes_conversation = server
breaks_conversation = store_add jobs_release conn_deliver conn_ok conn_null info_put workers_leave conns_turn rows_commit
fuzzes_client_conversation = supervisor
breaks_client_conversation = ev_run dialer_start dialer_cancel chance_below chance_between journald_open run_start run_stop \
    run_set_deadline run_is_stopped run_pid run_owns spawner_new spawner_free spawn dispatch_take report_tell report_drop \
    ack_put client_ask lifecycle_phase dispatch_room holdoff_next stream_close dispatch_cancel_of timeline_deadline \
    handshake_end heartbeat_alive
comma = ,
define fuzz_target
$(O)/tests/fuzz/fuzz_$(1): $(O)/obj/tests/fuzz/fuzz_$(1).o $(if $(FUZZMAIN),,$(O)/obj/tests/fuzz/replay.o) \
    $(call with,$(or $(fuzzes_$(1)),$(call room_of,$(1)),base))
	@mkdir -p $$(@D)
	$$(call say,LD) $$(CC) $$(CFLAGS) $$(FUZZMAIN) $$(LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(breaks_$(1))) \
	    -pthread -o $$@ $$^ -lev $$(call pkg_libs,$$(LIBS_all))
endef
$(foreach f,$(fuzzers),$(eval $(call fuzz_target,$f)))
fuzz-bins: $(patsubst %,$(O)/tests/fuzz/fuzz_%,$(fuzzers))

# Without libFuzzer: every file of every corpus once, in `make test`.
fuzz-regress: fuzz-bins

# ---- Checks ----------------------------------------------------------------

all_src = $(foreach r,$(rooms),$(src_$r)) $(unit_src) $(tools_src) $(fuzz_src) \
          $(wildcard tests/bench/*.c tests/fault/*.c tests/fuzz/replay.c tests/coverage/*.c examples/handlers/*.c)
all_hdr = $(wildcard $(addsuffix /*.h,$(rooms)) server/store/*.h server/web/*.h server/schema/*.h server/import/*.h tests/*/*.h)
room_src = $(foreach r,$(rooms),$(src_$r))

check: deps-build-test-check
	+@$(MAKE) --no-print-directory check-here
check-here: format-check arrows sizes werror tidy analyzer cppcheck shell-check man-check unit-check hardening callgrind-check
format:
	clang-format -i $(all_src) $(all_hdr)
format-check:
	clang-format --dry-run -Werror $(all_src) $(all_hdr)
arrows:
	contrib/check-arrows
sizes:
	contrib/check-sizes
werror:
	+@$(MAKE) --no-print-directory O=$(O)/gcc-werror WERROR=-Werror CC=gcc everything
	+@$(MAKE) --no-print-directory O=$(O)/clang-werror WERROR=-Werror CC=$(CLANG) everything
everything: all unit tools fuzz-bins
# Its own build: the flags are the baseline's.
CALLGRIND = +@$(MAKE) --no-print-directory O=$(O)/callgrind CC=gcc CFLAGS='-O2 -g' LDFLAGS= steps && \
    $(PYTHON) tests/bench/callgrind --build-dir $(O)/callgrind
steps: $(steps_bin)
callgrind: deps-build-test-check
	$(CALLGRIND) --write
callgrind-check:
	$(CALLGRIND)

analyzer:
	@contrib/run-analyzer --self-test
	@contrib/run-analyzer $(O) $(room_src) -- -std=gnu11 $(CPPFLAGS)
tidy:
	@contrib/run-tidy $(O) $(room_src) -- -std=gnu11 $(CPPFLAGS)
cppcheck:
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,style,performance,portability \
	    --inline-suppr --suppressions-list=contrib/cppcheck.txt -j2 -I. -D_GNU_SOURCE \
	    -DFAKTOTUM_VERSION='"$(VERSION)"' $(room_src)
# Of what was linked, not of what was asked for.
hardening: all
	CC='$(CC)' contrib/check-hardening $(O)/faktotum $(O)/faktotum-server
	CC='$(CC)' contrib/check-hardening --self-test
hardening-flags:
	@echo '$(HARDEN) $(HARDENLD)'
shell-check:
	contrib/check-scripts
man-check: man
	mandoc -T lint -W warning $(O)/man/*.[1578]

unit-check: units
	contrib/check-units $(O)/units

# Where threads share data in earnest: the server, and what the supervisor's
# log does. Its other threads start programs, look up names and write files;
# their unit tests run here too. Where its conversations are fuzzed it has none,
# and the bench's programs have none.
THREADED = not run_ and not crash and not notify and not verbs and not readme \
    and not client_conversations and not test_bench
sanitize: deps-build-test
	+@$(MAKE) --no-print-directory O=$(O)/asan HARDEN= HARDENLD= \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' test-here
	+@$(MAKE) --no-print-directory O=$(O)/tsan HARDEN= HARDENLD= \
	    CFLAGS='-O1 -g -fsanitize=thread' all unit tools \
	    $(O)/tsan/tests/fuzz/fuzz_conversation
	$(PYTHON) tests/run --build-dir $(O)/tsan unit
	$(PYTHON) tests/run --build-dir $(O)/tsan integration -k '$(THREADED)'

# Threads count atomically; children and what is exec'd keep their counts as
# tests/coverage/exit.c says. What is killed by SIGKILL has counted in vain.
COVERED = $(O)/coverage
COVERAGE_FLAGS = O=$(COVERED) CC=gcc HARDEN= HARDENLD= \
    CFLAGS='-O0 -g --coverage -fprofile-update=atomic -fno-builtin-execve' \
    LDFLAGS='-Wl,--wrap=_exit $(COVERED)/obj/tests/coverage/exit.o'
coverage: deps-build-test-coverage
	+@$(MAKE) --no-print-directory $(COVERAGE_FLAGS) $(COVERED)/obj/tests/coverage/exit.o
	+@$(MAKE) --no-print-directory $(COVERAGE_FLAGS) all unit tools fuzz-bins
	find $(COVERED) -name '*.gcda' -delete
	$(PYTHON) tests/run --build-dir $(COVERED) unit integration
	contrib/check-coverage $(COVERED)

valgrind: deps-build-test-check
	+@$(MAKE) --no-print-directory all unit tools
	$(PYTHON) tests/run --build-dir $(O) --valgrind unit

# ---- Install ---------------------------------------------------------------

man: all
	@contrib/gen-man $(O)/faktotum $(O)/faktotum-server $(O)/man

# The units as they are installed: with the paths of this build.
units     = faktotum.service faktotum@.service faktotum-server.service \
            faktotum-server.socket jobs.slice
unit_made = $(addprefix $(O)/units/,$(units) faktotum.sysusers faktotum.tmpfiles notify-reload.conf)
units: $(unit_made)
$(O)/units/%: contrib/systemd/% FORCE
	@mkdir -p $(@D)
	@sed -e 's,/usr/bin/faktotum,$(BINDIR)/faktotum,g' \
	    -e 's,/usr/sbin/faktotum-server,$(SBINDIR)/faktotum-server,g' \
	    -e 's,/usr/share/faktotum,$(DATADIR),g' \
	    -e 's,/etc/faktotum,$(SYSCONFDIR)/faktotum,g' $< > $@

install: all man units
	install -D -m 755 $(O)/faktotum $(DESTDIR)$(BINDIR)/faktotum
	install -D -m 755 $(O)/faktotum-server $(DESTDIR)$(SBINDIR)/faktotum-server
	install -d $(DESTDIR)$(DOCDIR)
	install -m 644 README.md CHANGELOG.md LICENSE docs/*.md $(DESTDIR)$(DOCDIR)/
	for page in $(O)/man/*.[1578]; do \
	    install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	install -d $(DESTDIR)$(UNITDIR)
	install -m 644 $(addprefix $(O)/units/,$(units)) $(DESTDIR)$(UNITDIR)/
	install -D -m 644 contrib/systemd/faktotum.catalog $(DESTDIR)$(CATALOGDIR)/faktotum.catalog
	install -D -m 644 $(O)/units/faktotum.sysusers $(DESTDIR)$(SYSUSERSDIR)/faktotum.conf
	install -D -m 644 $(O)/units/faktotum.tmpfiles $(DESTDIR)$(TMPFILESDIR)/faktotum.conf
	install -D -m 644 $(O)/units/notify-reload.conf $(DESTDIR)$(DATADIR)/systemd/notify-reload.conf
	# What the operator has changed is kept.
	[ -e $(DESTDIR)$(SYSCONFDIR)/faktotum/server.yaml ] || \
	    install -D -m 644 contrib/systemd/server.yaml $(DESTDIR)$(SYSCONFDIR)/faktotum/server.yaml

clean:
	rm -rf $(O)

FORCE:
.PHONY: all help libs deps unit tools test test-here demo interop bench crash fault fault-ci fault-selftest walk soak systemd-test vm-test \
        fuzz fuzz-bins fuzz-regress check check-here format format-check arrows sizes \
        werror everything tidy analyzer steps callgrind callgrind-check cppcheck hardening hardening-flags shell-check man man-check units unit-check sanitize coverage valgrind install clean FORCE
.SECONDARY:

-include $(patsubst %.c,$(O)/obj/%.d,$(all_src))
