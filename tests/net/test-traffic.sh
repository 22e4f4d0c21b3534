#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets come out as they went in: every QMAP version, modem and IP family, both ways, byte by byte.
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# Sets streams of all PDNs for pattern-tool, like "wwan0.1=1": ${ports[@]}, and with addresses, too,
# ${up[@]} and ${down[@]}, the latter from the network.
set_streams() { # family
	local n
	ports=() up=() down=()
	for n in "${pdns[@]}"; do
		ports+=("$(port "$n")=$n")
		up+=("$(port "$n")=$n@$(gateway "$n" "$1")")
		down+=("net/pdn$n=$n@$(host "$n" "$1")")
	done
}

port() { # pdn
	[ "$format" = off ] && echo wwan0 || echo "wwan0.$1"
}

# Every size from the smallest pattern to the MTU, hence every pad, through all PDNs at once.
every_size() { # count min option...
	local count=$1 min=$2
	shift 2
	receive -c "$count" "$@" "${ports[@]}" -- \
		"$build/pattern-tool" send -p 7001 -r 10000 -c "$count" -s "$min-1500" "$@" "${down[@]}"
	send -c "$count" -s "$min-1500" "$@" "${up[@]}"
}

both_families() {
	set_streams 4
	every_size 1457 44
	generated -c 300 "${ports[@]}" -- count=300 size=1500
	generated -c 300 "${ports[@]}" -- count=300 size=100
	set_streams 6
	every_size 1437 64 -6
	generated -6 -c 300 "${ports[@]}" -- count=300 size=1500 v=6
	generated -6 -c 300 "${ports[@]}" -- count=300 size=100 v=6
}

# Packets too small for a pattern, to services that answer by themselves; ping compares, too.
small_packets() { # pdn
	local size to out
	for to in "$(gateway "$1" 4)" "$(gateway "$1" 6)"; do
		for size in {0..16}; do
			out=$(ping -c 1 -W 20 -s "$size" -I "$(port "$1")" "$to") || fail "$out"
			[[ $out != *wrong* ]] || fail "$out"
		done
	done
}

# compare FORMAT INJECT MODEL [attach's OPTION]...
compare() {
	local format=$1 inject=$2 model=$3 pdns=(1 2 3 4) ports up down n
	shift 3
	[ "$format" != off ] || pdns=(1)
	modem_start --model "$model" --inject "$inject"
	qmapd_start
	attach "$@" "${pdns[@]/#/--pdn=}"
	equal "format" "$format $format" "$(modem_stat '.format | .ul + " " + .dl')"
	equal "way in" "$inject" "$(modem_stat .inject)"
	deep_queues
	both_families
	small_packets 1
	for n in "${pdns[@]}"; do
		sink_has "$n" $((1457 + 1437))
	done
	# the netdev counts raw IP, and does not see packets that BPF redirects into it
	[ "$format-$inject" = off-linear ] || equal_counts
	no_complaints
	qmapctl detach wwan0
	nothing_left
}

test_rg500q_v5_linear() { compare v5 linear RG500Q; }
test_rg500q_v5_tun() { compare v5 tun RG500Q; }
test_rg500q_v4_linear() { compare v4 linear RG500Q --qmap v4; }
test_rg500q_v4_tun() { compare v4 tun RG500Q --qmap v4; }
test_rg500q_v1_linear() { compare v1 linear RG500Q --qmap v1; }
test_rg500q_v1_tun() { compare v1 tun RG500Q --qmap v1; }
test_em12_v1_linear() { compare v1 linear EM12; }
test_em12_v1_tun() { compare v1 tun EM12; }
test_ec25_v1_linear() { compare v1 linear EC25; }
test_ec25_v1_tun() { compare v1 tun EC25; }
test_ec25_raw_ip_linear() { compare off linear EC25 --qmap off; }
test_ec25_raw_ip_tun() { compare off tun EC25 --qmap off; }
test_sdx20_v4_linear() { compare v4 linear SDX20; }
test_sdx20_v4_tun() { compare v4 tun SDX20; }

run_tests "$@"
