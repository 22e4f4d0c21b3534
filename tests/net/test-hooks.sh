#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hooks: on which events they run, with which variables, one at a time, and with a time limit.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# hook NAME LINE...: a program in $T. $T/log is where it should write.
hook() {
	local name=$1
	shift
	printf '%s\n' '#!/bin/bash' "exec >>$T/log" "$@" >"$T/$name"
	chmod 755 "$T/$name"
	touch "$T/log"
}

# Writes one line per run: event, port, family, address, MTU.
# shellcheck disable=SC2016 # it is for the hook's shell
recorder() {
	hook "${1:-record}" 'echo "$QMAP_EVENT ${QMAP_PORT:-$QMAP_DEV} ${QMAP_FAMILY:--} ${QMAP_ADDRESS:--} ${QMAP_MTU:--}"'
}

# hook_log_is LINE...: the lines that hooks have written, in any order.
hook_log_is() {
	[ "$(sort "$T/log")" = "$(printf '%s\n' "$@" | sort)" ]
}

hooks_wrote() { # line...
	wait_for 5 hook_log_is "$@" || equal "runs of the hook" "$(printf '%s\n' "$@" | sort)" "$(sort "$T/log")"
	: >"$T/log"
}

daemon_says() {
	wait_for 5 log_says "$1" || fail "qmapd does not say: $1"
}

test_up_change_down() {
	start
	recorder
	attach --hook "$T/record" --pdn 1,apn=internet >/dev/null
	hooks_wrote "modem-ready wwan0 - - -" "up wwan0.1 4 10.64.1.2 1500" "up wwan0.1 6 2001:db8:64:1::2 1500"
	modem reconfigure pdn=1 mtu=1400
	hooks_wrote "change wwan0.1 4 10.64.1.2 1400" "change wwan0.1 6 2001:db8:64:1::2 1400"
	# the network ends a call, and gives it back
	modem disconnect pdn=1 family=4
	hooks_wrote "down wwan0.1 4 10.64.1.2 1400" "up wwan0.1 4 10.64.1.2 1400"
	qmapctl detach wwan0
	hooks_wrote "down wwan0.1 4 10.64.1.2 1400" "down wwan0.1 6 2001:db8:64:1::2 1400"
	nothing_left
	equal "facts left" "" "$(find /run/qmapd -name "*.facts")"
}

# systemd-resolved keeps DNS servers by ifindex, and a bridge or a firewall its ports.
# shellcheck disable=SC2016
test_port_is_made_again() {
	local was
	start
	hook record '[ "$QMAP_EVENT" = modem-ready ] || echo "$QMAP_EVENT $QMAP_PORT $QMAP_IFINDEX"'
	attach --hook "$T/record" --pdn 1,ip=v4 >/dev/null
	was=$(cat /sys/class/net/wwan0.1/ifindex)
	hooks_wrote "up wwan0.1 $was"
	ip link del wwan0.1
	wait_for 10 is_another "$was"
	hooks_wrote "change wwan0.1 $(cat /sys/class/net/wwan0.1/ifindex)"
}

is_another() { # ifindex
	[ -e /sys/class/net/wwan0.1 ] && [ "$(cat /sys/class/net/wwan0.1/ifindex)" != "$1" ]
}

# shellcheck disable=SC2016
test_environment() {
	start
	hook record '[ "$QMAP_EVENT" = up ] && env | grep -v "^_=\|^PWD=\|^SHLVL=\|^QMAP_IFINDEX="'
	ip netns add car
	attach --hook "$T/record" --pdn 7,apn=internet,ip=v4,mux=0x81,netns=car >/dev/null
	hooks_wrote "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
		QMAP_EVENT=up QMAP_REASON= QMAP_DEV=wwan0 QMAP_PORT=wwan0.7 QMAP_PDN=7 QMAP_MUX=129 \
		QMAP_APN=internet QMAP_NETNS=car QMAP_FAMILY=4 QMAP_ADDRESS=10.64.1.2 QMAP_PREFIX=30 \
		QMAP_GATEWAY=10.64.1.1 "QMAP_DNS=10.64.1.53 10.64.1.54" QMAP_MTU=1500 \
		QMAP_RESOLV_CONF=/run/qmapd/wwan0.7.resolv.conf
}

