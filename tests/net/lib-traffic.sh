# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Functions for tests that compare traffic byte by byte: pattern-tool on the host's side, the generator
# and the sink of qmap-modem on the other.
# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A packet lost in a queue of this set-up proves nothing: TUNs drop packets that their reader is too
# slow for, and on a busy machine the software modem gets no CPU for seconds. So their queues hold all
# packets that any of the tests sends, or what the kernel allows: Linux 7.3 refuses so many.
deep_queues() {
	local dev
	deep_queue ip link set wwan0
	for dev in $(ip netns exec net ip -o link | grep -oE 'pdn[0-9]+'); do
		deep_queue ip -n net link set "$dev"
	done
}

deep_queue() { # ip link set DEV
	"$@" txqueuelen 200000 2>/dev/null || "$@" txqueuelen 20000
}

# attach OPTION...: without steering. A packet steered to another CPU waits in that CPU's backlog, which
# takes 1000 packets of the whole machine, and overflows while a busy CPU does not get to them.
attach() {
	qmapctl attach wwan0 --control "$T/qmi" --steer off "$@"
}

# receive OPTION... STREAM... [-- COMMAND...]: expects all datagrams, unchanged and once.
receive() {
	local out
	out=$("$build/pattern-tool" receive "$@") || fail "$out; $(losses)"
}

# generated OPTION... STREAM... -- WORD...: expects the packets of `generate WORD...` in the same way.
generated() {
	local way=()
	while [ "$1" != -- ]; do
		way+=("$1")
		shift
	done
	shift
	receive "${way[@]}" -- "$build/qmap-modem" ctl "$T/faults" generate "$@"
}

# send OPTION... STREAM...: paced so that other work on the machine costs no packets.
send() {
	"$build/pattern-tool" send -r 10000 "$@" >/dev/null
}

gateway() { # pdn family
	[ "$2" = 6 ] && printf '2001:db8:64:%x::1' "$1" || echo "10.64.$1.1"
}

host() { # pdn family
	[ "$2" = 6 ] && printf '2001:db8:64:%x::2' "$1" || echo "10.64.$1.2"
}

# sink_has PDN COUNT: waits until the sink has COUNT datagrams, all of them good.
sink_has() {
	modem wait "pdn.$1.sink.ok" == "$2" timeout=60000 >/dev/null || :
	local seen
	seen=$(modem stats | jq -c ".pdn[\"$1\"].sink | [.ok, .bad, .missing]")
	[ "$seen" = "[$2,0,0]" ] || fail "sink of PDN $1: expected $2, got [good, bad, missing] $seen; $(losses)"
}

# The programs in use, as "NAME TAG" lines: of the pins, which outlive the daemon, and of tc filters.
programs_in_use() {
	local dir pin
	dir=/sys/fs/bpf/qmap/$(cat /sys/class/net/wwan0/ifindex)
	for pin in "$dir"/link_*; do
		echo "${pin##*/} $(bpftool -j prog show id "$(bpftool -j link show pinned "$pin" | jq .prog_id)" | jq -r .tag)"
	done
	for pin in "$dir"/prog_*; do
		echo "${pin##*/} $(bpftool -j prog show pinned "$pin" | jq -r .tag)"
	done
	for pin in wwan0 wwan0.1q; do
		tc -j filter show dev "$pin" ingress 2>/dev/null |
			jq -r --arg dev "$pin" '.[].options | select(.prog.tag) | "\($dev) \(.prog.tag)"'
	done
}

# Links that have never been detached keep their ids.
links_in_use() {
	local pin
	for pin in "/sys/fs/bpf/qmap/$(cat /sys/class/net/wwan0/ifindex)"/link_*; do
		bpftool -j link show pinned "$pin" | jq .id
	done
}

# replace_programs [BEFORE AFTER]: starts the other build of qmapd, which takes over and replaces the
# programs; nothing else happens between the two commands.
replace_programs() {
	local before after links
	before=$(programs_in_use)
	links=$(links_in_use)
	${1:-:}
	[ "${qmapd_program:-qmapd}" = qmapd ] && qmapd_program=qmapd-rebuilt || qmapd_program=qmapd
	qmapd_kill TERM || :
	qmapd_start
	wait_for 20 is_taken_over || fail "$(qmapctl show)"
	${2:-:}
	after=$(programs_in_use)
	equal "programs" "$(cut -d' ' -f1 <<<"$before")" "$(cut -d' ' -f1 <<<"$after")"
	equal "programs that have stayed" "" "$(grep -Fx "$before" <<<"$after" || :)"
	equal "links" "$links" "$(links_in_use)"
}

# A daemon reports it, not the pins of the last one.
is_taken_over() {
	[ "$(field ' | [.daemon, .state, .pdns[0].families[0].state] | map(tostring) | join(" ")')" = "null attached up" ]
}

