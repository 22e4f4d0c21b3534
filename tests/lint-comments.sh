#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lint-comments.sh FILE...: the end of a comment does not stand alone after one line of text. A comment
# of one line is written on one line, a longer one has two lines of text at least.
set -u

perl -0777 -ne '
	while (m{/\*([^*\n]*)\n([ \t]*)\*/|/\*\n[ \t]*\*[ \t]+\S[^\n]*\n[ \t]*\*/}g) {
		my $line = 1 + (substr($_, 0, $-[0]) =~ tr/\n//);
		print "$ARGV:$line: end of comment alone after one line\n";
		$bad = 1;
	}
	END { exit($bad // 0) }
' -- "$@"
