#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Responses to bad input and to a machine with something missing: one sentence with the cause, the next
# step, the documented exit code, and everything undone.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# --- shared by the tests ---

nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

logged() {
	grep -qF "$1" "$T/qmapd.log"
}

# refused_json CODE ERRNO COMMAND...: an object on stdout, nothing on stderr, and the same exit code.
refused_json() {
	local code=$1 symbol=$2
	shift 2
	status=0
	said=$("$@" 2>"$T/stderr") || status=$?
	equal "exit code of $*" "$code" "$status"
	equal "errno of $*" "$symbol" "$(jq -r .errno <<<"$said")"
	equal "members of the error of $*" '["errno","error","hint"]' "$(jq -c keys <<<"$said")"
	at_least "length of the error" 10 "$(jq -r '.error | length' <<<"$said")"
	equal "stderr of $*" "" "$(cat "$T/stderr")"
}

# --- words ---

test_probe_without_device() {
	qmapctl probe >"$T/probe" || fail "probe: $(cat "$T/probe")"
	! grep -F '(null)' "$T/probe" || fail "a name is missing"
}

test_wrong_words() {
	local words sentence
	while IFS='|' read -r words sentence; do
		# shellcheck disable=SC2086 # several words
		refused 1 "$sentence" qmapctl $words
		says "hint: "
		says "--help"
	done <<-'END'
		frobnicate|unknown command "frobnicate"
		atach|did you mean "attach"?
		status|did you mean "show"?
		start|did you mean "attach"?
		counters|did you mean "stats"?
		rates|did you mean "top"?
		reread|did you mean "reload"?
		attach wwan0 --apn internet|it is a setting of a PDN: --pdn 1,apn=...
		attach wwan0 apn=internet|settings of a PDN belong to it: --pdn 1,apn=internet
		decode qmap nofile|there is no file of that name either
		--frob|unknown option --frob
		attach|the name of a network device is missing
		attach wwan0 wwan1|one device at most
		attach wwan0 --frob|unknown option --frob
		attach this-name-is-too-long|at most 15 characters
		attach a/b|"a/b" is not a name of a network device
		attach wwan0 --pdn x|a PDN begins with its number
		attach wwan0 --pdn 0|bad number "0": allowed: a number from 1 to 254
		attach wwan0 --pdn 255|bad number "255"
		attach wwan0 --pdn 1,foo=1|a PDN has no setting "foo"
		attach wwan0 --pdn 1,apn|"apn" in a PDN is not key=value
		attach wwan0 --pdn 1,ip=v5|bad ip "v5": allowed: v4, v6, v4v6
		attach wwan0 --pdn 1,mux=0|bad mux "0"
		attach wwan0 --pdn 1,mux=5 --pdn 2,mux=5|PDNs 1 and 2 have the same mux id 0x05
		attach wwan0 --pdn 1 --pdn 1|PDN 1 is given twice
		attach wwan0 --pdn 1,netns=../x|is not a name of a network namespace
		attach wwan0 --qmap v9|bad qmap "v9": allowed: auto, off, v1, v4, v5
		attach wwan0 --qmap off --pdn 1 --pdn 2|qmap=off carries one PDN, not 2
		attach wwan0 --datapath other|bad datapath "other": allowed: auto, usb, shim, xdp, rmnet, qmimux
		attach wwan0 --timeout 0|bad timeout "0": allowed: a number from 1 to 600
		attach wwan0 --dl-max-bytes 100|bad dl-max-bytes 100
		attach wwan0 --control none --pdn 1,apn=x|apn, user and password need a control channel
		detach|the name of a network device is missing
		show a b|one device at most
		decode|"qmi" or "qmap" comes first
		decode qmi|the bytes to decode are missing
		decode qmi xyz|not a pair of hexadecimal digits at character 1
		decode qmap --qmap v9 00|bad --qmap "v9": allowed: v1, v4, v5
	END
}

# ask REQUEST: sends a line to the control socket without checking it, and prints the reply.
ask() {
	"$build/qmap-modem" ctl /run/qmapd/control "$1" || :
}

