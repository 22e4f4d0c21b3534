#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Includes allowed between folders of daemon/: a line is a folder and the folders that it uses. A folder
# may only use folders of earlier lines, so there is no circle.
set -u
cd "$(dirname "$0")/.." || exit 1

table() {
	cat <<-'EOF'
	util:
	model: util
	qmi: util
	rtnl: util
	totals: util
	clat: rtnl util
	keep: model util
	recover: util
	netdev: keep qmi rtnl util
	datapath: clat keep model netdev rtnl util
	config: clat datapath qmi recover util
	control: util
	events: model util
	proxy: qmi util
	session: config model proxy qmi util
	record: qmi util
	trunk: clat config datapath events keep model netdev qmi recover rtnl session totals util
	manager: config control datapath events netdev qmi rtnl totals trunk util
	hooks: config events manager model trunk util
	output: datapath events model util
	discover: config datapath netdev qmi util
	cli: config control datapath discover events hooks output qmi record trunk util
	EOF
}

used_by() { # FOLDER: the folders whose headers it includes
	git ls-files "daemon/$1/*.[ch]" | xargs -r sed -nE 's,^#include "([a-z]+)/.*,\1,p' | sort -u |
		grep -vx "$1" | while read -r d; do [ -d "daemon/$d" ] && echo "$d"; done
}

bad=0
say() {
	printf '%s\n' "$*"
	bad=1
}

seen=" "
while IFS=: read -r folder allowed; do
	[ -d "daemon/$folder" ] || say "$folder: in the table of tests/lint-folders.sh, not in daemon/"
	for d in $allowed; do
		[[ $seen == *" $d "* ]] || say "$folder may not use $d: it stands above it"
	done
	for d in $(used_by "$folder"); do
		[[ " $allowed " == *" $d "* ]] || say "daemon/$folder includes $d/: not allowed by tests/lint-folders.sh"
	done
	seen+="$folder "
done < <(table)
for d in daemon/*/; do
	[[ $seen == *" $(basename "$d") "* ]] || say "$d: not in the table of tests/lint-folders.sh"
done
exit $bad