# The port is complete when the hook runs.
# shellcheck disable=SC2016
test_port_is_ready_when_told() {
	start
	hook record '[ "$QMAP_EVENT" = up ] && ip -o -4 address show dev $QMAP_PORT | grep -o "inet [0-9./]*"' \
		'[ "$QMAP_EVENT" = up ] && ip route show default dev $QMAP_PORT | grep -o "metric [0-9]*"' \
		'[ "$QMAP_EVENT" = up ] && cat $QMAP_RESOLV_CONF | grep -c nameserver'
	attach --hook "$T/record" --pdn 1,ip=v4 >/dev/null
	hooks_wrote "inet 10.64.1.2/30" "metric 701" 2
}

# A daemon that adopts runs no hook for known facts; it does for changes.
test_adoption_is_no_news() {
	start
	recorder
	attach --hook "$T/record" --pdn 1 --pdn 2,ip=v4 >/dev/null
	hooks_wrote "modem-ready wwan0 - - -" "up wwan0.1 4 10.64.1.2 1500" "up wwan0.1 6 2001:db8:64:1::2 1500" \
		"up wwan0.2 4 10.64.2.2 1500"
	qmapd_kill KILL || :
	qmapd_start
	daemon_says "wwan0: adopted"
	equal "runs after adoption" "" "$(cat "$T/log")"
	qmapd_kill KILL || :
	modem reconfigure pdn=2 mtu=1300
	qmapd_start
	hooks_wrote "change wwan0.2 4 10.64.2.2 1300"
	qmapd_kill KILL || :
	qmapctl detach wwan0
	equal "facts left" "" "$(find /run/qmapd -name "*.facts")"
	qmapd_start
	attach --hook "$T/record" --pdn 1,ip=v4 >/dev/null
	hooks_wrote "modem-ready wwan0 - - -" "up wwan0.1 4 10.64.1.2 1500"
}

test_modem_is_lost() {
	start
	recorder
	attach --hook "$T/record" --pdn 1,ip=v4 >/dev/null
	hooks_wrote "modem-ready wwan0 - - -" "up wwan0.1 4 10.64.1.2 1500"
	modem reboot ms=300 announce=before
	hooks_wrote "down wwan0.1 4 10.64.1.2 1500" "modem-lost wwan0 - - -" \
		"modem-ready wwan0 - - -" "up wwan0.1 4 10.64.1.2 1500"
}

# Several programs, in order, one at a time.
# shellcheck disable=SC2016
test_one_at_a_time() {
	start
	hook a 'mkdir $0.busy || echo overlap' 'echo "$QMAP_EVENT a"' 'sleep 0.1' 'rmdir $0.busy'
	hook b 'for f in ${0%b}*.busy; do [ -e $f ] && echo overlap; done' 'echo "$QMAP_EVENT b"'
	attach --hook "$T/a $T/b" --pdn 1,ip=v4 >/dev/null
	qmapctl detach wwan0
	wait_for 5 log_lines 6 || :
	equal "runs" "up a up b modem-ready a modem-ready b down a down b" "$(paste -sd ' ' "$T/log")"
}

# A qmapd that ends does not drop those that wait: the next one would not run them.
# shellcheck disable=SC2016
test_the_last_ones() {
	start
	hook slow "while [ -e '$T/hold' ]; do sleep 0.05; done" 'echo "$QMAP_EVENT ${QMAP_FAMILY:--}"'
	: >"$T/hold"
	attach --hook "$T/slow" >/dev/null
	kill $qmapd_pid
	daemon_says "leaving"
	rm "$T/hold"
	qmapd_kill
	equal "runs" "modem-ready - up 4 up 6" "$(sort "$T/log" | paste -sd ' ')"
	: >"$T/log"
	: >"$T/qmapd.log"
	qmapd_start
	: >"$T/hold"
	qmapctl detach wwan0
	kill $qmapd_pid
	daemon_says "leaving"
	# meanwhile it answers
	equal "attached" "[]" "$(qmapctl -j show)"
	rm "$T/hold"
	qmapd_kill
	equal "runs" "down 4 down 6" "$(sort "$T/log" | paste -sd ' ')"
}