test_wrong_requests() {
	local request code sentence
	start
	while IFS='|' read -r request code sentence; do
		said=$(ask "$request")
		equal "ok and exit code in the reply to $request" "false $code" "$(jq -r '"\(.ok) \(.exit)"' <<<"$said")"
		says "$sentence"
	done <<-'END'
		{}|1|a request needs a
		nonsense|2|the request is not a JSON object
		[]|2|the request is not a JSON object
		{"command":"frobnicate"}|1|unknown command
		{"command":"attach"}|1|attach needs
		{"command":"attach","trunk":{"dev":"wwan0","pdns":[{"number":1,"mux":999}]}}|1|mux
		{"command":"attach","trunk":{"dev":"wwan0","frob":1}}|1|frob
		{"command":"detach"}|1|is missing, the name of a trunk
		{"command":"detach","dev":7}|1|is missing, the name of a trunk
		{"command":"redial"}|1|is missing, the name of a trunk
		{"command":"detach","dev":"wwan9"}|4|wwan9 is not attached
	END
	socket_answers
	nothing_left
}

# What can stand in a directory of configuration files, and how such files can begin.
test_odd_files() {
	mkdir -p "$T/d/sub.conf"
	refused 78 "$T/d/sub.conf is no regular file" timeout 60 "$build/qmapd" -c "$T/d"
	rmdir "$T/d/sub.conf"
	mkfifo "$T/d/fifo.conf"
	refused 78 "$T/d/fifo.conf is no regular file" timeout 60 "$build/qmapd" -c "$T/d"
	rm "$T/d/fifo.conf"
	ln -s nowhere "$T/d/link.conf"
	refused 78 "cannot open $T/d/link.conf" timeout 60 "$build/qmapd" -c "$T/d"
	rm "$T/d/link.conf"
	modem_start
	printf '\xef\xbb\xbf[trunk wwan0]\r\ncontrol = %s\r\n' "$T/qmi" >"$T/d/dos.conf"
	qmapd_start -c "$T/d"
	wait_for 10 trunk_is_up || fail "$(qmapctl show)"
	qmapctl detach wwan0
	nothing_left
}

trunk_is_up() {
	[ "$(field .state)" = attached ]
}

# Files of ours in the run directory that are no files: nothing waits for them or follows them.
test_odd_files_in_the_run_directory() {
	modem_start --pin 1234
	mkfifo /run/qmapd/wwan0.1.v4.facts /run/qmapd/wwan0.modem.facts /run/qmapd/pins-tried
	mkdir /run/qmapd/wwan0.1.resolv.conf
	qmapd_start
	attach --pin 1234 --pdn 1,ip=v4 >/dev/null
	says_of_port "cannot write /run/qmapd/wwan0.1.resolv.conf: Is a directory"
	rmdir /run/qmapd/wwan0.1.resolv.conf
	qmapctl redial wwan0 >/dev/null
	equal "damage" '[]' "$(field '.pdns[0].damage | tojson')"
	qmapctl detach wwan0
	nothing_left
}

says_of_port() {
	[[ $(field '.pdns[0].damage | join("; ")') == *"$1"* ]] || fail "$(qmapctl show)"
}

test_json_errors() {
	start
	refused_json 1 EINVAL qmapctl -j frobnicate
	refused_json 1 EINVAL qmapctl attach wwan0 --pdn 0 -j
	refused_json 4 ENODEV qmapctl -j attach nosuch0
	refused_json 4 ENODEV qmapctl -j detach wwan0
	refused_json 4 ENODEV qmapctl -j show wwan0
	refused_json 3 EOPNOTSUPP qmapctl -j attach lo --control "$T/qmi"
	modem refuse type=6 verbose=27
	refused_json 2 ECONNREFUSED qmapctl -j attach wwan0 --control "$T/qmi"
	says "check the APN's spelling"
	nothing_left
}

# --- devices ---

