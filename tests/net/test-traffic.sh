#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes in comes out: every QMAP version, modem and IP family, both ways, byte by byte.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib-traffic.sh
. "$(dirname "$0")/lib-traffic.sh"

# streams PREFIX PDNS FAMILY [host|gateway]: for pattern-tool, like "wwan0.1=1@10.64.1.1".
streams() {
	local n
	for n in $2; do
		printf '%s=%s' "${1/\%/$n}" "$n"
		[ -z "${4:-}" ] || printf '@%s' "$("$4" "$n" "$3")"
		printf ' '
	done
}

# Every size from the smallest pattern to the MTU, hence every pad, through all PDNs at once.
every_size() { # ports pdns family
	local min=44 count
	[ "$3" = 4 ] || min=64
	count=$((1500 - min + 1))
	local opts=(-c $count -s "$min-1500")
	[ "$3" = 4 ] || opts+=(-6)
	# shellcheck disable=SC2046
	receive "${opts[@]:0:2}" ${opts[4]:-} $(streams "$1" "$2" "$3") \
		-- $(sender) -p 7001 "${opts[@]}" $(streams net/pdn% "$2" "$3" host) >/dev/null
	# shellcheck disable=SC2046
	send "${opts[@]}" $(streams "$1" "$2" "$3" gateway)
}

# Aggregates as full as they get.
full_aggregates() { # ports pdns family
	local opts=(-c 300)
	[ "$3" = 4 ] || opts+=(-6)
	# shellcheck disable=SC2046
	receive "${opts[@]}" $(streams "$1" "$2" "$3") -- $(generator) count=300 size=1500 "v=$3" >/dev/null
	# shellcheck disable=SC2046
	receive "${opts[@]}" $(streams "$1" "$2" "$3") -- $(generator) count=300 size=100 "v=$3" >/dev/null
}

# What is too small for a pattern, and everything that answers by itself; ping compares, too.
small_packets() { # port pdn
	local size out
	for size in {0..16}; do
		out=$(ping -c 1 -W 2 -s "$size" -I "$1" "$(gateway "$2" 4)") || fail "$out"
		[[ $out != *wrong* ]] || fail "$out"
		out=$(ping -c 1 -W 2 -s "$size" -I "$1" "$(gateway "$2" 6)") || fail "$out"
		[[ $out != *wrong* ]] || fail "$out"
	done
}

# compare FORMAT INJECT MODEL [attach's OPTION]...
compare() {
	local format=$1 inject=$2 model=$3 pdns="1 2 3 4" ports=wwan0.% n family
	shift 3
	[ "$format" != off ] || pdns=1 ports=wwan0
	modem_start --model "$model" --inject "$inject"
	qmapd_start
	# shellcheck disable=SC2046
	attach "$@" $(printf -- '--pdn %s ' $pdns)
	equal "format" "$format $format" "$(modem_stat '.format | .ul + " " + .dl')"
	equal "way in" "$inject" "$(modem_stat .inject)"
	deep_queues
	for family in 4 6; do
		every_size "$ports" "$pdns" $family
		full_aggregates "$ports" "$pdns" $family
	done
	for n in $pdns; do
		sink_has "$n" $((1457 + 1437))
		small_packets "${ports/\%/$n}" "$n"
	done
	# raw IP is counted by the netdev, which takes no notice of packets that BPF redirects into it
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
