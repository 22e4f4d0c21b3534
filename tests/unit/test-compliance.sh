#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# doc/compliance.md names files and tests that exist, in rows that have both.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/unit/lib.sh
. tests/unit/lib.sh
doc=doc/compliance.md

rows() {
	grep '^|' "$doc" | grep -v '^|---\|^| the document'
}

test_files_exist() {
	local file n=0
	# shellcheck disable=SC2016 # backquotes of Markdown
	while read -r file; do
		[ -e "$file" ] || { echo "$file: named in $doc, is not there"; return 1; }
		n=$((n + 1))
	done < <(rows | grep -oE '`(daemon|bpf|kmod-shim|include|tests)/[^` ]+`' | tr -d '`' | sort -u)
	[ "$n" -ge 20 ]
}

# In its last column a row has files, each followed by tests in it or a name in quotes.
test_tests_exist() {
	local column word file='' n=0 name
	while IFS='|' read -r _ _ _ column _; do
		file='' n=$((n + 1))
		name=$(grep -oE '"[^"]*"' <<<"$column")
		for word in ${column//\"[^\"]*\"/}; do
			word=${word%[,;]}
			case $word in
			\`*\`) file=${word//\`/} ;;
			test_* | other_modes)
				grep -qE "\\b$word\\b" "$file" || { echo "$file has no $word"; return 1; }
				;;
			esac
		done
		[ -n "$file" ] || { echo "no test: $column"; return 1; }
		[ -z "$name" ] || grep -qF "$name" "$file" || { echo "$file has no $name"; return 1; }
	done < <(rows)
	[ "$n" -ge 25 ]
}

run_tests