test_devices_that_are_no_trunk() {
	start
	refused 4 "there is no netdev nosuch0" qmapctl attach nosuch0 --control "$T/qmi"
	refused 3 "lo is no modem's raw-IP netdev" qmapctl attach lo --control "$T/qmi"
	ip link add eth7 type veth peer name eth8
	refused 3 "eth7 is no modem's raw-IP netdev" qmapctl attach eth7 --control none
	refused 4 "there is no netdev nosuch0" qmapctl probe nosuch0
	equal "trunks" "[]" "$(qmapctl -j show)"
	nothing_left
}

# sysfs as for a modem in another mode. A data path that this machine lacks: a clear sentence, and
# nothing is left behind.
test_data_paths_that_are_not_here() {
	start
	# the kind without its required attributes: a kernel that knows it returns another error
	if ip link add type rmnet 2>&1 | grep -qv 'Unknown device type'; then
		skip "this machine has rmnet"
	fi
	refused 3 "this kernel has no rmnet" qmapctl attach wwan0 --control "$T/qmi" --datapath rmnet
	says "it is CONFIG_RMNET"
	nothing_left
	refused_json 3 EOPNOTSUPP qmapctl -j attach wwan0 --control none --datapath rmnet
	nothing_left
	refused 3 "wwan0 is not a netdev of qmi_wwan" qmapctl attach wwan0 --control "$T/qmi" --datapath qmimux
	nothing_left
}

pretend_driver() { # driver [Quectel's product id]
	rm -rf "$T/net"
	mkdir -p "$T/net/wwan0/device"
	if [ -n "${2:-}" ]; then
		echo 2c7c >"$T/net/wwan0/idVendor"
		echo "$2" >"$T/net/wwan0/idProduct"
	fi
	ln -s "../../../../bus/usb/drivers/$1" "$T/net/wwan0/device/driver"
	mount --bind "$T/net" /sys/class/net
}

test_modem_in_another_mode() {
	local driver mode
	start
	while read -r driver mode; do
		pretend_driver "$driver"
		refused 3 "wwan0 is a modem in $mode mode (driver $driver), which has no QMAP" \
			qmapctl attach wwan0 --control "$T/qmi"
		says 'AT+QCFG="usbnet",0'
		umount /sys/class/net
		nothing_left
	done <<-END
		cdc_ether ECM
		cdc_mbim MBIM
		rndis_host RNDIS
		cdc_ncm NCM
	END
	# a modem of Unisoc's: there is no QMI mode to switch to
	pretend_driver cdc_ncm 0900
	refused 3 "wwan0 is a modem in NCM mode" qmapctl attach wwan0 --control "$T/qmi"
	says "it speaks no QMI in any mode"
	[[ $said != *AT+* ]] || fail "$said"
	umount /sys/class/net
	attach
	detach
}

# --- control channels ---

# A socket without a listener.
stale_socket() {
	kill -KILL $modem_pid
	wait $modem_pid || :
	mv "$T/qmi" "$T/stale"
	modem_start
}

test_control_channels() {
	local path code sentence
	start
	stale_socket
	mkdir "$T/directory"
	while read -r path code sentence; do
		refused "$code" "$sentence" qmapctl attach wwan0 --control "$path"
		says "hint: "
		nothing_left
	done <<-END
		$T/nosuch 4 control channel $T/nosuch cannot be opened: No such file or directory
		$T/modem.log 1 is neither a character device nor a unix socket
		$T/directory 1 is neither a character device nor a unix socket
		/dev/null 1 control channel /dev/null is no QMI device
		$T/stale 2 control socket $T/stale cannot be connected to: Connection refused
	END
	! grep -F '[warn]' "$T/qmapd.log" || fail "a library speaks up for itself"
	refused 4 "no control device of wwan0 found" qmapctl attach wwan0
	says "name it with --control PATH"
	nothing_left
}