log_lines() {
	[ "$(wc -l <"$T/log")" -ge "$1" ]
}

# shellcheck disable=SC2016
test_time_is_limited() {
	start
	hook hang '[ "$QMAP_EVENT" = up ] || exit 0' 'echo begun' 'sleep 1000 & echo $! >'"$T/child" 'sleep 1000'
	attach --hook "$T/hang" --hook-timeout 1 --pdn 1,ip=v4 >/dev/null
	hooks_wrote begun
	# no command waits for it
	equal "state" attached "$(field .state)"
	answers 10.64.1.1 -I wwan0.1
	daemon_says "$T/hang has not ended after 1 s: it is killed"
	wait_for 5 is_dead "$(cat "$T/child")" || fail "the child of the hook lives"
	qmapctl detach wwan0
}

is_dead() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"
}

# shellcheck disable=SC2016
test_what_it_inherits() {
	start
	hook record '[ "$QMAP_EVENT" = up ] || exit 0' 'for f in /proc/$$/fd/*; do' \
		'  case $(readlink $f) in /dev/null|pipe:*|*/log|*/record) ;; *) echo "${f##*/} $(readlink $f)" ;; esac' \
		'done' 'read -r x && echo "input $x"' 'grep -E "^Sig(Ign|Blk)" /proc/self/status | sed s/018/000/' \
		'[ "$(ps -o pgid= $$ | tr -d " ")" = $$ ] && echo leader'
	attach --hook "$T/record" --pdn 1,ip=v4 >/dev/null
	hooks_wrote "SigBlk:	0000000000000000" "SigIgn:	0000000000000000" leader
}

# shellcheck disable=SC2016
test_output_goes_to_the_log() {
	start
	printf '%s\n' '#!/bin/sh' 'echo "said $QMAP_EVENT"' 'printf "no end\033[1m" >&2' 'exit 3' >"$T/talk"
	chmod 755 "$T/talk"
	attach --hook "$T/talk" --pdn 1,ip=v4 >/dev/null
	daemon_says "wwan0: $T/talk: said up"
	daemon_says "wwan0: $T/talk: no end?[1m"
	daemon_says "wwan0: $T/talk ended with status 3"
}

# Root runs only what root alone can change.
test_who_may_change_it() {
	local what
	start
	recorder good
	mkdir "$T/dir"
	cp "$T/good" "$T/dir/good"
	cp "$T/good" "$T/foreign"
	chown 1000 "$T/foreign"
	cp "$T/good" "$T/group"
	chmod 775 "$T/group"
	cp "$T/good" "$T/data"
	chmod 644 "$T/data"
	chmod 777 "$T/dir"
	ln -s "$T/dir/good" "$T/link"
	while IFS='|' read -r what sentence; do
		attach --hook "$T/$what" --pdn 1,ip=v4 >/dev/null
		daemon_says "$sentence"
		qmapctl detach wwan0
	done <<-END
		foreign|$T/foreign is not run: $T/foreign can be changed by others than root
		group|$T/group is not run: $T/group can be changed by others than root
		dir/good|$T/dir/good is not run: $T/dir can be changed by others than root
		link|$T/link is not run: $T/dir can be changed by others than root
		data|$T/data is not a program
		nosuch|cannot run $T/nosuch: No such file or directory
	END
	equal "runs" "" "$(cat "$T/log")"
	refused 1 'bad hook "record": not a path from /' attach --hook record
}

