#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A modem whose answers are well-formed and wrong: other TLVs than expected, values out of range, strings
# that are none. The trunk is up or says why, and with right answers it works.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# Service, message, TLVs of each answer (-: none); state of IPv4 of PDN 1, or "refused" if attach failed.
rows() {
	cat <<-'END'
		ctl version_info - up
		ctl version_info 010100ff up
		ctl version_info 01060001000100ffff refused
		ctl allocate_cid - refused
		ctl allocate_cid 0102000100 refused
		ctl allocate_cid 010200ffff refused
		ctl allocate_cid 01010001 refused
		dms model - up
		dms model 010000 up
		dms model 010300414200 up
		dms model 0104001b5b326a up
		dms model 010400fffefdfc up
		dms revision 01030025736e up
		dms get_operating_mode 010000 up
		dms get_operating_mode 010100ff up
		dms get_operating_mode 010200ffff up
		uim card_status - up
		uim card_status 100000 up
		uim card_status 100f00ffffffffffffffffffffffffffffff up
		uim card_status 100900ffffffffffffffff01 up
		nas serving_system - up
		nas serving_system 010000 up
		nas serving_system 01060001010101ff08 up
		nas serving_system 010600ffffffffff00 up
		nas signal_info - up
		nas signal_info 14060080808000800080 up
		nas signal_info 140600ffffffffffff up
		nas signal_info 1402007f7f up
		wda set_data_format - refused
		wda set_data_format 130400ffffffff refused
		wds start - up
		wds start 010400ffffffff up
		wds settings - backing-off
		wds settings 1e0400ffffffff refused
		wds settings 1e04000100000a up
	END
}

sane() {
	kill -0 "$qmapd_pid" 2>/dev/null || fail "qmapd has ended"
	qmapctl -j show >"$T/show"
	python3 -c 'import json, sys; json.loads(open(sys.argv[1], "rb").read().decode())' "$T/show" || fail "no JSON: $(cat "$T/show")"
}

one() { # service message tlvs expected
	local end=refused
	modem tell "$1" "$2" "hex=${3#-}" >/dev/null
	try attach --backoff-min 60000 --pdn 1,ip=v4
	[ "$status" != 0 ] || end=$(family 1 4 .state)
	sane
	equal "$1 $2 $3" "$4" "$end"
	modem clear >/dev/null
	if [ "$end" != refused ]; then
		qmapctl redial wwan0 >/dev/null
		becomes 1 4 up
		answers 10.64.1.1
		qmapctl detach wwan0
	elif [ "$(qmapctl -j show)" != "[]" ]; then
		qmapctl detach wwan0
	fi
	nothing_left
}

test_odd_answers() {
	local service message tlvs expected n=0
	start
	while read -r service message tlvs expected; do
		one "$service" "$message" "$tlvs" "$expected"
		n=$((n + 1))
	done < <(rows)
	at_least "answers" 35 $n
}

run_tests "$@"