# The SYNC of a second trunk would end the calls of the first, which would not notice.
test_control_channel_of_another_trunk() {
	local device
	start
	"$build/pty-bridge" "$T/qmi" >"$T/device" &
	wait_for 10 test -s "$T/device"
	device=$(cat "$T/device")
	ln -s "$device" "$T/link"
	ip tuntap add dev wwan9 mode tun
	qmapctl attach wwan0 --control "$device" --pdn 1,ip=v4
	for path in "$device" "$T/link"; do
		refused 2 "control channel $path belongs to trunk wwan0" \
			qmapctl attach wwan9 --control "$path" --pdn 2,ip=v4
		says "several PDNs of one modem are one trunk"
	done
	printf '[trunk wwan9]\ncontrol = %s\n[trunk wwan9 pdn 2]\nip = v4\n' "$device" >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	qmapctl -j show wwan9 | jq -r '.[0].reason' | grep -q "belongs to trunk wwan0" || fail "$(qmapctl show wwan9)"
	equal "SYNCs" 1 "$(modem_stat .qmi.syncs)"
	answers 10.64.1.1
	qmapctl detach wwan0
	up() { [ "$(qmapctl -j show wwan9 | jq -r '.[0].pdns[0].families[0].state')" = up ]; }
	wait_for 10 up || fail "$(qmapctl show)"
	qmapctl detach wwan9
	ip link del wwan9
	nothing_left
}

# It accepts connections, as cdc-wdm always does, and sends nothing.
test_control_channel_is_silent() {
	local since
	start
	kill -STOP $modem_pid
	since=${EPOCHREALTIME/./}
	refused 2 "modem does not answer QMI on $T/qmi within 1 s" attach --timeout 1
	took "$since" "attach to a silent channel" 3000
	says "check that this is the QMI port"
	kill -CONT $modem_pid
	nothing_left
}

test_raw_ip_where_qmap_is_forced() {
	start
	refused 2 "RG500Q-EA sends QMAP whatever it is told, so it cannot be used with qmap=off" \
		attach --qmap off
	says "hint: leave qmap at auto"
	nothing_left
}

# --- changes by other programs ---

test_xdp_of_somebody_else() {
	start
	echo 'int pass(void *ctx) { return 2; }' | clang -O2 -target bpf -x c -c - -o "$T/pass.o"
	ip link set dev wwan0 xdpgeneric obj "$T/pass.o" sec .text
	refused 2 "another XDP program is attached to wwan0" attach
	says "hint: find it with \`ip -d link show dev wwan0\` and remove it"
	nothing_left
	equal "their program" 1 "$(ip -d link show dev wwan0 | grep -c 'prog/xdp')"
	ip link set dev wwan0 xdpgeneric off
	attach
	detach
	nothing_left
}

test_names_that_are_taken() {
	local name
	start
	for name in wwan0.1 wwan0.2 wwan0.2q wwan0.sa; do
		ip link add $name type veth peer name theirs
		refused 2 "File exists" attach --pdn 1 --pdn 2
		says "ip link del wwan0."
		equal "netdevs" "theirs $name" \
			"$(ip -j link | jq -r '.[].ifname | select(test("theirs|wwan0[.]"))' | sort | paste -sd ' ')"
		ip link del $name
		nothing_left
	done
}

test_no_bpffs() {
	start
	umount /sys/fs/bpf
	equal "file system" sysfs "$(stat -f -c %T /sys/fs/bpf)"
	attach
	equal "file system" bpf_fs "$(stat -f -c %T /sys/fs/bpf)"
	answers 10.64.1.1
	detach
	nothing_left
}

# A unit or container has mounts of its own, of which the host's are no part: the pins would end with it.
test_bpffs_of_a_unit() {
	modem_start
	umount /sys/fs/bpf
	mount --make-shared /sys
	in_a_unit
	refused 3 "no BPF file system on /sys/fs/bpf, and one mounted here would go with qmapd" attach
	says "mount it for all: mount -t bpf -o mode=0700 bpf /sys/fs/bpf"
	nothing_left
	equal "file system" sysfs "$(stat -f -c %T /sys/fs/bpf)"
	mount -t bpf -o mode=0700 bpf /sys/fs/bpf
	attach --pdn 1,ip=v4
	qmapd_kill
	in_a_unit
	wait_for 5 is_attached || fail "not adopted by the next: $(qmapctl show)"
	equal "calls dialled" 1 "$(starts)"
	answers 10.64.1.1
	detach
	nothing_left
}

