#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a guest: rows and cells of tests/net/test-matrix.sh with the modem on USB, where a modem that
# restarts or is unplugged takes netdev and control device along. A test of guest_usb.sh, which sources
# it.

# shellcheck disable=SC2154 # variables of guest_usb.sh and test-matrix.sh

# One of each kind of message; MATRIX=all: every row. The remaining columns do not depend on USB.
usb_rows() {
	if [ "${MATRIX:-}" = all ]; then
		rows
	else
		rows | grep -E 'attach (ctl (sync|allocate_cid 2)|wda|wds (bind_mux|start))|adopt wds status|detach (wds|ctl release_cid 1)'
	fi
}

usb_columns=(reboot unplugged killed)

# Differences from the software modem: its place, and slower emulated CPUs.
usb_matrix() {
	# shellcheck source=tests/net/test-matrix.sh
	. "$here/test-matrix.sh"
	eval "$(declare -f modem_start | sed '1s/modem_start/plain_modem_start/')"
	eval "$(declare -f fault_of | sed '1s/fault_of/plain_fault_of/')"
	descriptors() { # busybox's find has no -printf
		local fd
		for fd in "/proc/$qmapd_pid"/fd/*; do
			readlink "$fd"
		done | sed 's/:\[.*//' | sort | uniq -c
	}
	modem_start() {
		wait_for 20 drivers_gone || fail "drivers still hold the modem that has gone"
		plain_modem_start --usb vhci
		wait_for 20 drivers_ready || fail "qmi_wwan does not bind"
		pin_controller
	}
	fault_of() {
		plain_fault_of "$@" | sed "s/what=host/& pid=$qmapd_pid/"
	}
	expect_up() {
		wait_for 30 pings || fail "no traffic: $(qmapctl show 2>&1 | paste -sd '|')" || return
		wait_for 10 is_attached || fail "state $(field .state)" || return
		modem clear >/dev/null
		qmapctl detach wwan0
	}
}

daemon_starts() {
	grep -c 'control socket' "$T/qmapd.log"
}

usb_row() { # phase service message skip
	local column end line took before
	line=$(printf '%-6s %-4s %-18s %s' "$@")
	for column in "${usb_columns[@]}"; do
		took=${EPOCHREALTIME/./} before=$(daemon_starts)
		cell "$column" "$@" || end=FAILED failures=$((failures + 1))
		[ "$column" != killed ] || [ "$(daemon_starts)" -gt "$before" ] ||
			end=FAILED failures=$((failures + 1))
		line+=$(printf ' %-6s %5d ms' "$end" $(((${EPOCHREALTIME/./} - took) / 1000)))
		[ "$end" != FAILED ] || break
	done
	echo "DATA usb-$datapath $line"
}

test_matrix() {
	local failures=0 row
	usb_matrix
	printf '%s\n' '[trunk wwan0]' "datapath = $datapath" 'timeout = 3' 'backoff-min = 50' \
		'backoff-max = 400' '[trunk wwan0 pdn 1]' 'apn = internet' 'ip = v4' >"$T/conf"
	modem_start
	qmapd_start
	echo "DATA usb-$datapath $(printf '%-32s' '') ${usb_columns[*]}"
	while read -r row; do
		# shellcheck disable=SC2086 # words
		usb_row $row
		[ $failures = 0 ] || break
	done < <(usb_rows)
	equal "rows that failed" 0 $failures
	unplug
}
