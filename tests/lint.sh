#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Formatting, static analysis and the house rules that a program can check.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

say() {
	printf 'lint: %s\n' "$*"
	bad=1
}

mapfile -t c_files < <(git ls-files '*.c' '*.h' | grep -v '^kmod-shim/')
mapfile -t sh_files < <(git ls-files '*.sh' '.ci/run')

clang-format --dry-run --Werror "${c_files[@]}" || say "clang-format wants changes: clang-format -i FILE"

shellcheck -x "${sh_files[@]}" || say "shellcheck has complaints"

mapfile -t user_c < <(printf '%s\n' "${c_files[@]}" | grep '\.c$' | grep -v '\.bpf\.c$')
cppcheck --quiet --library=tests/cppcheck.cfg --std=c11 --enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --error-exitcode=1 -j2 -Iinclude -I. -Idaemon -D_GNU_SOURCE \
	-DQMAP_VERSION='"lint"' "${user_c[@]}" || say "cppcheck has complaints"

for f in "${c_files[@]}" "${sh_files[@]}" Makefile $(git ls-files 'kmod-shim/*.[ch]' 'bpf/*'); do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: ' || say "$f: no SPDX line"
done
for f in $(git ls-files 'bpf/*.[ch]' 'kmod-shim/*.[ch]'); do
	head -n 3 "$f" | grep -q 'GPL-2.0-only' || say "$f: must be GPL-2.0-only"
done

tests/comment-english.py >"$out" || { tail -n 20 "$out"; say "comments: see doc/style.md"; }
mapfile -t hand_set < <(git ls-files '*.c' '*.h')
tests/lint-comments.sh "${hand_set[@]}" || say "comments: see doc/style.md"

tests/function-figures.py >"$out" || { tail -n 3 "$out"; say "functions cut too finely: tests/function-figures.py -v"; }

tests/lint-folders.sh || say "includes between folders"
tests/lint-rooms.sh || say "private headers: see tests/lint-rooms.sh"
tests/lint-files.sh || say "files missing in doc/architecture.md"
mapfile -t daemon_c < <(git ls-files 'daemon/*.c')
tests/lint-tables.sh "${daemon_c[@]}" || say "tables: see daemon/util/array.h"

if git grep -nE '\b(system|popen|sprintf|strcat)\(' -- 'daemon/*.c' 'tests/modem/*.c'; then
	say "no shelling out, no unbounded copies"
fi

[ $bad = 0 ] && echo "lint: clean"
exit $bad
