#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Headers that are private to a few files: a line is a header of daemon/ and the files, without their
# ending, that may include it. Its structs and functions are known to these files, and to the unit test
# of that name, alone.
set -u
cd "$(dirname "$0")/.." || exit 1

table() {
	cat <<-'EOF'
	session/internal.h: session rooms reset session_json
	session/call.h: calls call table end until reason calls_json
	session/radio.h: facts radio
	session/sim.h: facts sim
	session/sim_iccid.h: sim sim_iccid
	session/sim_pin.h: sim sim_pin
	session/network.h: facts network
	session/signals.h: network signals tests/unit/test_signals
	session/endpoint.h: format endpoint
	trunk/internal.h: trunk open adopt build clat failover path pdn pins port_rows reconcile recover session_events settle show totals usb tests/unit/test_path tests/unit/test_recover
	trunk/open.h: trunk open adopt path
	trunk/reconcile.h: trunk reconcile adopt build show
	trunk/settle.h: trunk settle session_events
	trunk/usb.h: trunk usb open
	EOF
}

bad=0
say() {
	printf '%s\n' "$*"
	bad=1
}

while IFS=: read -r header files; do
	folder=${header%/*} name=${header##*/}
	[ -f "daemon/$header" ] || say "$header: in the table of tests/lint-rooms.sh, not in daemon/"
	while read -r user; do
		file=${user#"daemon/$folder/"}
		[[ " $files " == *" ${file%.[ch]} "* ]] ||
			say "$user includes $header, which only these may: $files"
	done < <(git grep -lE "^#include \"($folder/)?$name\"" -- "daemon/$folder/*.[ch]"
		git grep -lE "^#include \"(daemon/)?$folder/$name\"" -- '*.[ch]' ":!daemon/$folder" \
			":!tests/unit/test_${name%.h}.c")
done < <(table)
exit $bad
