#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# User space compiles without a warning by each compiler that this machine has: clang, other versions of
# gcc, and those for machines of 32 bits or of the other byte order. Cross compilers take the libraries'
# headers from this machine; nothing is linked.
set -u
cd "$(dirname "$0")/../.." || exit 1
status=0

verdict() { # name, expected, got
	if [ "$2" = "$3" ]; then
		echo "PASS $1"
	else
		printf 'FAIL %s: expected "%s", got:\n%s\n' "$1" "$2" "$3"
		status=1
	fi
}

# check NAME TRIPLET FLAGS COMPILER...: the sources, and the folder of asm/ that BPF programs are given.
check() {
	local name=$1 triplet=$2 flags=$3
	shift 3
	command -v "$1" >/dev/null || { echo "SKIP compile by $name: no $1"; return; }
	verdict "compile by $name" "" "$(make -s -k -j "$(nproc)" CC="$*" CFLAGS="-O2 $flags" compile 2>&1)"
	verdict "triplet of $name" "$triplet" "$(make -pn CC="$*" 2>/dev/null | sed -n 's/^MULTIARCH := //p')"
}

here=$(gcc -print-multiarch)
check gcc "$here" '' gcc
check clang "$here" '' clang
for compiler in gcc-{11,13,14,15} clang-{13,15,16,19,22}; do
	! command -v "$compiler" >/dev/null || check "$compiler" "$here" '' "$compiler"
done
for triplet in arm-linux-gnueabihf aarch64-linux-gnu s390x-linux-gnu mipsel-linux-gnu; do
	check "$triplet" "$triplet" '-idirafter /usr/include' "$triplet-gcc"
done
exit $status
