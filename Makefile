# SPDX-License-Identifier: GPL-2.0-or-later
#
#   sudo make demo     install missing packages, build, show the main job on a software modem
#   sudo make check    install missing packages, build, run every test
#   make help          everything else

VERSION := 0.1.0
BUILD   := build

CC     ?= cc
CLANG  ?= clang
LLVM_STRIP ?= llvm-strip
PKG_CONFIG ?= pkg-config
BPFTOOL ?= $(or $(shell command -v bpftool 2>/dev/null),/usr/sbin/bpftool)
ifeq ($(origin CC),default)
CC := gcc
endif

# V=1 shows the commands, -s nothing.
Q := $(if $(V),,@)
SILENT := $(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS))))
say = @$(if $(V)$(SILENT),:,printf '  %-8s %s\n' $(1) $(2))

# no: tables of qmapctl without libsmartcols, which small machines may not have.
SMARTCOLS ?= yes
OTHER_TABLE := daemon/output/$(if $(filter yes,$(SMARTCOLS)),table_plain,table).c
# no: qmapctl without `top`, which needs a curses library.
CURSES ?= yes
OTHER_TOP := daemon/cli/$(if $(filter yes,$(CURSES)),top_none,top).c
PKGS     := libbpf libevent_core json-c inih $(if $(filter yes,$(SMARTCOLS)),smartcols) $(if $(filter yes,$(CURSES)),ncursesw) libmnl
WARN     := -Wall -Wextra -Wno-unused-parameter -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
# qmapd runs as root and reads data from modems and networks. Setting one of these replaces all of it.
CFLAGS   ?= -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LDFLAGS  ?= -Wl,-z,relro,-z,now
INC      := -Iinclude -I. -Idaemon -I$(BUILD)/include
# File offsets have 64 bits on 32-bit machines, too: otherwise readdir() and stat() fail on large inode
# numbers, which sysfs may have.
USER_CFLAGS = -std=gnu17 $(WARN) -ffunction-sections -fdata-sections $(PREFIX_MAP) $(INC) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DQMAP_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
# Each program needs the libraries that it uses.
LDLIBS    := -Wl,--as-needed $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lcrypt -lresolv
# The sanitizers check calls that _FORTIFY_SOURCE would replace.
ASAN     := -U_FORTIFY_SOURCE -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# No kernel BTF and no CO-RE: programs use UAPI types only, so that they load on routers without BTF.
# They get the byte order of the machine that $(CC) compiles for, and that machine's kernel headers,
# some of which test its compiler's macros.
BPF_HEADERS := $(shell $(CC) -v -E - </dev/null 2>&1 | sed -nE '/^.include </,/^End/s|^ +(/.*)|-idirafter \1|p')
BPF_MACHINE := $(shell $(CC) -dM -E - </dev/null 2>/dev/null | sed -nE \
	       's/^.define ((__MIPSE[BL]|__ARMEB|__AARCH64EB|__(LITTLE|BIG)_ENDIAN|__riscv_xlen|__loongarch_grlen|_MIPS_SZLONG)[a-z_]*) /-D\1=/p')
BPF_ORDER   := $(if $(shell $(CC) -dM -E - </dev/null 2>/dev/null | grep '__BYTE_ORDER__ .*BIG'),eb,el)
# The debug information of -g is stripped; the BTF of maps stays. No path of the build machine gets into
# a program.
PREFIX_MAP  := -ffile-prefix-map=$(CURDIR)=.
BPF_CFLAGS   = -O2 -g $(PREFIX_MAP) -fdebug-compilation-dir=. -mcpu=v3 $(INC) $(BPF_HEADERS) $(BPF_MACHINE) \
	       -Wall -Wextra -Wshadow -Werror -Wno-unused-parameter