in_a_unit() {
	unshare --mount --propagation slave "$build/qmapd" 2>>"$T/qmapd.log" &
	qmapd_pid=$!
	wait_for 10 socket_listens
}

test_namespace_that_is_not_there() {
	start
	refused 4 'there is no network namespace "nosuch"' attach --pdn 1 --pdn 2,netns=nosuch
	says "hint: ip netns add nosuch"
	nothing_left
}

pdn_row() {
	qmapctl show | grep '^wwan0\.1 '
}

test_trunk_is_deleted() {
	start
	attach --pdn 1 --pdn 2
	ip link del wwan0
	trunk_becomes lost
	wait_for 5 modem_is absent
	try qmapctl show
	says "wwan0: the netdev is gone: modem unplugged or restarted"
	equal "ports" "null null" "$(field '.pdns | map(.port | tostring) | join(" ")')"
	equal "netdevs" "" "$(ip -o link | grep -oE ' wwan0[^:@]*')"
	refused 2 "wwan0 is attached already" attach
	detach
	nothing_left
	refused 4 "there is no netdev wwan0" attach
}

# --- the wrong moment ---

test_two_attaches_at_once() {
	local n a b first second
	start
	for n in 1 2 3 4 5; do
		attach --pdn 1 >"$T/first" 2>&1 &
		a=$!
		attach --pdn 2 >"$T/second" 2>&1 &
		b=$!
		first=0 second=0
		wait $a || first=$?
		wait $b || second=$?
		equal "exit codes, round $n" "0 2" "$(printf '%s\n' $first $second | sort | paste -sd ' ')"
		said=$(cat "$T/first" "$T/second")
		says "wwan0 is attach"
		equal "state" attached "$(field .state)"
		equal "PDNs" 1 "$(field '.pdns | length')"
		equal "calls" 2 "$(modem_stat .calls)"
		detach
		nothing_left
	done
}

test_attach_twice() {
	start
	attach --pdn 1
	refused 2 "wwan0 is attached already" attach --pdn 2
	says "detach it first"
	equal "PDNs" wwan0.1 "$(field '.pdns | map(.port) | join(" ")')"
	answers 10.64.1.1
	detach
	nothing_left
}

test_detach_of_what_is_not_attached() {
	start
	refused 4 "wwan0 is not attached" detach
	says "hint: \`qmapctl show\` lists what is"
	attach
	detach
	refused 4 "wwan0 is not attached" detach
	refused 4 "nosuch0 is not attached" qmapctl detach nosuch0
	refused 4 "nosuch0 is not attached" qmapctl stats nosuch0
	nothing_left
}

test_attach_while_detaching() {
	local detaching
	start
	attach
	kill -STOP "$modem_pid"
	detach &
	detaching=$!
	trunk_becomes detaching
	refused 2 "wwan0 is detaching right now" attach
	refused 2 "wwan0 is detaching right now" detach
	kill -CONT "$modem_pid"
	wait $detaching
	attach
	detach
	nothing_left
}

# --- the daemon ---

test_no_daemon() {
	modem_start
	refused 2 "qmapd is not running (nobody serves /run/qmapd/control)" attach
	says "hint: systemctl start qmapd"
	refused 2 "qmapd is not running (nobody serves $T/other)" \
		qmapctl --socket "$T/other" attach wwan0 --control "$T/qmi"
	refused 4 "wwan0 is not attached" detach
	try qmapctl show
	says "Nothing is attached."
	nothing_left
}

test_two_daemons() {
	start
	attach
	refused 2 "another qmapd serves /run/qmapd/control" timeout 60 "$build/qmapd"
	equal "state" attached "$(field .state)"
	answers 10.64.1.1
	detach
	nothing_left
}

