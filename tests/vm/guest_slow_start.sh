# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by guest_usb.sh: TCP's slow start, from a server 20 ms away in either direction behind the modem's
# network to a client on the port. The modem collects packets for a millisecond, as a slot of radio does.

# shellcheck disable=SC2034,SC2154 # variables of guest_usb.sh

server=10.99.0.2
rtt_us=40000
rate=200mbit
read -r bytes senders <<<"${SLOW_START:-1048576 cubic}"

# The router between the server and the modem has both queues, so that the sender has no other than the
# network's. Segments reach it one by one.
distant_server() {
	ip netns add server
	ip link add srv0 netns net type veth peer name eth0 netns server
	ip -n net address add 10.99.0.1/30 dev srv0
	ip -n net link set srv0 up
	ip -n server address add $server/30 dev eth0
	ip -n server link set eth0 up
	ip -n server route add default via 10.99.0.1
	ip netns exec server ethtool -K eth0 tso off gso off >/dev/null
	ip netns exec net sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	ip netns exec server sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save'
	ip netns exec net tc qdisc replace dev pdn1 root netem delay 20ms rate "$rate" limit 20000
	ip netns exec net tc qdisc replace dev srv0 root netem delay 20ms limit 20000
	[[ $senders != *count_acks* ]] || bpftool struct_ops register /count_acks.bpf.o >/dev/null
}

server_listens() {
	ip netns exec server ss -Hltn "src $server" | grep -q .
}

# download CONGESTION[:bulk]: leaves what the server's kernel has known, a line of JSON every ms, in $T/info.
# Linux sets PSH at the end of each super-packet (__tcp_transmit_skb()), where coalescing ends, and makes those
# of two segments while it is slow (tcp_tso_autosize()). With bulk it makes them as large as it can, and is
# like a sender that sets no PSH in between.
download() {
	local pid least=2
	[[ $1 != *:bulk ]] || least=44
	ip netns exec server sh -c "echo $least >/proc/sys/net/ipv4/tcp_min_tso_segs"
	head -c "$bytes" /dev/zero |
		ip netns exec server "$build/tcp-tool" -w -c "${1%:*}" listen send $server 5000 >"$T/info" &
	pid=$!
	wait_for 10 server_listens || fail "no server"
	equal "bytes received" "$bytes" "$("$build/tcp-tool" connect receive $server 5000 | wc -c)"
	wait $pid
}

# Sums $T/info up: bytes acknowledged by the middle of the round trip after each, for those of the round
# trip before have come by then; times by which so much was acknowledged; segments that an ACK acknowledges,
# of the first 192 KiB and of the rest.
summary() {
	jq -sc --argjson rtt $rtt_us '
		(.[0].acked) as $none | map(.acked -= $none) | .[0] as $first | .[-1] as $last |
		def by_round_trip(f): [range(1; 9) as $n | map(select(.us <= $n * $rtt + $rtt / 2)) | last | f];
		def once($bytes): map(select(.acked >= $bytes)) | first;
		def each($a; $b): ($b.delivered - $a.delivered) / ($b.acks - $a.acks) * 100 | round / 100;
		(once(196608) // $last) as $middle |
		{acked_by_round_trip: by_round_trip(.acked), acks_by_round_trip: by_round_trip(.acks - $first.acks),
		ms: {"192k": ($middle.us / 1000), "1m": (once(1048576) // $last | .us / 1000),
			all: ($last.us / 1000)},
		segments_per_ack: {first_192k: each($first; $middle), rest: each($middle; $last)},
		cwnd: (map(.cwnd) | max), ssthresh: $last.ssthresh, retrans: $last.retrans,
		rwnd_limited_ms: ($last.rwnd_limited / 1000 | round)}' "$T/info"
}

packets_per_aggregate() {
	modem stats | jq -c '.trunk | .dl_frames / .dl_aggregates * 10 | round / 10'
}

# --- the test: on each data path ---

test_slow_start() {
	local congestion how=(--datapath "$datapath") model=()
	if [ "$datapath" = raw ]; then
		mkdir -p /etc/qmap
		printf '[model 2c7c:0800]\nname = EC25\nforced = no\n' >/etc/qmap/models.conf
		how=(--qmap off) model=(--model EC25)
	fi
	usb_start --hold 1000 "${model[@]}"
	qmapd_start
	qmapctl -q attach wwan0 "${how[@]}" --pdn 1,ip=v4
	distant_server
	deep_queues
	for congestion in $senders; do
		modem reset >/dev/null
		download "$congestion"
		echo "DATA slow_start $(summary | jq -c --arg path "$datapath" --arg sender "$congestion" \
			--argjson packets "$(packets_per_aggregate)" \
			'{path: $path, sender: $sender, packets_per_aggregate: $packets} + .')"
	done
	qmapctl detach wwan0
}
