#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make install and uninstall, in directories of their own.
set -u
cd "$(dirname "$0")/../.." || exit 1

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
root=$T/root

# The jobs of a make that has started this test must not be passed on.
unset MAKEFLAGS MAKELEVEL MFLAGS

installer() { # target, variable...
	make -s DESTDIR="$root" "$@"
}

# Builds the tree of a machine: directories shared by packages, with files of other packages.
machine() {
	local dir
	rm -rf "$root"
	for dir in etc usr/src lib/modules var/lib usr/{,local/}{bin,sbin,libexec,share/man/man{1,4,5,7,8}} \
		usr/{,local/}share/{bash-completion/completions,fish/vendor_completions.d,zsh/vendor-completions} \
		usr/{,local/}lib/{systemd/system,udev/rules.d,sysusers.d}; do
		mkdir -p "$root/$dir"
		echo "somebody else's" >"$root/$dir/other"
	done
}

files() {
	(cd "$root" && find . -printf '%p %y %m\n' | sort && find . -type f -exec sha256sum {} + | sort)
}

same() { # name, expected, seen
	[ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); return 1; }
}

test_uninstall_leaves_nothing() {
	local before prefix
	for prefix in /usr/local /usr; do
		machine
		before=$(files)
		installer install install-bench PREFIX="$prefix" || return 1
		[ -x "$root$prefix/sbin/qmapd" ] && [ -x "$root$prefix/bin/qmapctl" ] || return 1
		# as qmapd leaves it
		mkdir "$root/var/lib/qmapd" && echo '{}' >"$root/var/lib/qmapd/totals"
		installer uninstall PREFIX="$prefix" || return 1
		same "after uninstall" "$before" "$(files)" || return 1
	done
}

# Runs a command on a machine whose only writable directories are $T and build/.
read_only() { # command...
	local -a user=(-r)
	[ "$(id -u)" != 0 ] || user=()
	# shellcheck disable=SC2016 # for the other shell
	TMPDIR=$T unshare -m "${user[@]}" bash -ec '
		mount --make-rprivate /
		for dir in "$0" build; do mount --bind "$dir" "$dir"; done
		mount -o remount,bind,ro /
		"$@"' "$T" "$@"
}

test_nothing_outside_of_destdir() {
	machine
	installer install PREFIX=/usr || return 1 # make has built everything
	read_only true || return 77
	# shellcheck disable=SC2016 # for the other shell
	! read_only sh -c ': >"$0"' "$PWD/written" 2>/dev/null || { rm "$PWD/written"; return 77; }
	machine
	read_only make -s DESTDIR="$root" install || return 1
	[ -x "$root/usr/local/sbin/qmapd" ] || return 1
	read_only make -s DESTDIR="$root" uninstall
}

test_variables() {
	local before
	machine
	before=$(files)
	installer install PREFIX=/usr SBINDIR=/opt/sbin BINDIR=/opt/bin MANDIR=/opt/man UNITDIR=/opt/units \
		UDEVDIR=/opt/rules SYSUSERSDIR=/opt/users COMPLETIONDIR=/opt/completions FISHDIR=/opt/fish ZSHDIR=/opt/zsh \
		HOOKDIR=/opt/hooks MODULE=no || return 1
	grep -qx 'ExecStart=/opt/sbin/qmapd' "$root/opt/units/qmapd.service" || return 1
	grep -qx 'ExecReload=/opt/bin/qmapctl reload' "$root/opt/units/qmapd.service" || return 1
	same "in /opt" "bin completions fish hooks man rules sbin units users zsh" "$(cd "$root/opt" && echo *)" || return 1
	rm -r "$root/opt" "$root/etc/qmap"
	same "outside of /opt" "$before" "$(files)"
}

