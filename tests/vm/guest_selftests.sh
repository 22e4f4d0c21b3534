#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a guest: the kernel's own tests of netdevs, against a port.
#
#   guest_selftests.sh KERNEL shim|rmnet PROGRAM...     PROGRAM: its path below tools/testing/selftests
#
# Each program gets a port of its own, which cable_tool connects with the port of a host in the
# namespace "remote". Each of its results is compared with the table in /selftests.expected.

set -u
PATH=/usr/sbin:/usr/bin:/bin:/sbin
export PATH
kernel=$1 datapath=$2
shift 2
selftests=/linux/tools/testing/selftests
failed=0

export NETIF=port1 REMOTE_TYPE=netns REMOTE_ARGS=remote
export LOCAL_V4=10.64.1.2 REMOTE_V4=10.64.1.1 LOCAL_V6=fd00:64::2 REMOTE_V6=fd00:64::1

# configure V4 V6 [NETNS]: sets up a new port there.
configure() {
	local in=()
	[ -z "${3:-}" ] || in=(ip netns exec "$3")
	"${in[@]}" sysctl -qw net.ipv6.conf.port1.disable_ipv6=0
	"${in[@]}" ip addr add "$1/30" dev port1
	"${in[@]}" ip -6 addr add "$2/64" dev port1 nodad
}

plug_in() {
	coproc CABLE { exec cable_tool "$datapath" remote 2>&1; }
	cable=$CABLE_PID
	read -r -t 300 line <&"${CABLE[0]}"
	[ "$line" = ready ] || { echo "cable_tool: $line"; return 1; }
	configure "$LOCAL_V4" "$LOCAL_V6" && configure "$REMOTE_V4" "$REMOTE_V6" remote
}

# No port may be left for the next test.
unplug() {
	kill "$cable"
	wait "$cable" 2>/dev/null
	while [ -e /sys/class/net/port1 ] || ip -n remote link show port1 >/dev/null 2>&1; do
		sleep 0.05
	done
}

# expected TEST: result and reason, by the first line of the table that names it.
expected() {
	local test kernels datapaths result reason
	while read -r test kernels datapaths result reason; do
		# shellcheck disable=SC2053 # patterns
		[[ $1 == $test && $kernel == @(${kernels//,/|}) && $datapath == @(${datapaths//,/|}) ]] || continue
		echo "$result $reason"
		return
	done < <(grep -v '^#' /selftests.expected)
	echo "any"
}

# judge TEST pass|skip|fail REASON: one line, as all tests print them.
judge() {
	local want why
	read -r want why <<<"$(expected "$1")"
	case $want:$2 in
	pass:pass | any:pass) echo "PASS $datapath $1" ;;
	skip:skip | any:skip) echo "SKIP $datapath $1: $3" ;;
	fail:fail) echo "SKIP $datapath $1: does not apply: $why" ;;
	*)
		echo "FAIL $datapath $1: is $2${3:+ ($3)}, the table says $want${why:+ ($why)}"
		failed=1
		;;
	esac
}

# Reads the output of a program: TAP. Other lines go to the log.
results() {
	local line number=0 planned=-1
	while IFS= read -r line; do
		case $line in
		1..*) planned=${line#1..} ;;
		"ok "* | "not ok "*) number=$((number + 1)) ;;
		esac
		[[ $line =~ ^(not )?ok\ [0-9]+\ ([^ ]+)(\ #\ (SKIP|XFAIL)\ ?(.*))?$ ]] || { echo "$line"; continue; }
		if [ -n "${BASH_REMATCH[1]}" ]; then
			judge "${BASH_REMATCH[2]}" fail ""
		elif [ -n "${BASH_REMATCH[3]}" ]; then
			judge "${BASH_REMATCH[2]}" skip "${BASH_REMATCH[5]}"
		else
			judge "${BASH_REMATCH[2]}" pass ""
		fi
	done
	[ "$number" = "$planned" ] || judge "$1" fail "has $number results of $planned"
	return $failed
}

run() {
	local program=$1 name
	name=$(basename "$program" .py)
	echo "== $program on $datapath"
	if plug_in; then
		(cd "$selftests/$(dirname "$program")" && timeout -k 5 "${LIMIT:-900}" \
			python3.13 "./$name.py" 2>&1) | results "$name" || failed=1
	else
		judge "$name" fail "no port"
	fi
	unplug
}

ln -s /proc/self/fd /dev/fd
# busybox's shell prefers its own ip, ping and others.
ln -sf /usr/bin/bash /bin/sh
ip netns add remote
ip -n remote link set lo up
for program; do
	run "$program"
done
ip netns del remote
exit $failed