# Owner and place of a link matter as much as its target.
test_links_of_others() {
	local what
	start
	recorder good
	mkdir "$T/theirs" "$T/ours"
	chown 65534 "$T/theirs"
	ln -s "$T/good" "$T/theirs/last"
	ln -s "$T/ours" "$T/theirs/inner"
	cp "$T/good" "$T/ours/good"
	ln -s "$T/theirs/last" "$T/twice"
	ln -s ../theirs/../ours/good "$T/ours/up"
	mkdir -m 1777 "$T/sticky"
	ln -s "$T/good" "$T/sticky/link"
	chown -h 65534 "$T/sticky/link"
	ln -s loop "$T/loop"
	while IFS='|' read -r what sentence; do
		try attach --hook "$T/$what" --pdn 1,ip=v4
		says "warning: wwan0: hook: $T/$what is not run: $sentence"
		daemon_says "$T/$what is not run: $sentence"
		qmapctl detach wwan0
	done <<-END
		theirs/last|$T/theirs can be changed by others than root
		theirs/inner/good|$T/theirs can be changed by others than root
		twice|$T/theirs can be changed by others than root
		ours/up|$T/theirs can be changed by others than root
		sticky/link|$T/sticky/link can be changed by others than root
	END
	try attach --hook "$T/loop" --pdn 1,ip=v4
	says "cannot run $T/loop: Too many levels of symbolic links"
	daemon_says "cannot run $T/loop: Too many levels of symbolic links"
	qmapctl detach wwan0
	equal "runs" "" "$(cat "$T/log")"
}

# A program owned by root all the way is run, and its $0 is the configured name.
# shellcheck disable=SC2016
test_links_of_root() {
	start
	hook real 'echo "$QMAP_EVENT $0"'
	mkdir -m 1777 "$T/sticky"
	ln -s .././real "$T/sticky/relative"
	ln -s "$T/sticky/../sticky/relative" "$T/absolute"
	attach --hook "$T/absolute" --pdn 1,ip=v4 2>"$T/err" >/dev/null
	equal "warnings" "" "$(cat "$T/err")"
	hooks_wrote "modem-ready $T/real" "up $T/real"
	qmapctl detach wwan0
}

# --- what the unit file leaves to hooks ---

# qmapd and hooks with the capabilities of the unit alone.
# shellcheck disable=SC2016
test_capabilities_of_the_unit() {
	setpriv --reuid 65534 --regid 65534 --clear-groups bash -c 'trap "exit 7" HUP; echo >&3; while :; do
		read -rt 1 <> <(:); done' 3>"$T/ready" &
	local other=$! status=0
	wait_for 5 test -s "$T/ready"
	hook signal '[ "$QMAP_EVENT" = up ] || exit 0' "kill -HUP $other && echo signalled" \
		'ip netns exec car ip -o -4 address show dev $QMAP_PORT | grep -o "inet [0-9./]*"' \
		'echo >/run/hooked && echo written'
	ip netns add car
	modem_start
	qmapd_start_as_unit
	equal "capabilities" "$(of_unit CapabilityBoundingSet | wc -w)" \
		"$(perl -ne '/^CapBnd:\s*(\w+)/ and print unpack("%32b*", pack("H*", $1))' "/proc/$qmapd_pid/status")"
	attach --hook "$T/signal" --pdn 1,ip=v4,netns=car --pdn 2 >/dev/null || fail "no attach"
	wait_for 10 grep -qx written "$T/log" || fail "$(cat "$T/qmapd.log")"
	grep -qx signalled "$T/log" || fail "a process of another user gets no signal: $(cat "$T/qmapd.log")"
	wait $other || status=$?
	equal "its exit code" 7 "$status"
	grep -qx "inet 10.64.1.2/30" "$T/log" || fail "$(cat "$T/log")"
	qmapctl detach wwan0
	nothing_left
}

# qmapd.conf(5) lists the kinds of sockets.
test_sockets_of_the_unit() {
	local kind
	for kind in $(of_unit RestrictAddressFamilies); do
		sed -n '/^HOOKS$/,/^The environment/p' "$top/doc/qmapd.conf.5.rst" | grep -qw "$kind" ||
			fail "qmapd.conf(5) does not name $kind"
	done
	for kind in AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET; do
		of_unit RestrictAddressFamilies | grep -qw $kind || fail "hooks have no $kind"
	done
}

