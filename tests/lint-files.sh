#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every source of daemon/ is named in doc/architecture.md: as `folder/name.c`, or as `name.c` in the
# row of its folder in the table "The files". A file named there must exist.
set -u
cd "$(dirname "$0")/.." || exit 1
doc=doc/architecture.md
bad=0

# shellcheck disable=SC2016 # backquotes of Markdown
row() { # FOLDER: the files in its row of the table
	awk -F '|' -v folder=" \`$1\` " '/^#/ { here = /^### The files/ } here && $2 == folder { print $3 }' "$doc" |
		grep -oE '`[a-z0-9_/]+\.[ch]`' | tr -d '`'
}

for dir in daemon/ daemon/*/; do
	name=${dir#daemon/}
	named=$(row "${name:-daemon/}")
	while read -r file; do
		[ -n "$file" ] || continue
		grep -qxF "${file##*/}" <<<"$named" || grep -qF "\`${file#daemon/}\`" "$doc" || {
			printf '%s: not named in %s\n' "$file" "$doc"
			bad=1
		}
	done < <(git ls-files "$dir*.c" | grep -xE "${dir}[^/]+")
	while read -r file; do
		[ -z "$file" ] || [ -f "$dir$file" ] || {
			printf '%s names %s: there is no such file\n' "$doc" "$dir$file"
			bad=1
		}
	done <<<"$named"
done
exit $bad