LIB_SRC   := $(filter-out daemon/qmapd.c daemon/qmapctl.c daemon/multi.c $(OTHER_TABLE) $(OTHER_TOP),$(wildcard daemon/*.c daemon/*/*.c))
MODEM_SRC := $(wildcard tests/modem/*.c)
MODEM_SRC := $(filter-out %.bpf.c,$(MODEM_SRC))
BPF_SRC   := $(wildcard bpf/*.bpf.c tests/modem/*.bpf.c bench/*.bpf.c)
UNIT_SRC  := $(wildcard tests/unit/test_*.c)
TOOL_SRC  := $(filter-out %/sink.c,$(wildcard tests/net/*.c))
BPFTEST_SRC := $(wildcard tests/bpf/test_*.c)
FIXTURES  := tests/bpf/fixtures.c tests/bpf/fixture_table.c
BENCH_SRC := $(filter-out bench/vm_% %.bpf.c,$(wildcard bench/*.c)) tests/bpf/env.c tests/vm/packets.c $(FIXTURES)
MAN_SRC   := $(wildcard doc/*.rst)

LIB_OBJ   := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB_ASAN  := $(LIB_SRC:%.c=$(BUILD)/asan/%.o)
SKEL      := $(patsubst %.bpf.c,$(BUILD)/include/%.skel.h,$(notdir $(BPF_SRC)))
PROGRAMS  := $(BUILD)/qmapd $(BUILD)/qmapctl
TESTPROGS := $(BUILD)/qmap-modem $(TOOL_SRC:tests/net/%.c=$(BUILD)/%) $(BUILD)/no_tcx.so
UNIT_BIN  := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
BPFTEST_BIN := $(BPFTEST_SRC:tests/bpf/%.c=$(BUILD)/tests-bpf/%)
MAN       := $(MAN_SRC:doc/%.rst=$(BUILD)/man/%) $(BUILD)/man/qmap-shim.4

.DELETE_ON_ERROR:
.PHONY: preflight programs check-build deb check-packages compile check-arch check-cross check-matrix soak soak-cycles all help deps demo check check-unit check-bpf check-net check-vm check-debug check-report tests bench bench-vm fuzz lint clean

all: programs $(TESTPROGS)

# Installed files.
programs: $(PROGRAMS) $(MAN)

# Without this, the first tool that is missing stops make with its name, the libraries only at the end.
preflight:
	$(Q)missing="$$(for t in $(CLANG) $(BPFTOOL) $(PKG_CONFIG) $(if $(MAN),rst2man); do \
			case $$t in -*) ;; *) command -v "$$t" >/dev/null || echo "$$t";; esac; done; \
		for p in $(PKGS); do $(PKG_CONFIG) --exists "$$p" 2>/dev/null || echo "$$p"; done)"; \
	[ -z "$$missing" ] || { echo "Missing for the build:" $$missing >&2; \
		echo "On Debian: sudo make deps" >&2; exit 1; }

$(BUILD)/%.bpf.o: %.bpf.c | preflight
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf$(BPF_ORDER) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

# bpftool (before libbpf 1.6) reads objects of this machine's byte order only. The skeleton of another
# one is made from a stand-in in this machine's order, and then given the bytes of the object itself.
OWN_ORDER := $(if $(filter 1,$(shell printf '\1\0' | od -An -tu2)),el,eb)
ifeq ($(BPF_ORDER),$(OWN_ORDER))
STAND_IN :=
else
STAND_IN := stand-in/
endif

$(BUILD)/stand-in/%.bpf.o: %.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf$(OWN_ORDER) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

define skel_rule
$(BUILD)/include/$(notdir $(1:.bpf.c=.skel.h)): $(BUILD)/$(STAND_IN)$(1:.c=.o) $(BUILD)/$(1:.c=.o)
	$$(call say,SKEL,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$$(BPFTOOL) gen skeleton $$< name $$(subst -,_,$(notdir $(1:.bpf.c=))) \
		$$(if $(STAND_IN),| bpf/skeleton-bytes.sh $(BUILD)/$(1:.c=.o)) > $$@
endef
$(foreach s,$(BPF_SRC),$(eval $(call skel_rule,$(s))))

$(BUILD)/asan/%.o: %.c | $(SKEL)
	$(call say,CC-ASAN,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) $(ASAN) -MMD -MP -c $< -o $@

$(BUILD)/%.o: %.c | $(SKEL)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -MMD -MP -c $< -o $@

# Code that reads packets and messages at any address must not cast them to types with a stricter
# alignment. (clang has no such warning.)
CAST_ALIGN := $(shell $(CC) -Werror -Wcast-align=strict -E - </dev/null >/dev/null 2>&1 && echo -Wcast-align=strict)
$(LIB_OBJ) $(LIB_ASAN): USER_CFLAGS += $(CAST_ALIGN)

# Each program links the parts of the archive that it uses: qmapd has no decode tables, qmapctl no
# proxy.
LIB := $(BUILD)/libqmap.a
$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/qmapd $(BUILD)/qmapctl: $(BUILD)/%: $(BUILD)/daemon/%.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -Wl,--gc-sections $(LDFLAGS) $^ $(LDLIBS) -o $@

# Both in one file, where flash is small; it is qmapctl under that name.
MULTI := $(BUILD)/multi/qmapd
$(BUILD)/multi/%.o: daemon/%.c | $(SKEL)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -Wno-missing-prototypes -Dmain=$*_main -MMD -MP -c $< -o $@

$(MULTI): $(BUILD)/daemon/multi.o $(BUILD)/multi/qmapd.o $(BUILD)/multi/qmapctl.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -Wl,--gc-sections $(LDFLAGS) $^ $(LDLIBS) -o $@

tests: $(MULTI)

# A qmapd whose BPF programs do the same by other instructions, as those of another release would: tests
# replace one by the other.
REBUILT     := $(BUILD)/rebuilt
REBUILT_SRC := $(filter daemon/datapath/%,$(LIB_SRC))
REBUILT_SKEL := $(patsubst bpf/%.bpf.c,$(REBUILT)/include/%.skel.h,$(wildcard bpf/*.bpf.c))

$(REBUILT)/include/%.skel.h: bpf/%.bpf.c | $(SKEL)
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf$(BPF_ORDER) $(BPF_CFLAGS) -mcpu=v2 -MMD -MP -MT $@ -MF $(@:.h=.d) -c $< -o $(@:.skel.h=.bpf.o)
	$(Q)$(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.o) name $* > $@

$(REBUILT)/daemon/%.o: daemon/%.c | $(REBUILT_SKEL)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -I$(REBUILT)/include $(USER_CFLAGS) -MMD -MP -c $< -o $@

tests: $(BUILD)/qmapd-rebuilt
$(BUILD)/qmapd-rebuilt: $(BUILD)/daemon/qmapd.o $(REBUILT_SRC:%.c=$(REBUILT)/%.o) $(filter-out $(REBUILT_SRC:%.c=$(BUILD)/%.o),$(LIB_OBJ))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# The software modem is independent of the rest: it only shares include/.
$(BUILD)/qmap-modem: $(MODEM_SRC:%.c=$(BUILD)/%.o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(TOOL_SRC:tests/net/%.c=$(BUILD)/%): $(BUILD)/%: $(BUILD)/tests/net/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/pattern-tool: $(BUILD)/tests/net/sink.o

UNIT_MAIN := $(BUILD)/asan/tests/unit/test.o
$(BUILD)/unit/%: $(BUILD)/asan/tests/unit/%.o $(UNIT_MAIN) $(LIB_ASAN)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) $^ $(LDLIBS) -lcmocka -lm -o $@

# It brings data paths of its own in place of the library's.
$(BUILD)/unit/test_choice: $(UNIT_MAIN) $(addprefix $(BUILD)/asan/,tests/unit/test_choice.o daemon/datapath/choice.o daemon/util/error.o)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) -Wl,--gc-sections $(LDFLAGS) $^ -lcmocka -o $@

FUZZ      := -U_FORTIFY_SOURCE -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_BIN  := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/fuzz-obj/%.o: %.c | $(SKEL)
	$(call say,CC-FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(filter-out -Werror,$(USER_CFLAGS)) $(FUZZ) -MMD -MP -c $< -o $@

$(BUILD)/fuzz/%: $(BUILD)/fuzz-obj/tests/fuzz/%.o $(LIB_SRC:%.c=$(BUILD)/fuzz-obj/%.o)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined $^ $(LDLIBS) -o $@

# The software modem's services in the process of a test.
UNIT_MODEM := tests/unit/unit_modem.o $(patsubst %,tests/modem/%.o,client ctl dms model nas pdn qmux service uim wda wds)
$(addprefix $(BUILD)/,unit/test_session unit/test_proxy unit/test_qmi_client replay/session): $(UNIT_MODEM:%=$(BUILD)/asan/%)
$(BUILD)/fuzz/fuzz_session: $(UNIT_MODEM:%=$(BUILD)/fuzz-obj/%)

$(BUILD)/unit/test_compare: $(BUILD)/asan/bench/compare.o $(BUILD)/asan/bench/stats.o
$(BUILD)/unit/test_sink: $(BUILD)/asan/tests/net/sink.o
$(BUILD)/unit/test_walk: $(FIXTURES:%.c=$(BUILD)/asan/%.o)

$(BUILD)/tests-bpf/%: $(BUILD)/asan/tests/bpf/%.o $(BUILD)/asan/tests/bpf/env.o $(UNIT_MAIN) $(FIXTURES:%.c=$(BUILD)/asan/%.o)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) $^ $(LDLIBS) -lcmocka -o $@

$(BUILD)/tests-bpf/test_clat $(BUILD)/tests-bpf/test_load: $(BUILD)/asan/daemon/clat/address.o
$(BUILD)/tests-bpf/test_clat: $(BUILD)/asan/tests/bpf/count.o

# The speed of programs depends on the compiler: results name it.
$(BUILD)/bench/machine.o: USER_CFLAGS += -DBENCH_CLANG='"$(shell $(CLANG) --version 2>/dev/null | head -n1)"'

$(BUILD)/qmap-bench: $(BENCH_SRC:%.c=$(BUILD)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -lm -o $@

# Compiles all of user space without linking: for compilers whose libraries this machine does not have. gcc
# needs its optimizer for some warnings: COMPILE="-S -o /dev/null".
COMPILE := -fsyntax-only
COMPILE_SRC := $(filter-out %.bpf.c,$(wildcard daemon/*.c daemon/*/*.c tests/*/*.c bench/*.c))
compile: $(COMPILE_SRC:%=compile/%)
compile/%: | $(SKEL)
	$(Q)$(CC) $(USER_CFLAGS) $(if $(filter bench/vm_user.c,$*),$(USER_FLAGS)) -DBENCH_CLANG='""' $(COMPILE) $*

# Libraries that tests preload.
$(BUILD)/%.so: tests/preload/%.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -shared -fPIC $< -o $@

# Programs for guests. Their modem on USB is made of the software modem's parts.
VMUSB_SRC := $(addprefix tests/modem/,loop.c usb_control.c usb_desc.c usb_ip.c usb_queue.c usb_vhci.c)
VMTEST_SRC := $(filter-out %.bpf.c %_tool.c,$(wildcard tests/vm/*.c)) $(VMUSB_SRC) $(FIXTURES)
VMTOOL_SRC := $(addprefix tests/vm/,fixture_tool.c fixture_check.c nl.c world.c usbmodem.c) \
	      $(VMUSB_SRC) $(FIXTURES)
VMCABLE_SRC := $(addprefix tests/vm/,cable_tool.c nl.c rmnet.c world.c usbmodem.c) $(VMUSB_SRC)
$(BUILD)/vm/bin/shim_test: $(VMTEST_SRC:%.c=$(BUILD)/%.o) $(LIB)
$(BUILD)/vm/bin/shim_test: override LDLIBS += -lusbredirparser
$(BUILD)/vm/bin/fixture_tool: $(VMTOOL_SRC:%.c=$(BUILD)/%.o) $(LIB)
$(BUILD)/vm/bin/cable_tool: $(VMCABLE_SRC:%.c=$(BUILD)/%.o) $(LIB)
$(BUILD)/vm/bin/shim_test $(BUILD)/vm/bin/fixture_tool $(BUILD)/vm/bin/cable_tool:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -Wl,--gc-sections $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/vm/bin/%.bpf.o: $(BUILD)/tests/vm/%.bpf.o
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

# Measurements in guests, with the tests' own tools.
VMBENCH_SRC := $(filter-out %.bpf.c,$(wildcard bench/vm_*.c)) \
	       $(addprefix tests/vm/,nl.c observe.c packets.c proc.c rmnet.c usbmodem.c world.c) \
	       $(VMUSB_SRC)
# The shim's rules for chains, in user space.
USER_FLAGS := -Ibench/user -I. -fno-strict-aliasing -Wno-address-of-packed-member -Wno-pointer-sign
$(BUILD)/bench/vm_user.o: override CFLAGS += $(USER_FLAGS)
$(BUILD)/bench/user/chain.o: kmod-shim/chain.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(USER_FLAGS) -include bench/user/kernel.h -Iinclude -MMD -c $< -o $@
$(BUILD)/vm_bench: $(VMBENCH_SRC:%.c=$(BUILD)/%.o) $(BUILD)/bench/user/chain.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Plugins of QEMU: a model of caches, a profile.
$(BUILD)/cache.so $(BUILD)/profile.so: $(BUILD)/%.so: bench/plugin/%.c bench/plugin/qemu.h bench/vm_mark.h
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(INC) -shared -fPIC $< -o $@

$(BUILD)/man/%: doc/%.rst | preflight
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)rst2man --strict $< > $@

# The header is the manual of the modules.
$(BUILD)/man/qmap-shim.4: include/qmap/shim.h doc/shim-page.py | preflight
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)python3 doc/shim-page.py $< > $(@:.4=.rst) && rst2man --strict $(@:.4=.rst) > $@

# --- targets for users ---

deps:
	$(Q)tests/deps.sh build

# Builds in a make of its own, so that tools that have just been installed are found.
define with_deps
	$(Q)tests/deps.sh $(or $(2),all)
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) $(1)
endef

demo:
	$(call with_deps,all,demo)
	$(Q)tests/demo.sh

check:
	$(call with_deps,all tests)
	$(Q)tests/run.sh unit+bpf+net:3+vm-short:2

check-unit check-bpf check-net check-vm: check-%:
	$(call with_deps,all tests)
	$(Q)tests/run.sh $*

# Tests that packages run during their build: without privileges, network and (ASAN=) sanitizers.
check-build: $(filter-out %/test_rtnl,$(UNIT_BIN))
	$(Q)for t in $^; do echo "== $$t"; $$t || exit 1; done

# The Debian packages, from the files that git knows, under $(BUILD)/deb.
deb:
	$(Q)tests/deps.sh packages
	$(Q)system/deb.sh $(BUILD)/deb

# These packages on Debian 12 and 13, made by debootstrap and kept under $(BUILD)/packages: SUITES="bookworm";
# in a guest with a modem; and built for arm64 and armhf.
check-packages:
	$(Q)tests/deps.sh packages
	$(call with_deps,all $(BUILD)/qmapd-rebuilt)
	$(Q)tests/packages.sh $(SUITES)

# Other machines than this one, by QEMU: ARCHES="arm64 s390x", KERNELS="6.1 6.12".
check-arch:
	$(call with_deps,all)
	$(Q)tests/vm/arch.sh deps
	$(Q)tests/vm/arch.sh

# Builds for other machines and by other compilers: ARCHES="arm64 musl compilers", KERNEL=6.12.
check-cross:
	$(call with_deps,all)
	$(Q)tests/cross.sh deps
	$(Q)tests/cross.sh $(ARCHES)

# The module on a debug kernel: hours. ROUNDS=N, AGGREGATES=N, SEED=N.
check-debug:
	$(Q)tests/deps.sh debug
	$(call with_deps,all tests)
	$(Q)tests/vm/debug/check.sh

# The whole fault matrix; `check` runs a third of it, check-vm some rows on each data path.
check-matrix:
	$(call with_deps,all tests)
	$(Q)MATRIX=all tests/net/test-matrix.sh
	$(Q)MATRIX=all TEST_LIMIT=7200 KERNELS=6.1 DATAPATHS=rmnet tests/vm/usb.sh matrix
	$(Q)MATRIX=all TEST_LIMIT=7200 DEADLINE=9000 KERNELS=6.1 tests/vm/peers.sh matrix

# SOAK_SECONDS=N, SEED=N; CYCLES=N, KILLS=N.
soak:
	$(call with_deps,all)
	$(Q)tests/net/soak.sh test_random_faults

soak-cycles:
	$(call with_deps,all)
	$(Q)tests/net/soak.sh test_attach_and_detach test_kills

# The fuzzers' targets with a main() that runs each file of a corpus once, built with the compiler and
# sanitizers of the unit tests.
REPLAY_BIN := $(FUZZ_BIN:$(BUILD)/fuzz/fuzz_%=$(BUILD)/replay/%)
$(BUILD)/replay/%: $(BUILD)/asan/tests/fuzz/fuzz_%.o $(BUILD)/asan/tests/fuzz/replay.o $(LIB_ASAN)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) $^ $(LDLIBS) -o $@

tests: $(REPLAY_BIN) $(UNIT_BIN) $(BPFTEST_BIN) $(BUILD)/qmap-bench

# Runs each for FUZZ_SECONDS, starting from tests/fuzz/corpus; findings are left in $(BUILD)/fuzz/.
FUZZ_SECONDS ?= 30
fuzz: $(FUZZ_BIN)
	$(Q)cd $(BUILD)/fuzz && for f in $(FUZZ_BIN:$(BUILD)/fuzz/fuzz_%=%); do mkdir -p corpus/$$f; \
		./fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 \
			corpus/$$f $(CURDIR)/tests/fuzz/corpus/$$f || exit 1; done

# Appends to the results of earlier runs, so that there is something to compare with. Only this target
# checks times: they depend on the machine, and on its load.
bench:
	$(call with_deps,all $(BUILD)/qmap-bench)
	$(Q)mkdir -p $(BUILD)/bench
	$(Q)$(BUILD)/qmap-bench -c "$$(git describe --always --dirty 2>/dev/null || echo unknown)" \
		-o $(BUILD)/bench/results.jsonl run
	$(Q)tests/run.sh times

bench-vm:
	$(call with_deps,all $(BUILD)/qmap-bench $(BUILD)/vm_bench)
	$(Q)bench/vm.sh
	$(Q)bench/vm-scale.sh 2
	$(Q)bench/vm-slow-start.sh

# Needs a browser (Debian: chromium), which is too large a dependency for the other targets.
check-report: $(BUILD)/qmap-bench
	$(Q)tests/report.sh

lint:
	$(Q)tests/lint.sh

help:
	@echo 'sudo make demo     install what is missing, build, show the main job on a software modem'
	@echo 'sudo make check    install what is missing, build, run the tests: units, BPF, namespaces, and of the'
	@echo '                   guests what fits into minutes; the rest: check-vm, check-matrix, fuzz, soak, check-report'
	@echo 'make               build into $(BUILD)/'
	@echo 'make deb           Debian packages, in $(BUILD)/deb (qmapd, qmap-dkms, qmap-bench)'
	@echo 'make check-packages  these on Debian 12 and 13 with their systemd: install, upgrade under load, remove (root)'
	@echo 'sudo make deps     install what the build needs (Debian)'
	@echo 'make check-unit    tests that need no privileges (also: check-bpf, check-net: root)'
	@echo 'sudo make check-vm every test in guests, hours: three kernels, all data paths, the module by DKMS'
	@echo 'sudo make check-debug  the module on a kernel with KASAN, lockdep, kmemleak; built once, hours'
	@echo 'make check-report  the report of measurements, in a browser if there is chromium'
	@echo 'make soak          half an hour of random faults (root; also: soak-cycles)'
	@echo 'make check-arch    unit tests and module on arm64, armhf, s390x and mipsel, by QEMU (root)'
	@echo 'make check-cross   builds for arm64, armhf, mipsel, s390x and musl; by gcc 11 and 12, clang 14 to 19; sizes'
	@echo 'make check-matrix  every message of the dial-up flow times every fault; also in guests, hours (root)'
	@echo 'make lint          formatting, static analysis, house rules'
	@echo 'make fuzz          fuzzers, $(FUZZ_SECONDS) s each (FUZZ_SECONDS=N)'
	@echo 'sudo make bench    measure, results in $(BUILD)/bench/'
	@echo 'sudo make bench-vm the data paths against rmnet and qmimux, in QEMU guests'
	@echo 'sudo make install  programs, man pages, unit, udev rules, the module by DKMS if there is DKMS; also:'
	@echo '                   install-programs, install-module, install-bench, uninstall (DESTDIR, PREFIX, MODULE: system/install.mk)'

include system/install.mk

clean:
	$(Q)rm -rf $(BUILD)

# Kept, though only pattern rules name them. All other objects are made again when they are missing.
FUZZ_OBJ := $(patsubst %.c,%.o,$(wildcard tests/fuzz/*.c))
.SECONDARY: $(REBUILT_SKEL) $(FUZZ_OBJ:%=$(BUILD)/asan/%) $(FUZZ_OBJ:%=$(BUILD)/fuzz-obj/%) \
	    $(LIB_SRC:%.c=$(BUILD)/fuzz-obj/%.o) \
	    $(patsubst %.c,$(BUILD)/asan/%.o,$(UNIT_SRC) $(BPFTEST_SRC) $(FIXTURES) tests/bpf/env.c) \
	    $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/vm/*.bpf.c))

# Skips trees of their own below it.
-include $(shell find $(BUILD) \( -path $(BUILD)/packages -o -path $(BUILD)/deb -o -path '$(BUILD)/vm/*/root' \) -prune -o -type f -name '*.d' -print 2>/dev/null)