# Counters of qmapctl by mux id, and those of the modem: packets and bytes, downlink and uplink.
host_counts() {
	qmapctl -j stats | jq -c '[.[0].ports[] | [.mux, .rx_packets, .rx_bytes, .tx_packets, .tx_bytes]]'
}

modem_counts() {
	modem stats | jq -c '[.pdn[] | select(.v4 or .v6)
		| [.mux, .dl_packets, .dl_bytes, .ul_packets, .ul_bytes]] | sort'
}

counts_agree() {
	[ "$(host_counts)" = "$(modem_counts)" ]
}

# lan: namespace lan behind this machine, which does not know the network's MTU.
lan() {
	ip netns add lan
	ip link add lan0 type veth peer name eth0 netns lan
	ip address add 192.0.2.1/24 dev lan0
	ip -6 address add 2001:db8:2::1/64 dev lan0 nodad
	ip link set lan0 up
	ip -n lan address add 192.0.2.2/24 dev eth0
	ip -n lan -6 address add 2001:db8:2::2/64 dev eth0 nodad
	ip -n lan link set eth0 up
	ip -n lan route add default via 192.0.2.1
	ip -n lan -6 route add default via 2001:db8:2::1
}

# transfers FILE OPTION...: an iperf3 client, with its result in FILE. Between two clients a server is busy, then it
# opens its socket again, and refuses or resets who comes meanwhile.
transfers() {
	local file=$1
	shift
	wait_for 5 has_transferred "$file" "$@" || :
	equal "error of iperf3 $*" null "$(jq -c .error "$file")"
}

has_transferred() { # file option...
	local file=$1
	shift
	iperf3 -J "$@" >"$file" || ! jq -r .error "$file" | grep -q "busy running a test\|onnection re"
}

# Where packets may have been lost: drops that qmapctl counts, of the modem, of netdevs on both sides, of the CPUs'
# backlogs and of sockets.
losses() {
	local cpu=0 dropped
	qmapctl -j stats | jq -c '.[0].drops | with_entries(select(.value > 0))'
	modem stats | jq -c '[.trunk, .pdn[]] | map(with_entries(select((.key | test("lost|beyond|oversize|not_connected")) and
		.value != 0))) | map(select(. != {}))[]'
	echo "on the way down: modem $(modem stats | jq -c '[.trunk | .dl_aggregates, .dl_frames]'), split \
$(qmapctl -j stats | jq -c '.[0] | [.aggregates, .frames, [.ports[].rx_packets]]'), netdevs \
$(ip -j -s link | jq -c 'map(select(.ifname | startswith("wwan0"))) | map({key: .ifname, value: .stats64.rx.packets}) | from_entries')"
	{ ip -j -s link && ip -j -s -n net link; } | jq -r '.[] | [.stats64.rx.dropped, .stats64.tx.dropped] as $n |
		select($n | add > 0) | "\(.ifname): \($n[0]) received, \($n[1]) sent"'
	while read -r _ dropped _; do
		[ $((16#$dropped)) = 0 ] || echo "backlog of CPU $cpu since boot: $((16#$dropped))"
		cpu=$((cpu + 1))
	done </proc/net/softnet_stat
	awk '/^Udp: [0-9]/ && $6 { print "receiving sockets: " $6 }' /proc/net/snmp
	awk '/^Udp6(RcvbufErrors|MemErrors)/ && $2 { print "receiving sockets: " $0 }' /proc/net/snmp6
}

# Compares bytes, too, to detect a frame trimmed wrongly or with its pad left on.
equal_counts() {
	wait_for 3 counts_agree || equal "counts [mux, down, bytes, up, bytes]" "$(modem_counts)" "$(host_counts)"
}

# The modem reports no violations, and no packet was lost on the way.
no_complaints() {
	equal "violations and warnings" '{}' "$(modem stats |
		jq -c '.violations + .warnings | del(.total) | with_entries(select(.value > 0))')"
	equal "drops" '{}' "$(qmapctl -j stats | jq -c '.[0].drops | with_entries(select(.value > 0))')"
	equal "lost in the modem" '[0,0]' "$(modem stats | jq -c '[.trunk.dl_lost, .trunk.dl_beyond_urb]')"
}

calls() { # made since the attach
	field '.events | map(select(.kind == "call" and .to == "up")) | length'
}

# --- measures against a dead link ---

# measures: "evidence rung" of all events so far, in order.
measures() {
	field '.events | map(select(.kind == "recover") | "\(.from) \(.to)") | join(", ")'
}

measured() {
	[[ ", $(measures)," == *", $1,"* ]]
}

taken() { # rung
	field ".recover.taken.$1"
}
