#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Damaged aggregates: each is counted under its reason, and good traffic does not suffer.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

start() { # modem's options
	modem_start "$@"
	qmapd_start
	attach --pdn 1 --pdn 2
	deep_queues
}

# drops [REASON]...: the sum of these, or of all.
drops() {
	local names
	names=$(printf '"%s",' "$@")
	stat_of " | .drops | to_entries | map(select($# == 0 or (.key | IN(${names%,}))).value) | add"
}

# Results of all input to a trunk: frames delivered, dropped, commands.
outcomes() {
	stat_of ' | .frames + .commands + (.drops | add)'
}

# Good traffic both ways, without loss.
traffic_is_good() {
	modem reset >/dev/null
	generated wwan0.1=1 wwan0.2=2 --
	generated -6 wwan0.1=1 wwan0.2=2 -- v=6
	send wwan0.1=1@10.64.1.1 wwan0.2=2@10.64.2.1
	sink_has 1 1000
	sink_has 2 1000
}

# kind KIND REASON...: each aggregate is dropped, in part or whole, for one of these reasons.
COUNT=200
kind() {
	local all these
	all=$(drops) these=$(drops "${@:2}")
	modem malformed "kind=$1" count=$COUNT seed=7 >/dev/null
	equal "drops for kind $1" $COUNT $(($(drops) - all))
	equal "${*:2} for kind $1" $COUNT $(($(drops "${@:2}") - these))
}

# One frame is malformed in each of these; a bad length takes those behind it along, unparsed.
every_kind() {
	local reasons=(truncated_header length_beyond_aggregate)
	[ "$1" != v4 ] || reasons+=(truncated_trailer)
	kind cut "${reasons[@]}"
	kind too_long length_beyond_aggregate
	kind zero_length zero_length
	kind pad pad_too_long
	kind unknown_mux unknown_mux
	kind not_ip not_ip
	kind short_command short_command
}

test_every_kind_v1() {
	start --model EM12
	every_kind v1
	traffic_is_good
}

test_every_kind_v4() {
	start --model SDX20
	every_kind v4
	kind trailer truncated_trailer
	traffic_is_good
}

# A header of unknown type may have any length, so the bytes behind it may be malformed, too.
test_every_kind_v5() {
	start --model RG500Q
	every_kind v5
	local before
	before=$(drops)
	modem malformed kind=next_header count=$COUNT >/dev/null
	at_least "unknown headers" $((COUNT * 5 / 6)) "$(drops unknown_next_header)"
	at_least "drops" $COUNT $(($(drops) - before))
	traffic_is_good
}

# Noise of all kinds between good packets, at full speed. Of the good frames in damaged aggregates,
# which go to a port of their own, none arrives changed, unless "flip" has changed them in a way that no
# checksum of IP detects.
noise() { # kind that only this version has, modem's options
	local kinds=(cut too_long zero_length pad unknown_mux not_ip short_command random_bytes)
	[ -z "$1" ] || kinds+=("$1")
	shift
	start "$@"
	"$build/pattern-tool" receive -p 7009 -c 200000 wwan0.1=65535 >"$T/noise" &
	local noise=$! good n=0
	generated -c 20000 wwan0.1=1 wwan0.2=2 -- count=20000 rate=40000 &
	good=$!
	for kind in "${kinds[@]}"; do
		modem wait generate.packets '>=' $((++n * 3000)) timeout=5000 >/dev/null
		modem malformed "kind=$kind" count=1000 >/dev/null
	done
	kill $noise
	wait $noise || :
	modem malformed kind=flip count=$((10000 - n * 1000)) >/dev/null
	wait $good
	equal "noise sent" 10000 "$(modem_stat .noise.aggregates)"
	at_least "outcomes" 50000 "$(outcomes)" # 40000 good frames, and at least one of each aggregate
	at_least "drops" $((n * 990)) "$(drops)"
	at_least "good frames among the noise" 1000 "$(jq '.[0].ok' "$T/noise")"
	equal "changed and twice" '[0,0]' "$(jq -c '.[0] | [.bad, .duplicate]' "$T/noise")"
	equal "queues" 0 "$(drops queue_full redirect_failed no_memory)"
	traffic_is_good
	equal "state" attached "$(field .state)"
	qmapctl detach wwan0
	nothing_left
}

test_ten_thousand_v5() { noise next_header --model RG500Q; }
test_ten_thousand_v4_tun() { noise trailer --model SDX20 --inject tun; }
test_ten_thousand_v1() { noise "" --model EC25; }

run_tests "$@"
