#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules of make lint that are scripts of our own: each accepts a small tree and finds the fault that
# is put into it.
set -u
cd "$(dirname "$0")/../.." || exit 1
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
rules=$PWD/tests
failed=0

# A tree in git with two folders of daemon/, each with a source that breaks no rule.
tree() {
	rm -rf "$T/tree"
	mkdir -p "$T/tree/tests" "$T/tree/doc" "$T/tree/daemon"
	(
		cd "$T/tree" || exit 1
		git init -q .
		cp "$rules"/lint-*.sh "$rules"/*-{english,figures}.py tests/
		awk -F : '/^\ttable\(\)/ { next } /^\t[a-z]+:/ { gsub("\t", "", $1); print $1 }' tests/lint-folders.sh |
			while read -r folder; do mkdir -p "daemon/$folder"; touch "daemon/$folder/.keep"; done
		awk -F : '/^\ttable\(\)/ { next } /^\t[a-z]+\/[a-z_]+\.h:/ { gsub("\t", "", $1); print $1 }' tests/lint-rooms.sh |
			while read -r header; do mkdir -p "daemon/${header%/*}"; touch "daemon/$header"; done
		printf '/* Reads a file. */\nint a(void);\n' >daemon/util/a.c
		printf '#include "util/a.h"\n' >daemon/qmi/b.c
		# shellcheck disable=SC2016 # no commands
		printf '%s\n' '### The files' '| in | files |' '| `util/` | `a.c` reads |' '| `qmi/` | `b.c` |' >doc/architecture.md
		git add -A
	)
}

rule() { # RULE FILE...: as lint runs it, in the tree
	local script=tests/$1
	shift
	(cd "$T/tree" && git add -A && "$script" "$@") >"$T/said" 2>&1
}

verdict() { # NAME STATUS
	if [ "$2" = 0 ]; then
		echo "PASS lint: $1"
	else
		echo "FAIL lint: $1"
		sed 's/^/  /' "$T/said"
		failed=1
	fi
}

# finds NAME WORDS RULE FILE...: the rule fails and its output contains WORDS.
finds() {
	local name=$1 words=$2
	shift 2
	! rule "$@" && grep -qF -- "$words" "$T/said"
	verdict "$name" $?
}

accepts() { # NAME RULE FILE...
	local name=$1
	shift
	rule "$@"
	verdict "$name" $?
}

tree
accepts "files that are named" lint-files.sh
echo >"$T/tree/daemon/util/forgotten.c"
finds "a file that is not named" "daemon/util/forgotten.c: not named" lint-files.sh
tree
rm "$T/tree/daemon/qmi/b.c"
finds "a name without a file" "names daemon/qmi/b.c" lint-files.sh
tree
echo 'int c;' >"$T/tree/daemon/qmi/a.c"
finds "a file that is named in another folder" "daemon/qmi/a.c: not named" lint-files.sh

tree
accepts "an include downwards" lint-folders.sh
echo '#include "qmi/b.h"' >>"$T/tree/daemon/util/a.c"
finds "an include upwards" "daemon/util includes qmi/" lint-folders.sh
tree
mkdir "$T/tree/daemon/new"
finds "a folder without a place" "not in the table" lint-folders.sh

tree
echo '#include "call.h"' >"$T/tree/daemon/session/calls.c"
accepts "a private header in a file that may include it" lint-rooms.sh
echo '#include "call.h"' >"$T/tree/daemon/session/facts.c"
finds "a private header in another file" "daemon/session/facts.c includes session/call.h" lint-rooms.sh
tree
echo '#include "session/call.h"' >"$T/tree/daemon/util/a.c"
finds "a private header in another folder" "daemon/util/a.c includes session/call.h" lint-rooms.sh
tree
rm "$T/tree/daemon/session/call.h"
finds "a private header that does not exist" "not in daemon/" lint-rooms.sh

tree
accepts "comments of one line" lint-comments.sh daemon/util/a.c
printf '/*\n * Reads a file, one\n * or two.\n */\n' >"$T/tree/daemon/util/a.c"
accepts "a comment of two lines" lint-comments.sh daemon/util/a.c
printf 'int a;\n/*\n * Reads a file.\n */\n' >"$T/tree/daemon/util/a.c"
finds "an end of comment alone" "a.c:2: end of comment" lint-comments.sh daemon/util/a.c
printf 'int a; /* the file\n\t*/\n' >"$T/tree/daemon/util/a.c"
finds "an end of comment below a trailing one" "a.c:1: end of comment" lint-comments.sh daemon/util/a.c

tree
printf 'static const char *const t[] = {\n\t[ONE] = "1",\n};\nTABLE_COMPLETE(t, NUMBERS);\n' >"$T/tree/daemon/util/a.c"
accepts "a table that is complete" lint-tables.sh daemon/util/a.c
printf 'static const char *const t[NUMBERS] = {\n\t[ONE] = "1",\n};\n' >"$T/tree/daemon/util/a.c"
accepts "a table of a given size" lint-tables.sh daemon/util/a.c
printf 'static const char *const t[] = {\n\t[ONE] = "1",\n};\n' >"$T/tree/daemon/util/a.c"
finds "a table that may lack values" "a.c:1: table t" lint-tables.sh daemon/util/a.c

tree
accepts "plain comments" comment-english.py
for word in what somebody; do
	tree
	for _ in 1 2 3; do echo "/* Reads $word it finds. */" >>"$T/tree/daemon/util/a.c"; done
	finds "comments with \"$word\"" "of \"$word\"" comment-english.py
done
tree
printf '# The caller is told, and told, and told.\n' >"$T/tree/tests/a.sh"
finds "comments with \"told\", in a script" 'of "told"' comment-english.py
tree
printf 'const char *a = "what somebody is told /* what what what */";\n' >"$T/tree/daemon/util/a.c"
accepts "words of a string" comment-english.py

# Figures of a file with one long function that calls short(), which is BODY.
cut() { # BODY
	tree
	printf 'static int n;\nstatic void (*called)(void);\n\nstatic void short(void)\n{\n\t%s\n}\n\nvoid a(void)\n{\n\tn++;\n\t%s;\n}\n' \
		"$1" "${2-short()}" >"$T/tree/daemon/util/a.c"
}
cut 'n++; b();'
finds "a short static function with one call" "short: 100.0 %" function-figures.py
cut 'b();'
finds "a wrapper" "wrappers: 50.0 %" function-figures.py
printf 'struct a {\n\tint n;\n};\n\nint a(const struct a *x)\n{\n\treturn b(x->n);\n}\n' >"$T/tree/daemon/util/a.c"
accepts "an accessor of a private struct" function-figures.py
cut 'b();' 'called = short; short()'
accepts "a callback" function-figures.py
cut 'n++; b();' 'short(); short()'
accepts "a function with two calls" function-figures.py

# TABLE_COMPLETE() itself: a value that is added without an entry does not compile.
compiles() { # VALUES
	printf '#include "util/array.h"\nenum { ONE, TWO, %s NUMBERS };\nstatic const char *const t[] = {[ONE] = "1", [TWO] = "2"};\nTABLE_COMPLETE(t, NUMBERS);\nconst char *f(int n) { return t[n]; }\n' "$1" |
		${CC:-cc} -Idaemon -xc -c -o "$T/a.o" - >"$T/said" 2>&1
}
compiles ""
verdict "TABLE_COMPLETE() of a complete table" $?
! compiles "THREE,"
verdict "TABLE_COMPLETE() of a table without the last value" $?

exit $failed
