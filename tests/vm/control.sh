#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Do the tests see what they are for? Runs them against modules that have the faults, and fails unless
# each test fails there.
#
#   tests/vm/control.sh              the module before its faults were mended
#   tests/vm/control.sh TEST...      these tests alone
#   COMMIT=8425efb                   which module: kmod-shim, bpf and include of that commit
#   KERNELS="6.1"                    kernels; "kasan" for what only the debug kernel sees

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh

COMMIT=${COMMIT:-8425efb}
KERNELS=${KERNELS:-6.1}
export DEADLINE=${DEADLINE:-150}
tree=$PWD/build/control

# Today's tests and tools with that commit's module and programs.
make_tree() {
	rm -rf "$tree"
	mkdir -p "$tree"
	git ls-files -z Makefile tests daemon bench doc | xargs -0 cp --parents -t "$tree" &&
		git archive "$COMMIT" kmod-shim bpf include | tar -x -C "$tree"
}

# The kernels are this tree's.
link_kernel() {
	local from=$VM_BUILD/$1 to=$tree/build/vm/$1
	mkdir -p "$to"
	ln -sfn "$from/root" "$to/root"
	cp -a "$from/release" "$from"/rmnet* "$to/"
	cp -a "$VM_BUILD/accel" "$tree/build/vm/" 2>/dev/null
	return 0
}

# Each in a guest of its own: it may die.
red() { # kernel test
	local console=$tree/build/vm/$1/console.log
	rm -f "$console"
	KERNELS=$1 "$tree/tests/vm/run.sh" "$2" >"$tree/log" 2>&1
	if ! grep -qE "^FAIL vm $1: ($2\$|the guest died)" "$tree/log" || [ ! -s "$console" ]; then
		echo "FAIL control $1: $2 does not see the fault, or did not run:"
		tail -n 5 "$tree/log"
		return 1
	fi
	echo "PASS control $1: $2 sees the fault:"
	grep -haE 'kernel BUG|invalid opcode|RIP: 0010|KASAN:|BUG:|WARNING:|general protection|Oops|possible recursive|^  [a-z_]+:[0-9]+:|died or hung' \
		"$tree/log" "$console" | cut -c1-150 | awk '!seen[$0]++ { print "    " $0 }' | head -n 5
}

[ $# -gt 0 ] || set -- single_pages large_payloads_v1 group_delete namespaces group_load loops truesize \
	poll_frames answers waiting segments checksums below drops_below bulk drop_monitor
make_tree || exit 1
failed=0
for kernel in $KERNELS; do
	reason=$(fetch_kernel "$kernel") || { echo "SKIP control $kernel: $reason"; continue; }
	link_kernel "$kernel"
	for test; do
		red "$kernel" "$test" || failed=1
	done
done
exit $failed
