#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Start and end of guests, with a fake QEMU that only prints a guest's console.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/unit/lib.sh
. tests/unit/lib.sh

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
chmod 755 "$T"
install -D -m 644 -t "$T/lib" tests/vm/kernels.sh tests/vm/guest_lib.sh
export VM_BUILD=$T/vm KVM_DEVICE=$T/kvm PATH=$T/bin:$PATH
TCG=tcg,thread=single

# qemu_says COMMAND: installs a QEMU that prints the output of COMMAND as the guest's console and
# appends the arguments of each start to $T/starts.
qemu_says() {
	printf '%s\n' '#!/bin/sh' "echo \"\$*\" >>$T/starts" "$1" >"$T/bin/qemu-system-x86_64"
	chmod +x "$T/bin/qemu-system-x86_64"
}

boots='echo "[    0.000000] Linux version 6.1.0"; echo "PASS test"; echo "GUEST-STATUS 0"'
aborts='echo "failed to initialize kvm: Operation not permitted" >&2; exit 1'

fresh() {
	rm -rf "${T:?}/vm" "${T:?}/bin" "$T/kvm" "$T/starts"
	mkdir -p "$T/vm/6.1/root" "$T/bin"
	touch "$T/starts" "$T/vm/6.1/root/vmlinuz"
	qemu_says "$boots"
}

before() {
	fresh
}

# in_guest_lib COMMAND...: runs it in a shell that sources guest_lib.sh; $as_user: a command to start
# that shell with.
in_guest_lib() {
	# shellcheck disable=SC2016 # for the other shell
	${as_user:-} bash -c '. "$0/kernels.sh"; . "$0/guest_lib.sh"; "$@"' "$T/lib" "$@"
}

chosen() { # expected
	local choice
	choice=$(in_guest_lib accelerator 6.1)
	[ "$choice" = "$1" ] || { echo "expected $1, got \"$choice\""; return 1; }
}

started() { # number of times
	[ "$(wc -l <"$T/starts")" = "$1" ] || { echo "QEMU was started: $(cat "$T/starts")"; return 1; }
}

test_no_device() {
	chosen "$TCG" && started 0
}

# Root may write to any node: its mode does not show whether it can be opened.
test_device_that_cannot_be_opened() {
	mkdir "$T/kvm"
	chosen "$TCG" && started 0
}

test_device_without_permission() {
	local as_user=''
	: >"$T/kvm"
	chmod 000 "$T/kvm"
	chmod -R a+rwX "$T/vm" "$T/starts"
	[ "$(id -u)" != 0 ] || as_user="setpriv --reuid 65534 --regid 65534 --clear-groups"
	chosen "$TCG" && started 0
}

test_device_that_boots_nothing() {
	: >"$T/kvm"
	qemu_says "$aborts"
	chosen "$TCG" && started 1
}

test_device_that_hangs() {
	: >"$T/kvm"
	qemu_says 'exec sleep 1000'
	KVM_LIMIT=1 chosen "$TCG" && started 1
}

test_device_that_works() {
	: >"$T/kvm"
	chosen kvm && started 1
}

# The probe costs a boot: it runs once, not for each guest.
test_choice_is_kept() {
	: >"$T/kvm"
	chosen kvm && chosen kvm && started 1 || return 1
	fresh
	: >"$T/kvm"
	qemu_says "$aborts"
	chosen "$TCG" && chosen "$TCG" && started 1
}

test_kept_choice_whose_device_is_gone() {
	: >"$T/kvm"
	chosen kvm || return 1
	rm "$T/kvm"
	chosen "$TCG"
}

# build/ moves along with a disk or a container to another machine.
test_choice_of_another_machine() {
	echo kvm >"$T/vm/accel"
	chosen "$TCG" || return 1
	echo "00000000-0000-0000-0000-000000000000 $TCG" >"$T/vm/accel"
	: >"$T/kvm"
	chosen kvm
}

guest() { # expected accelerator and CPU
	in_guest_lib run_guest 6.1 image "$T/log" >"$T/out" || { cat "$T/out"; return 1; }
	grep -q -- "-accel $1 -cpu $2 " "$T/starts" || { cat "$T/starts"; return 1; }
}

test_guest_is_started_with_it() {
	export DEADLINE=60
	guest "$TCG" max || return 1
	fresh
	: >"$T/kvm"
	guest kvm host || return 1
	fresh
	ACCEL=tcg guest tcg max
}

# However long all of its tests take: this machine may be slow, or busy.
test_slow_guest() {
	qemu_says 'for i in 1 2 3 4 5 6 7 8 9 10; do echo "PASS test"; sleep .5; done; echo "GUEST-STATUS 0"'
	DEADLINE=4 guest "$TCG" max || return 1
	[ "$(grep -c '^PASS vm' "$T/out")" = 10 ] || { cat "$T/out"; return 1; }
}

test_silent_guest_is_ended() {
	qemu_says "echo \$\$ >$T/pid; echo 'PASS first'; exec sleep 1000"
	if DEADLINE=1 guest "$TCG" max >/dev/null; then
		echo "the guest passes"
		return 1
	fi
	[ "$(grep -c '^PASS vm 6.1: first\|died or hung' "$T/out")" = 2 ] || { cat "$T/out"; return 1; }
	[ ! -e "/proc/$(cat "$T/pid")" ] || { echo "QEMU goes on"; return 1; }
}

build_and_run() { # name
	take_turns
	mkdir "$T/building" || echo "two build"
	sleep .3
	rmdir "$T/building"
	run_guest 6.1 image "$T/$1.log"
	mkdir "$T/building" || echo "two build"
	rmdir "$T/building"
}

# One of two scripts builds at a time; their guests run at the same time.
test_two_scripts() {
	local name said
	qemu_says "echo >>$T/guests; for i in \$(seq 100); do
		[ \$(wc -l <$T/guests) = 1 ] || { echo 'PASS both'; break; }; sleep .1; done; echo GUEST-STATUS 0"
	export -f build_and_run
	export T DEADLINE=60
	for name in first second; do
		in_guest_lib build_and_run "$name" >"$T/$name.out" 2>&1 &
	done
	wait
	said=$(cat "$T"/{first,second}.out)
	[ "$said" = $'PASS vm 6.1: both\nPASS vm 6.1: both' ] || { echo "$said"; return 1; }
}

run_tests
