#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compiles user space without a warning with each compiler of this machine: clang, other versions of
# gcc, and those for machines of 32 bits or of the other byte order. Cross compilers use the libraries'
# headers of this machine; nothing is linked.
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

# The first folder with asm/types.h, for BPF programs when CC is this compiler.
bpf_asm() { # compiler...
	local dir
	for dir in $(make -pn CC="$*" 2>/dev/null | sed -n 's/^BPF_HEADERS := //p' | sed 's/-idirafter//g'); do
		[ ! -e "$dir/asm/types.h" ] || { echo "asm/types.h"; return; }
	done
}

# check NAME FLAGS COMPILER...
check() {
	local name=$1 flags=$2
	shift 2
	command -v "$1" >/dev/null || { echo "SKIP compile by $name: no $1"; return; }
	printf '#include <errno.h>\n#include <asm/types.h>\n' | "$@" -E - >/dev/null 2>&1 ||
		{ echo "SKIP compile by $name: no headers of a C library for $1"; return; }
	verdict "compile by $name" "" "$(make -s -k -j "$(nproc)" CC="$*" CFLAGS="-O2 $flags" compile 2>&1)"
	verdict "kernel headers of $name" "asm/types.h" "$(bpf_asm "$@")"
}

check gcc '' gcc
check clang '' clang
for compiler in gcc-{11,13,14,15} clang-{13,15,16,19,22}; do
	! command -v "$compiler" >/dev/null || check "$compiler" '' "$compiler"
done
for triplet in arm-linux-gnueabihf aarch64-linux-gnu s390x-linux-gnu mipsel-linux-gnu; do
	check "$triplet" '-idirafter /usr/include' "$triplet-gcc"
done
exit $status