test_no_permission() {
	start
	attach
	refused 5 "no permission to talk to qmapd" nobody "$build/qmapctl" detach wwan0
	refused 5 "no permission to talk to qmapd" nobody "$build/qmapctl" show
	refused_json 5 EACCES nobody "$build/qmapctl" -j stats
	# a socket open to all users still checks credentials
	chmod 666 /run/qmapd/control
	refused 5 "only root may detach" nobody "$build/qmapctl" detach wwan0
	refused 5 "only root may attach" nobody "$build/qmapctl" attach wwan0 --control none
	try nobody "$build/qmapctl" -j show
	equal "show for everybody" attached "$(jq -r '.[0].state' <<<"$said")"
	equal "state" attached "$(field .state)"
	qmapd_kill || :
	refused 5 "without it this needs root" nobody "$build/qmapctl" detach wwan0
	refused 5 "" nobody "$build/qmapd"
	detach
	nothing_left
}

# Started without root privileges, it can say so but not attach.
test_daemon_without_privileges() {
	modem_start
	mkdir /run/theirs
	chown 65534:65534 /run/theirs
	nobody "$build/qmapd" --run-dir /run/theirs 2>>"$T/qmapd.log" &
	wait_for 5 socket_listens /run/theirs/control
	try qmapctl --socket /run/theirs/control attach wwan0 --control none
	equal "exit code" 5 "$status"
	says "root"
	equal "trunks" "[]" "$(qmapctl -j --socket /run/theirs/control show)"
	nothing_left
}

test_name_of_a_port() {
	local command
	modem_start
	qmapd_start
	attach --pdn 1,ip=v4 >/dev/null
	for command in show stats detach dump; do
		refused 4 "wwan0.1 is a port of wwan0" qmapctl $command wwan0.1
		says "give the name of the trunk, wwan0"
	done
	qmapctl monitor wwan7 2>"$T/err" >/dev/null &
	wait_for 5 grep -q "wwan7 is not attached: .*waiting for it" "$T/err" || fail "monitor: $(cat "$T/err")"
	qmapctl detach wwan0
	nothing_left
}

# --- files prepared by other users ---

# flock(2) only needs a descriptor for reading: the directory must not be the lock.
test_lock_of_somebody() {
	chmod 755 /run/qmapd
	nobody flock -x /run/qmapd sleep infinity &
	modem_start
	wait_for 5 nobody_has_the_lock
	qmapd_start
	attach --pdn 1 >/dev/null
	refused 2 "another qmapd serves /run/qmapd/control" "$build/qmapd"
	equal "lock" "600 0" "$(stat -c '%a %u' /run/qmapd/control.lock)"
	qmapctl detach wwan0
	nothing_left
	qmapd_kill
	equal "left" "" "$(ls -A /run/qmapd)"
}

nobody_has_the_lock() {
	! flock -n /run/qmapd true
}

# The daemon creates files there under predictable names.
test_run_dir_of_somebody() {
	local dir
	mkdir -p "$T/theirs" "$T/sticky" "$T/ours" "$T/home"
	chown 65534 "$T/theirs" "$T/home"
	chmod 1777 "$T/sticky"
	mkdir -p "$T/home/inner"
	ln -s "$T/ours" "$T/theirs/link"
	for dir in theirs sticky home/inner theirs/link; do
		refused 5 "can be changed by others than root" "$build/qmapd" --run-dir "$T/$dir"
	done
	equal "made" "" "$(find "$T/theirs" "$T/sticky" "$T/ours" "$T/home" -type f)"
	ln -s "$T/ours" "$T/link"
	qmapd_start_in "$T/link"
}

qmapd_start_in() {
	"$build/qmapd" --run-dir "$1" 2>>"$T/qmapd.log" &
	local pid=$!
	wait_for 5 socket_listens "$1/control"
	kill $pid
	wait $pid
}

