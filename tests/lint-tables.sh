#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lint-tables.sh FILE...: a table indexed by an enum, `name[] = {[VALUE] = ...}`, says with
# TABLE_COMPLETE(name, VALUES) that its enum has no further value (daemon/util/array.h). A table that
# is to have holes gives its size instead: `name[SIZE] = {[VALUE] = ...}`.
set -u

perl -0777 -ne '
	while (/\b(\w+)\[\] = \{\s*\[[A-Z]/g) {
		my ($name, $line) = ($1, 1 + (substr($_, 0, $-[0]) =~ tr/\n//));
		next if /TABLE_COMPLETE\(\Q$name\E,/;
		print "$ARGV:$line: table $name lacks TABLE_COMPLETE()\n";
		$bad = 1;
	}
	END { exit($bad // 0) }
' -- "$@"
