#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each file is built into a folder that its own recipe makes, or that holds one of its prerequisites: with several
# jobs, and on another machine, make begins with another file.
set -u
cd "$(dirname "$0")/../.." || exit 1
new=/nonexistent/build

homeless() {
	make -pn -k BUILD=$new all tests $new/{cache,profile,die_at}.so 2>/dev/null | awk -v new="$new/" '
		BEGIN { RS = "" }
		index($1, new) != 1 || $1 !~ /:$/ || $0 !~ /recipe to execute/ { next }
		{
			target = folder = substr($1, 1, length($1) - 1)
			sub(/[^\/]*$/, "", folder)
			n = split(substr($0, 1, index($0, "\n#")), words, /[ \n]+/)
			made = $0 ~ /mkdir -p/
			for (i = 2; i <= n; i++)
				made = made || index(words[i], folder) == 1
			seen++
			if (!made)
				print target
		}
		END { print (seen > 100 ? "all" : "only " seen " files seen") }'
}

got=$(homeless)
if [ "$got" = all ]; then
	echo "PASS folders of files that are built"
else
	printf 'FAIL folders of files that are built:\n%s\n' "$got"
	exit 1
fi