# bpffs with the kernel's own mode, in which any user may create our directory first.
test_pins_of_somebody() {
	local i
	modem_start
	qmapd_start
	i=$(cat /sys/class/net/wwan0/ifindex)
	nobody mkdir /sys/fs/bpf/qmap
	refused 5 "/sys/fs/bpf/qmap is not used: another user has made it" attach --pdn 1
	nobody mkdir -m 777 "/sys/fs/bpf/qmap/$i"
	refused 5 "/sys/fs/bpf/qmap is not used: another user has made it" attach --pdn 1
	nobody rm -r /sys/fs/bpf/qmap
	nothing_left
	mkdir -m 711 /sys/fs/bpf/qmap
	mkdir "/sys/fs/bpf/qmap/$i"
	chmod 777 "/sys/fs/bpf/qmap/$i"
	refused 5 "/sys/fs/bpf/qmap/$i is not used: another user has made it" attach --pdn 1
	rmdir "/sys/fs/bpf/qmap/$i"
	attach --pdn 1 >/dev/null
	qmapctl detach wwan0
	nothing_left
}

foreign_map() { # path bytes
	rm -f "$1"
	bpftool map create "$1" type array key 4 value "$2" entries 1 name foreign
}

# qmapd attaches it again, perhaps before this test looks.
has_been_lost() {
	[ -n "$(field '.events[] | select(.kind == "modem" and .to == "lost") | .to')" ]
}

# The kernel copies values of the map's size.
test_pins_of_another_version() {
	local i size map
	modem_start
	i=$(cat /sys/class/net/wwan0/ifindex)
	mkdir -p "/sys/fs/bpf/qmap/$i"
	for size in 8 200000 1048576; do
		foreign_map "/sys/fs/bpf/qmap/$i/meta" $size
		refused 2 "was pinned by another version: values of meta have $size bytes" qmapctl detach wwan0
		qmapd_start
		wait_for 5 grep -q "Cannot adopt.*values of meta have $size bytes" "$T/qmapd.log"
		refused 2 "was pinned by another version: values of meta have $size bytes" attach --pdn 1
		equal "trunks" "[]" "$(qmapctl -j show)"
		qmapd_kill
		equal "maps left alone" meta "$(ls "/sys/fs/bpf/qmap/$i")"
	done
	rm -r "/sys/fs/bpf/qmap/$i"
	qmapd_start
	for map in ports trunk_stats config; do
		attach --pdn 1 >/dev/null
		qmapd_kill KILL || :
		foreign_map "/sys/fs/bpf/qmap/$i/$map" 1048576
		qmapd_start
		refused 0 "" qmapctl show
		[ "$map" = config ] || wait_for 10 has_been_lost || fail "$(qmapctl show -v)"
		wait_for 10 grep -q "values of $map have 1048576 bytes" "$T/qmapd.log"
		qmapctl detach wwan0
		nothing_left
	done
}

# --- configuration ---

config() {
	cat >"$T/qmapd.conf"
	chmod 600 "$T/qmapd.conf"
}

test_configuration_is_attached() {
	modem_start
	config <<-END
		[trunk wwan0]
		control = $T/qmi
		timeout = 5
		[trunk wwan0 pdn 1]
		apn = internet
		ip = v4
		metric = 10
		[trunk wwan0 pdn 3]
		apn = ims
		default-route = no
	END
	qmapd_start --config "$T/qmapd.conf"
	trunk_becomes attached
	equal "ports" "wwan0.1 wwan0.3" "$(field '.pdns | map(.port) | join(" ")')"
	equal "families" "1 2" "$(field '.pdns | map(.families | length | tostring) | join(" ")')"
	equal "default routes" "wwan0.1 10" \
		"$(ip -j route show default | jq -r '.[] | "\(.dev) \(.metric)"')"
	answers 10.64.3.1
	# attached trunks stay attached, with the file and without it
	qmapd_kill || :
	qmapd_start --config "$T/qmapd.conf"
	trunk_becomes attached
	equal "calls" 3 "$(modem_stat .calls)"
	detach
	nothing_left
}