test_programs_run() {
	local page
	machine
	installer install install-bench || return 1
	"$root/usr/local/bin/qmap-bench" list | grep -q '^programs ' || return 1
	# needs the source tree
	! "$root/usr/local/bin/qmap-bench" list | grep -q '^demo ' || return 1
	echo '{}' >"$T/none"
	"$root/usr/local/bin/qmap-bench" -o "$T/report.html" report "$T/none" 2>&1 | grep -q 'No such file' && return 1
	"$root/usr/local/bin/qmapctl" version | grep -q '^qmapctl ' || return 1
	"$root/usr/local/sbin/qmapd" --version | grep -q '^qmapd ' || return 1
	for page in doc/*.[0-9].rst; do
		page=${page#doc/} page=${page%.rst}
		grep -q '^\.TH' "$root/usr/local/share/man/man${page##*.}/$page" || return 1
	done
}

test_no_path_of_the_builder() {
	machine
	installer install || return 1
	! grep -rlF "$PWD" "$root"
}

test_configuration_is_kept() {
	machine
	installer install || return 1
	same "mode" 600 "$(stat -c %a "$root/etc/qmap/qmap.conf")" || return 1
	echo '[trunk wwan0]' >"$root/etc/qmap/qmap.conf"
	installer install && installer uninstall || return 1
	same "configuration" '[trunk wwan0]' "$(cat "$root/etc/qmap/qmap.conf")"
}

test_module_sources_are_complete() {
	local dir file
	machine
	installer install || return 1
	dir=$(echo "$root"/usr/src/qmap-shim-*)
	grep -qx "PACKAGE_VERSION=\"${dir##*-}\"" "$dir/dkms.conf" || return 1
	sed -nE 's/^qmap_shim-y := //p' kmod-shim/Kbuild | tr ' ' '\n' | sed 's/o$/c/' >"$T/wanted"
	# and the headers that they include and the kernel does not have
	sed -nE 's/^#include ["<](qmap\/[^">]*|[a-z_]*\.h)[">].*/\1/p' kmod-shim/*.[ch] >>"$T/wanted"
	[ "$(wc -l <"$T/wanted")" -gt 10 ] || return 1
	while read -r file; do
		[ -e "$dir/$file" ] || [ -e "$dir/include/$file" ] || { echo "no $file"; return 1; }
	done <"$T/wanted"
}

# qmap-shim(4) is the header: every name of it is there, and no comment's frame.
test_manual_of_the_module() {
	local text name n=0
	make -s build/man/qmap-shim.4 && text=$(man --warnings -l build/man/qmap-shim.4 2>&1 | tr -d '\n' | tr -s ' ') || return 1
	while read -r name; do
		[[ ${text//‐ /} == *"$name"* ]] || { echo "$name is missing"; return 1; }
		n=$((n + 1))
	done < <(grep -oE '\b(IFLA_QMAP|QMAP_SHIM|usb)_[A-Za-z_]+' include/qmap/shim.h | grep -v '_H$' | sort -u)
	# the declarations have comments of several lines
	[[ ${text%DECLARATIONS*} != *" * "* && $text != *warning:* ]] || { echo "badly formatted"; return 1; }
	[ "$n" -gt 30 ]
}

test_udev_starts_a_unit_and_runs_nothing() {
	! grep -v '^#' system/90-qmap.rules | grep -E '\<(RUN|PROGRAM)\>' || return 1
	grep -q 'SYSTEMD_WANTS}+="qmapd.service"' system/90-qmap.rules
}

# The programs are not where the units look for them: in $root.
test_units_are_valid() {
	local units
	command -v systemd-analyze >/dev/null || return 0
	machine
	installer install PREFIX=/usr || return 1
	units=$(cd "$root/usr/lib/systemd/system" && echo *.service *.timer *.socket)
	[[ $units == *qmap-metrics@.service*qmap-metrics.socket* ]] || return 1
	# shellcheck disable=SC2086 # a list
	SYSTEMD_UNIT_PATH=$root/usr/lib/systemd/system: systemd-analyze verify --man=no ${units//@/@1} >"$T/verified" 2>&1
	! grep qmap "$T/verified" | grep -v 'not executable'
}

test_group() {
	machine
	installer install PREFIX=/usr || return 1
	command -v systemd-sysusers >/dev/null || return 0
	systemd-sysusers --root="$root" qmap.conf >/dev/null 2>&1 || return 1
	grep -q '^qmap:' "$root/etc/group"
}

status=0
for t in $(declare -F | sed -n 's/^declare -f \(test_\)/\1/p'); do
	"$t" >"$T/log" 2>&1
	case $? in
	0) echo "PASS $t" ;;
	77) echo "SKIP $t: mount namespaces are not to be had" ;;
	*)
		echo "FAIL $t"
		sed 's/^/    /' "$T/log"
		status=1
		;;
	esac
done
exit $status