# --- the hooks that are shipped ---

# shipped NAME: a copy of it that only root can change, wherever the tree is.
shipped() {
	install -m 755 "$top/system/hooks/$1" "$T/$1"
	echo "$T/$1"
}

# stand_in PROGRAM: writes its arguments and its standard input to $T/PROGRAM.log, a line each.
# shellcheck disable=SC2016 # for the shell of the program
stand_in() {
	mountpoint -q /usr/local/sbin || mount -t tmpfs -o mode=755 tmpfs /usr/local/sbin
	printf '#!/bin/sh\necho "$*" >>%s\n[ "$1" != -a ] || grep nameserver >>%s\n' "$T/$1.log" "$T/$1.log" \
		>"/usr/local/sbin/$1"
	chmod 755 "/usr/local/sbin/$1"
	: >"$T/$1.log"
}

# has_run PROGRAM LINE...: the last lines of its log.
has_run() {
	[ "$(tail -n $(($# - 1)) "$T/$1.log")" = "$(printf '%s\n' "${@:2}")" ]
}

runs() {
	wait_for 5 has_run "$@" || equal "$1 was run" "$(printf '%s\n' "${@:2}")" "$(cat "$T/$1.log")"
	: >"$T/$1.log"
}

test_dns_by_resolved() {
	local v4="10.64.1.53 10.64.1.54" v6="2001:db8:64:1::53 2001:db8:64:1::54"
	start
	stand_in resolvectl
	ip netns add car
	attach --hook "$(shipped dns-resolved)" --pdn 1 --pdn 2,netns=car >/dev/null
	runs resolvectl "dns wwan0.1 $v4 $v6"
	modem disconnect pdn=1 family=4 >/dev/null
	runs resolvectl "dns wwan0.1 $v4 $v6"
	modem refuse pdn=1 family=4 type=6 verbose=27 >/dev/null
	modem disconnect pdn=1 family=4 >/dev/null
	runs resolvectl "dns wwan0.1 $v6"
	qmapctl detach wwan0
	runs resolvectl "revert wwan0.1"
	! grep -q wwan0.2 "$T/resolvectl.log" || fail "of another namespace: $(cat "$T/resolvectl.log")"
	! log_says "dns-resolved: " || fail "$(grep dns-resolved: "$T/qmapd.log")"
}

test_dns_by_resolvconf() {
	start
	stand_in resolvconf
	attach --hook "$(shipped dns-resolvconf)" --pdn 1,ip=v4 >/dev/null
	runs resolvconf "-a wwan0.1.qmap" "nameserver 10.64.1.53" "nameserver 10.64.1.54"
	qmapctl detach wwan0
	runs resolvconf "-d wwan0.1.qmap"
}

# Hooks run once for each change, and at the end, though the daemon cannot write down for which.
test_full_disk() {
	mount -t tmpfs -o size=64k,mode=755 tmpfs /run/qmapd
	start
	recorder
	dd if=/dev/zero of=/run/qmapd/full bs=1k 2>/dev/null || :
	attach --poll 1 --hook "$T/record" --pdn 1,ip=v4 >/dev/null
	hooks_wrote "modem-ready wwan0 - - -" "up wwan0.1 4 10.64.1.2 1500"
	modem readdress pdn=1 host=6 tell=reconfigure >/dev/null
	hooks_wrote "change wwan0.1 4 10.64.1.6 1500"
	qmapctl detach wwan0
	hooks_wrote "down wwan0.1 4 10.64.1.6 1500"
}

