#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks that the tests detect the faults that they are written for: runs them against modules that have
# the faults, and fails unless each test fails there.
#
#   tests/vm/control.sh              the module before its faults were mended
#   tests/vm/control.sh TEST...      these tests alone
#   COMMIT=8425efb                   which module: kmod-shim, bpf and include of that commit
#   KERNELS="6.1"                    kernels; "kasan" for faults that only the debug kernel reports
#
# short_transfers checks the debug kernel itself: it runs there against the kernel's rmnet without the
# fix of CVE-2026-64550, and that kernel must report it. guarded sends AGGREGATES=20000 spoilt
# aggregates to that rmnet, which must be reported without the observer in front, and not with it.
#
# Faults that the module never had are made: each line of $MUTATIONS changes one expression of today's.

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh

COMMIT=${COMMIT:-8425efb}
KERNELS=${KERNELS:-6.1}
export DEADLINE=${DEADLINE:-150}
tree=$PWD/build/control

# Combines today's tests and tools with that commit's module and programs.
make_tree() {
	mkdir -p "$tree"
	git ls-files -z Makefile system tests daemon bench doc | xargs -0 cp --parents -t "$tree" &&
		git archive "$COMMIT" kmod-shim bpf include | tar -x -C "$tree"
}

# Lines of "test file sed": the test must fail with the file so changed.
MUTATIONS='marks_v5 kmod-shim/chain.c s/ip->tos != first->tos ||//
marks_v5 kmod-shim/chain.c s/!memcmp(f->data, h->data, 4)/true/
marks_v5 kmod-shim/chain.c s/& ~TCP_FLAG_PSH)/\& TCP_FLAG_RST)/
marks_v5 kmod-shim/chain.c s/TCPHDR_PSH | TCPHDR_ECE)/TCPHDR_PSH | TCPHDR_ECE | TCPHDR_CWR)/
forward_v5 kmod-shim/chain.c s/ip->ttl != first->ttl/false/
forward_v5 kmod-shim/build.c s/th->check = pseudo/th->check = ~pseudo/
segments kmod-shim/segment.c s/->cwr = 0/->cwr |= 0/
segments kmod-shim/segment.c s/if (offset && /if (/'

# Puts today's module into the tree, with that change.
mutate() { # file sed
	[ -e "$tree/Makefile" ] || make_tree || return 1
	rm -rf "$tree"/{kmod-shim,bpf,include}
	git ls-files -z kmod-shim bpf include | xargs -0 cp --parents -t "$tree"
	sed -i "$2" "$tree/$1"
	! cmp -s "$1" "$tree/$1" || { echo "FAIL control: $1 has nothing for $2"; return 1; }
	echo "$1: $2"
}

red_mutations() { # kernel test
	local test file change status=0
	while read -ru 3 test file change; do
		[ "$test" != "$2" ] || { mutate "$file" "$change" && red "$1" "$2"; } || status=1
	done 3<<<"$MUTATIONS"
	return $status
}

# Uses this tree's kernels.
link_kernel() {
	local from=$VM_BUILD/$1 to=$tree/build/vm/$1
	mkdir -p "$to"
	ln -sfn "$from/root" "$to/root"
	cp -a "$from/release" "$from"/rmnet* "$to/"
	cp -a "$VM_BUILD/accel" "$tree/build/vm/" 2>/dev/null
	return 0
}

# Runs each test in a guest of its own, which may die.
red() { # kernel test
	local console=$tree/build/vm/$1/test.log
	[ -e "$tree/Makefile" ] || make_tree || return 1
	link_kernel "$1"
	rm -f "$console"
	VM_BUILD=$tree/build/vm KERNELS=$1 "$tree/tests/vm/run.sh" "$2" >"$tree/log" 2>&1
	if ! grep -qE "^FAIL vm $1: ($2\$|the guest died|kernel log)" "$tree/log" || [ ! -s "$console" ]; then
		echo "FAIL control $1: $2 does not see the fault, or did not run:"
		tail -n 5 "$tree/log"
		return 1
	fi
	echo "PASS control $1: $2 sees the fault:"
	grep -haE 'kernel BUG|invalid opcode|RIP: 0010|KASAN:|BUG:|WARNING:|general protection|Oops|possible recursive|^  [a-z_]+:[0-9]+:|died or hung' \
		"$tree/log" "$console" | cut -c1-150 | awk '!seen[$0]++ { print "    " $0 }' | head -n 5
}

# Runs a test with a rmnet in a guest whose console it leaves in $VM_BUILD/KERNEL/test.log.
with_rmnet() { # kernel rmnet test [arguments of the kernel]
	rm -f "$VM_BUILD/$1/test.log"
	GUEST_RMNET=$2 KERNELS=$1 CMDLINE=${4:-} tests/vm/run.sh "$3" >"$VM_BUILD/$1/control.log" 2>&1
}

# Fails unless the kernel reports rmnet without the mend, and is silent about the second guest, or
# those reports would show nothing.
red_rmnet() { # kernel test "arguments of the red guest" "rmnet of the silent guest" "its arguments"
	local dir=$VM_BUILD/$1 reason report
	[ "$1" = kasan ] || { echo "SKIP control $1: $2: only the debug kernel sees it"; return 0; }
	reason=$(build_rmnet "$1" unfixed) || { echo "FAIL control $1: rmnet: $reason"; return 1; }
	with_rmnet "$1" rmnet-unfixed "$2" "$3"
	if ! report=$(grep -aom1 'BUG: KASAN: .* in .*\[rmnet\]' "$dir/test.log"); then
		echo "FAIL control $1: $2: rmnet without the mend of CVE-2026-64550 is not reported:"
		tail -n 5 "$dir/control.log"
		return 1
	fi
	with_rmnet "$1" "$4" "$2" "$5" ||
		{ echo "FAIL control $1: $2 fails with $4, too:"; tail -n 5 "$dir/control.log"; return 1; }
	echo "PASS control $1: $2: the kernel reports rmnet without the mend of CVE-2026-64550:"
	echo "    $report"
	grep -a 'frames were good' "$dir/test.log" | tail -n 1
	return 0
}

[ $# -gt 0 ] || set -- single_pages large_payloads_v1 group_delete namespaces group_load loops truesize \
	poll_frames answers waiting tcp6 checksums below drops_below bulk drop_monitor marks_v5 forward_v5 segments
rm -rf "$tree"
failed=0
for kernel in $KERNELS; do
	reason=$(fetch_kernel "$kernel") || { echo "SKIP control $kernel: $reason"; continue; }
	for test; do
		case $test in
		short_transfers) red_rmnet "$kernel" "$test" "" rmnet "" ;;
		# With the observer in front, nothing of that reaches the same rmnet.
		guarded) red_rmnet "$kernel" "$test" "GUARD=off AGGREGATES=2500" rmnet-unfixed "AGGREGATES=${AGGREGATES:-20000}" ;;
		marks_v5 | forward_v5 | segments) red_mutations "$kernel" "$test" ;;
		*) red "$kernel" "$test" ;;
		esac || failed=1
	done
done
exit $failed