test_configuration_that_is_wrong() {
	local line text sentence
	modem_start
	while IFS='|' read -r line text sentence; do
		# shellcheck disable=SC2059 # newlines
		printf "[trunk wwan0]\ncontrol = $T/qmi\n$text\n" | config
		refused 78 "$T/qmapd.conf:$line: $sentence" timeout 60 "$build/qmapd" -c "$T/qmapd.conf"
		nothing_left
	done <<-'END'
		3|qmap = v9|bad qmap "v9"
		3|qmpa = v5|a trunk has no setting "qmpa"
		3|what is this|neither a section nor key = value
		3|[modem wwan0]|unknown section [modem wwan0]
		3|[trunk wwan0]|section [trunk wwan0] is there twice
		4|[trunk wwan0 pdn 1]\nip = v5|bad ip "v5"
		1|[trunk wwan0 pdn 1]\nmux = 7\n[trunk wwan0 pdn 2]\nmux = 7|PDNs 1 and 2 have the same mux id 0x07
	END
	refused 78 "cannot open $T/nosuch: No such file or directory" timeout 60 "$build/qmapd" -c "$T/nosuch"
	refused 1 "unknown option --frob" timeout 60 "$build/qmapd" --frob
	refused 1 'nexpected argument "more"' timeout 60 "$build/qmapd" more
}

# A trunk that cannot be attached does not affect the others.
test_configuration_of_what_is_not_there() {
	modem_start
	config <<-END
		[trunk nosuch0]
		control = $T/nosuch
		[trunk wwan0]
		control = $T/qmi
	END
	qmapd_start --config "$T/qmapd.conf"
	wait_for 5 one_is_attached || fail "$(qmapctl show)"
	logged "there is no netdev nosuch0" || fail "nothing logged about nosuch0"
	detach
	qmapctl detach nosuch0
	nothing_left
}

one_is_attached() {
	[ "$(qmapctl -j show | jq -r 'map("\(.dev) \(.state)") | sort | join(", ")')" = \
		"nosuch0 attaching, wwan0 attached" ]
}

# --- decode ---

# The decoded part, as JSON.
malformed_json() { # kind bytes
	status=0
	qmapctl -j decode "$@" 2>/dev/null || status=$?
	equal "exit code of decode $*" 2 "$status"
}

test_decode() {
	local what version bytes code sentence
	while IFS='|' read -r what version bytes code sentence; do
		try qmapctl decode "$what" --qmap "$version" "$bytes"
		equal "exit code of decode $what $bytes" "$code" "$status"
		says "$sentence"
	done <<-END
		qmi|v5|0112008000000101270007 0002040000000000|0|CTL sync (0x0027) response, client 0, transaction 1: success
		qmi|v5|02120080|2|malformed QMI at byte 0: message does not begin with 0x01
		qmi|v5|0102|2|malformed QMI at byte 2: message ends before its QMUX length
		qmi|v5|0112008000000101270007 0002090000000000|2|TLV is cut short
		qmap|v1|00810014 45000014000000004001000000000000 00000000|0|mux 0x81
		qmap|v1|00810014 4500|2|malformed at offset 0: frame is longer than what is left
		qmap|v1|00810000|2|malformed at offset 0: frame of length zero
		qmap|v1|0081|2|malformed at offset 0
	END
	equal "where" 2 "$(malformed_json qmi 0102 | jq '.[0].malformed.offset')"
	equal "why" length_beyond_aggregate "$(malformed_json qmap 008100144500 | jq -r '.[0].drop')"
	refused_json 1 EINVAL qmapctl -j decode qmi xyz
	: >"$T/empty"
	refused 1 "$T/empty is empty" qmapctl decode qmap "$T/empty"
}

# Filters of others on the trunk, of the same kind and of others.
test_trunk_with_a_filter() {
	local filter
	start
	tc qdisc add dev wwan0 clsact
	for filter in "handle 1 protocol all" "protocol ip"; do
		# shellcheck disable=SC2086 # words
		tc filter add dev wwan0 ingress pref 1 $filter bpf bytecode '1,6 0 0 0'
		refused 2 "another filter has the first place" attach --pdn 1
		equal "filters" 1 "$(tc -j filter show dev wwan0 ingress | jq '[.[] | select(.options)] | length')"
		tc filter delete dev wwan0 ingress
	done
	attach --pdn 1 >/dev/null
	detach
	nothing_left
}

run_tests "$@"