# The servers are told when their file can be written at last.
test_dns_after_a_full_disk() {
	mount -t tmpfs -o size=64k,mode=755 tmpfs /run/qmapd
	start
	stand_in resolvconf
	dd if=/dev/zero of=/run/qmapd/full bs=1k 2>/dev/null || :
	attach --poll 1 --hook "$(shipped dns-resolvconf)" --pdn 1,ip=v4 >/dev/null
	equal "damage" "cannot write /run/qmapd/wwan0.1.resolv.conf: No space left on device" "$(field '.pdns[0].damage[0]')"
	rm /run/qmapd/full
	runs resolvconf "-a wwan0.1.qmap" "nameserver 10.64.1.53" "nameserver 10.64.1.54"
	equal "damage" "[]" "$(field '.pdns[0].damage | tostring')"
}

has_reached_its_quota() {
	[ "$(field '.pdns[0].quota_reached')" = true ]
}

# An event of a port that says nothing about servers.
test_dns_after_the_quota() {
	local program
	start
	for program in resolvectl resolvconf; do
		stand_in $program
	done
	attach --hook "$(shipped dns-resolved) $(shipped dns-resolvconf)" --pdn 1,ip=v4,quota=1 >/dev/null
	runs resolvectl "dns wwan0.1 10.64.1.53 10.64.1.54"
	runs resolvconf "-a wwan0.1.qmap" "nameserver 10.64.1.53" "nameserver 10.64.1.54"
	modem generate pdn=1 count=1000 size=1200 >/dev/null
	wait_for 10 has_reached_its_quota || fail "$(qmapctl show -v)"
	qmapd_kill # the last run has ended then
	equal "runs of resolvectl" "" "$(cat "$T/resolvectl.log")"
	equal "runs of resolvconf" "" "$(cat "$T/resolvconf.log")"
}

servers_of_car() { # expected
	[ "$(sed -n 's/^nameserver //p' /etc/netns/car/resolv.conf 2>/dev/null | tr '\n' ' ')" = "$1" ]
}

# dnsmasq_start NAMESPACE OPTION...: "" is that of the test.
dnsmasq_start() {
	${1:+ip netns exec "$1"} dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --pid-file \
		--user=root --bind-interfaces "${@:2}" 2>>"$T/dnsmasq.log" &
}

resolves() {
	busybox nslookup router.test 127.0.0.1 2>/dev/null | grep -q 192.0.2.7
}

# The advice of qmapd.conf(5): dnsmasq runs before there is a connection, and beyond its end. It ends if
# it is started before qmapd has made the directory.
test_dns_by_dnsmasq() {
	local file=/run/qmapd/wwan0.1.resolv.conf
	modem_start
	refused 5 "is missing, cannot poll" dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file \
		--user=root --resolv-file=/run/nosuch/resolv.conf
	qmapd_start
	ip netns exec net ip address add 10.64.1.53/32 dev lo
	ip netns exec net ip link set lo up
	dnsmasq_start net --listen-address=10.64.1.53 --no-resolv --address=/router.test/192.0.2.7
	dnsmasq_start "" --listen-address=127.0.0.1 --resolv-file=$file
	for _ in 1 2; do
		attach --pdn 1,ip=v4 >/dev/null
		wait_for 20 resolves || fail "no answer by way of $file: $(cat $file "$T/dnsmasq.log")"
		qmapctl detach wwan0
		[ ! -e $file ] || fail "$file is left"
	done
}

test_dns_of_a_namespace() {
	start
	[ -d /etc/netns ] || mkdir /etc/netns
	mount -t tmpfs tmpfs /etc/netns
	ip netns add car
	attach --hook "$(shipped dns-netns)" --pdn 1,ip=v4 --pdn 2,ip=v4,netns=car >/dev/null
	wait_for 5 servers_of_car "10.64.2.53 10.64.2.54 " || fail "$(ls -lR /etc/netns)"
	equal "as programs see it" "10.64.2.53 10.64.2.54" \
		"$(ip netns exec car sed -n 's/^nameserver //p' /etc/resolv.conf | tr '\n' ' ' | sed 's/ $//')"
	qmapctl detach wwan0
	wait_for 5 servers_of_car "" || fail "$(cat /etc/netns/car/resolv.conf)"
	equal "files left" "" "$(find /etc/netns -type f)"
}

run_tests "$@"
