#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make check-report: opens a report of synthetic results of every kind in a browser.
set -u
cd "$(dirname "$0")/.." || exit 1
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

tests/report-sample.sh >"$T/results"
if ! build/qmap-bench -o "$T/report.html" -m "$T/report.md" report "$T/results"; then
	echo "FAIL report"
	exit 1
fi
tests/report-check.py structure "$T/report.html" && tests/report-check.py pixels "$T/report.html"
case $? in
0) echo "PASS report" ;;
77) ;; # it has printed the reason
*) echo "FAIL report"; exit 1 ;;
esac
# The check itself must detect an empty plot.
sed 's/<rect class="mark bar"[^>]*>/<rect class="mark bar" x="90" y="40" width="0" height="0" fill="url(#p0-0)">/g;
	s/<path class="spread"[^>]*>//g' "$T/report.html" >"$T/empty.html"
tests/report-check.py pixels "$T/empty.html" >"$T/log" 2>&1
case $? in
1) echo "PASS report: an empty plot is found" ;;
77) ;;
*) echo "FAIL report: an empty plot is not found"; exit 1 ;;
esac
