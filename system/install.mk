# SPDX-License-Identifier: GPL-2.0-or-later
#
# make install, install-programs, install-module, install-bench, uninstall
#
#   DESTDIR     root of the installed files: nothing outside of it is touched, and no command of the
#               system is run
#   PREFIX      default: /usr/local
#   MODULE      auto, source, dkms, kernel, no: see system/module.sh; KDIR, SRCDIR
#
# The configuration is in /etc/qmap, whatever the prefix: that is where qmapd looks.

PREFIX        ?= /usr/local
SBINDIR       ?= $(PREFIX)/sbin
BINDIR        ?= $(PREFIX)/bin
MANDIR        ?= $(PREFIX)/share/man
UNITDIR       ?= $(PREFIX)/lib/systemd/system
UDEVDIR       ?= $(PREFIX)/lib/udev/rules.d
SYSUSERSDIR   ?= $(PREFIX)/lib/sysusers.d
# qmap-bench looks for it beside its own directory.
LIBEXECDIR    ?= $(dir $(BINDIR))libexec
HOOKDIR       ?= $(PREFIX)/share/qmap/hooks
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
FISHDIR       ?= $(PREFIX)/share/fish/vendor_completions.d
ZSHDIR        ?= $(PREFIX)/share/zsh/vendor-completions
CONFDIR       := /etc/qmap
MODULE        ?= auto

# What is installed, and removed again: mode, file, where to.
define FILES
0755 $(BUILD)/qmapd $(SBINDIR)/qmapd
0755 $(BUILD)/qmapctl $(BINDIR)/qmapctl
0644 $(BUILD)/system/qmapd.service $(UNITDIR)/qmapd.service
0644 $(BUILD)/system/qmap-metrics.service $(UNITDIR)/qmap-metrics.service
0644 system/qmap-metrics.timer $(UNITDIR)/qmap-metrics.timer
0644 system/qmap-metrics.socket $(UNITDIR)/qmap-metrics.socket
0644 $(BUILD)/system/qmap-metrics@.service $(UNITDIR)/qmap-metrics@.service
0644 system/qmapctl.bash $(COMPLETIONDIR)/qmapctl
0644 system/qmapctl.fish $(FISHDIR)/qmapctl.fish
0644 system/_qmapctl $(ZSHDIR)/_qmapctl
0755 system/hooks/dns-resolved $(HOOKDIR)/dns-resolved
0755 system/hooks/dns-resolvconf $(HOOKDIR)/dns-resolvconf
0755 system/hooks/dns-netns $(HOOKDIR)/dns-netns
0755 system/hooks/lan-radvd $(HOOKDIR)/lan-radvd
0755 system/hooks/passthrough-dnsmasq $(HOOKDIR)/passthrough-dnsmasq
0644 system/90-qmap.rules $(UDEVDIR)/90-qmap.rules
0644 system/qmap.sysusers $(SYSUSERSDIR)/qmap.conf
$(foreach m,$(filter-out %/qmap-bench.1,$(MAN)),0644 $m $(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m)
)
endef
export FILES

# install-bench
define BENCH_FILES
0755 $(BUILD)/qmap-bench $(BINDIR)/qmap-bench
0755 bench/report.py $(LIBEXECDIR)/qmap-bench/report.py
$(foreach m,$(filter %/qmap-bench.1,$(MAN)),0644 $m $(MANDIR)/man1/qmap-bench.1
)
endef
export BENCH_FILES

.PHONY: install install-programs install-module install-bench uninstall force

UNITS := $(addprefix $(BUILD)/system/,qmapd.service qmap-metrics.service qmap-metrics@.service)

$(UNITS): $(BUILD)/%: % force
	$(Q)mkdir -p $(@D)
	$(Q)sed 's|@SBINDIR@|$(SBINDIR)|; s|@BINDIR@|$(BINDIR)|' $< > $@

install: install-programs install-module

# A configuration that is there is the administrator's.
install-programs: $(PROGRAMS) $(MAN) $(UNITS)
	$(Q)echo "$$FILES" | while read -r mode from to; do [ -z "$$to" ] || \
		install -D -m "$$mode" "$$from" "$(DESTDIR)$$to" || exit 1; done
	$(Q)[ -e "$(DESTDIR)$(CONFDIR)/qmap.conf" ] || \
		install -D -m 0600 system/qmap.conf "$(DESTDIR)$(CONFDIR)/qmap.conf"
	$(Q)[ -n "$(DESTDIR)" ] || system/activate.sh install

install-bench: $(BUILD)/qmap-bench $(MAN)
	$(Q)echo "$$BENCH_FILES" | while read -r mode from to; do [ -z "$$to" ] || \
		install -D -m "$$mode" "$$from" "$(DESTDIR)$$to" || exit 1; done

install-module:
	$(Q)DESTDIR='$(DESTDIR)' BUILD='$(BUILD)' system/module.sh $(MODULE) $(VERSION)

# A configuration that the administrator has changed stays. /var/lib/qmapd is the unit's StateDirectory.
uninstall:
	$(Q)[ -n "$(DESTDIR)" ] || system/activate.sh uninstall
	$(Q)printf '%s\n' "$$FILES" "$$BENCH_FILES" | while read -r mode from to; do \
		[ -z "$$to" ] || rm -f "$(DESTDIR)$$to"; done
	$(Q)for dir in "$(DESTDIR)$(LIBEXECDIR)/qmap-bench" \
		"$(DESTDIR)$(HOOKDIR)" "$(DESTDIR)$(dir $(HOOKDIR))"; do \
		[ ! -d "$$dir" ] || rmdir --ignore-fail-on-non-empty "$$dir"; done
	$(Q)! cmp -s system/qmap.conf "$(DESTDIR)$(CONFDIR)/qmap.conf" || rm "$(DESTDIR)$(CONFDIR)/qmap.conf"
	$(Q)[ ! -d "$(DESTDIR)$(CONFDIR)" ] || rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(CONFDIR)"
	$(Q)rm -rf "$(DESTDIR)/var/lib/qmapd"
	$(Q)DESTDIR='$(DESTDIR)' system/module.sh remove $(VERSION)
