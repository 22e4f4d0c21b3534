#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# skeleton-bytes.sh OBJECT: a skeleton of `bpftool gen skeleton` on standard input goes out with the
# bytes of OBJECT in the place of those that it was made of.
set -eu

bytes() {
	od -An -v -tx1 "$1" | sed 's/ /\\x/g; s/.*/\t\t"&"/'
}

in_place=
while IFS= read -r line; do
	case $line in
	*__elf_bytes\(size_t\ \*sz\)) # its definition: declarations end in a semicolon
		in_place=1
		printf '%s\n{\n\tstatic const char bytes[] __attribute__((aligned(8))) =\n' "$line"
		bytes "$1"
		printf '\t\t;\n\n\t*sz = sizeof(bytes) - 1;\n\treturn bytes;\n}\n'
		;;
	'}') [ -n "$in_place" ] || printf '%s\n' "$line"; in_place= ;;
	*) [ -n "$in_place" ] || printf '%s\n' "$line" ;;
	esac
done
