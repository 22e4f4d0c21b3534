#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Demonstrates the main use on a software modem: attach four PDNs, pass traffic, lose one, detach.
#
# Everything happens in namespaces of its own and disappears with them. Exit 0 only if all of it worked.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/net/lib.sh"

title() {
	local text="$*"
	[ -t 1 ] && printf '\n\033[1m# %s\033[0m\n' "${text//$T\//}" || printf '\n# %s\n' "${text//$T\//}"
}

# Shows a command as one would type it, then runs it.
show() {
	title "$@"
	"$@"
}

say() {
	printf '\n%s\n' "$*"
}

ping_pdn() { # N families
	show ping -c 3 -i 0.2 -W 2 -q -I "wwan0.$1" "10.64.$1.1" | tail -n 3
	[ "${PIPESTATUS[0]}" = 0 ]
	[ "$2" = v4 ] && return
	show ping -c 3 -i 0.2 -W 2 -q -I "wwan0.$1" "2001:db8:64:$1::1" | tail -n 3
	[ "${PIPESTATUS[0]}" = 0 ]
}

# Both ways through PDN 1; checks iperf3's JSON and shows its summary.
iperf() { # option...
	local out=$T/iperf.json
	set -- iperf3 -c 10.64.1.1 -B 10.64.1.2 -t 5 "$@"
	title "$@"
	"$@" -J >"$out"
	jq -r '"  \(.end.sum_received.bits_per_second / 1e6 | floor) Mbit/s received, "
		+ "\(.end.sum_sent.retransmits // 0) retransmits"' "$out"
	jq -e '.end.sum_received.bytes > 0' "$out" >/dev/null
}

pdn_state() { # number
	field ".pdns[] | select(.number == $1) | .families | map(.state) | unique | join(\" \")"
}

port_open() {
	[ -n "$(ip netns exec net ss -Hltn 'sport = :5201')" ]
}

pdn_is() { # number state
	[ "$(pdn_state "$1")" = "$2" ]
}

demo() {
	say "A software RG500Q: QMI on a unix socket, QMAP on the TUN wwan0, and a network behind it."
	modem_start --model RG500Q
	qmapd_start

	say "Four PDNs, two of them with IPv4 and IPv6:"
	show qmapctl attach wwan0 --control "$T/qmi" --pdn 1,apn=internet,ip=v4v6 --pdn 2,apn=ims,ip=v4v6 \
		--pdn 3,apn=iot,ip=v4 --pdn 4,apn=corp,ip=v4
	show ip -br address show scope global

	say "Every PDN answers:"
	ping_pdn 1 v4v6
	ping_pdn 2 v4v6
	ping_pdn 3 v4
	ping_pdn 4 v4

	say "TCP through PDN 1, downlink and then uplink (the modem is a process on the same CPUs):"
	ip netns exec net iperf3 -s >/dev/null &
	wait_for 5 port_open
	iperf -R
	iperf
	show qmapctl stats wwan0

	say "The network ends the call of PDN 2 (call end reason 36, regular deactivation), and takes no new one:"
	modem refuse pdn=2 type=6 verbose=26
	show modem disconnect pdn=2 type=6 verbose=36
	wait_for 5 pdn_is 2 backing-off
	show qmapctl show wwan0
	equal "state of PDN 1" up "$(pdn_state 1)"
	say "It takes calls again:"
	show modem clear
	wait_for 10 pdn_is 2 up
	ping_pdn 2 v4v6

	say "The daemon is killed; the data path goes on without it, and the next daemon takes over:"
	show qmapd_kill KILL || :
	ping_pdn 1 v4
	show qmapd_start
	wait_for 5 pdn_is 1 up

	show qmapctl detach wwan0
	nothing_left
	say "Nothing is left: no netdev, no pin, no route, no client id in the modem."
}

inside() {
	enter_sandbox || exit 1
	trap 'kill $(jobs -p) 2>/dev/null' EXIT
	( set -e; demo )
	local status=$?
	[ $status = 0 ] || show_logs
	exit $status
}

if [ "${1:-}" = --inside ]; then
	inside
fi
if [ "$(id -u)" != 0 ]; then
	echo "The demo makes namespaces and loads BPF: run it as root (sudo make demo)." >&2
	exit 5
fi
timeout --foreground -k 5 110 unshare --mount --net --pid --fork --kill-child --mount-proc bash "$0" --inside
status=$?
if [ $status = 0 ]; then
	printf '\nDemo: all of it worked.\n'
else
	printf '\nDemo: FAILED (status %s)\n' $status
fi
exit $status
