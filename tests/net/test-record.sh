#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# qmapctl record, the identities that its files must not have, and the modem that replays them.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

record_pid=''

record_start() { # OPTION...
	"$build/qmapctl" record "$@" "$T/rec" 2>>"$T/record.log" &
	record_pid=$!
	wait_for 10 grep -qs '^# recorded by' "$T/rec" || fail "nothing is recorded: $(cat "$T/record.log")"
}

record_stop() {
	kill -INT "$record_pid"
	wait "$record_pid" || fail "qmapctl record: $(cat "$T/record.log")"
}

# bytes_of FILE: all bytes of its messages, in hexadecimal without blanks.
bytes_of() {
	sed -n 's/^[0-9a-f]\{6\}//p' "$1" | tr -d ' \n'
}

ascii() { printf %s "$1" | xxd -p | tr -d '\n'; }
utf16() { printf %s "$1" | iconv -t UTF-16LE | xxd -p | tr -d '\n'; }
bcd() { perl -pe "s/(.)(.)/\$2\$1/g" <<<"$1"; } # swapped nibbles
reversed() { fold -w2 <<<"$1" | tac | tr -d "\n"; }
address() { printf "%02x%02x%02x%02x" "${1%%.*}" "$(cut -d. -f2 <<<"$1")" "$(cut -d. -f3 <<<"$1")" "${1##*.}"; }

lacks() { # WHAT HEX...: none of them is in the recording
	local what=$1 hex
	shift
	for hex; do
		[[ $recorded != *"$hex"* ]] || fail "the recording has $what as $hex"
	done
}

# qmapctl(8): readable for its owner alone, also if the file was there. It is replaced when qmapd answers, and not
# before.
test_mode() {
	modem_start
	printf '%064d\n' {1..9} >"$T/rec"
	refused 2 "qmapd" qmapctl record "$T/rec"
	equal "lines" 9 "$(wc -l <"$T/rec")"
	chmod 644 "$T/rec"
	qmapd_start
	record_start
	equal "mode" 600 "$(stat -c %a "$T/rec")"
	record_stop
	equal "lines" 1 "$(wc -l <"$T/rec")"
	ln -s rec "$T/link"
	refused 2 "cannot write" qmapctl record "$T/link"
}

test_identities() {
	local recorded iccid
	start --pin 4711 --apn internet=1
	record_start
	attach --pin 4711 --pdn 1,apn=internet,user=customer-77,password=hunter22,auth=chap >/dev/null
	iccid=$(field .sim.iccid)
	ping -q -c 3 -i 0.2 -W 5 -I wwan0.1 10.64.1.1 >/dev/null
	ping -q -c 3 -i 0.2 -W 5 -I wwan0.1 2001:db8:64:1::1 >/dev/null
	# an indication to all with an IMEI, as a modem might send one that nobody has a name for
	qmi 2 255 "04000025001200110f00$(ascii 359072061234567)"
	detach
	record_stop
	recorded=$(bytes_of "$T/rec")
	[ ${#recorded} -gt 1000 ] || fail "the recording is empty"
	[[ $iccid == 8* ]] || fail "no ICCID to look for: $iccid"
	lacks ICCID "$(ascii "$iccid")" "$(bcd "${iccid}f")" "$(utf16 "$iccid")" "$(bcd "$iccid")" \
		"$(ascii "${iccid:0:10}")" "$(bcd "${iccid:0:10}")"
	lacks IMEI "$(ascii 3590720612)" "$(bcd 3590720612)"
	lacks PIN "$(ascii 4711)" "$(utf16 4711)"
	lacks user "$(ascii customer-77)" "$(utf16 customer-77)"
	lacks password "$(ascii hunter22)" "$(utf16 hunter22)"
	for a in 10.64.1.1 10.64.1.2 10.64.1.53 10.64.1.54; do
		lacks "address $a" "$(address $a)" "$(reversed "$(address $a)")"
	done
	lacks "IPv6 prefix" 20010db800640001
	[[ $recorded == *"$(ascii internet)"* ]] || fail "the APN is gone, unasked"
	equal "mode of the file" 600 "$(stat -c %a "$T/rec")"
}

test_hide_apn() {
	local recorded
	start --apn secret-apn=1
	record_start --hide-apn
	attach --pdn 1,apn=secret-apn >/dev/null
	record_stop
	recorded=$(bytes_of "$T/rec")
	lacks APN "$(ascii secret-apn)" "$(ascii secret)"
	detach
}

# The recorded modem again: same model, same answers, same calls, same frames.
test_replay() {
	local was is frames
	start
	record_start
	attach --pdn 1 --pdn 2,ip=v4 >/dev/null
	ping -q -c 5 -i 0.2 -W 5 -I wwan0.1 10.64.1.1 >/dev/null
	was=$(qmapctl -j show wwan0 | jq -c '.[0] | [.model, .revision, .qmap, .dl_max_bytes, .network.radio, .pdns[].families[].state]')
	record_stop
	detach
	qmapd_kill
	modem_stop
	frames=$(grep -c '^I .* qmap-v5$' "$T/rec")
	[ "$frames" -gt 0 ] || fail "no aggregates in the recording"
	equal "aggregates at most" 1 "$((frames <= 64))"

	mv "$T/rec" "$T/first"
	modem_replay "$T/first"
	qmapd_start
	attach --pdn 1 --pdn 2,ip=v4 >/dev/null
	is=$(qmapctl -j show wwan0 | jq -c '.[0] | [.model, .revision, .qmap, .dl_max_bytes, .network.radio, .pdns[].families[].state]')
	equal "what it is" "$was" "$is"
	[[ $(field '.pdns[0].families[0].address') == 198.18.* ]] || fail "$(qmapctl show)"
	equal "aggregates sent" "$frames" "$(modem replay | jq .aggregates)"
	wait_for 10 has_aggregates "$frames" || fail "$(qmapctl -v stats)"
	equal "drops" '{}' "$(qmapctl -j stats | jq -c '.[0].drops | with_entries(select(.value > 0))')"
	detach
}

# Each file says what an attach to its modem does.
test_recordings() {
	local file sync want
	for file in "$top"/tests/recordings/*.rec; do
		sync=$(sed -n 's/^# attach --sync \([a-z]*\): .*/\1/p' "$file")
		want=$(sed -n 's/^# attach --sync [a-z]*: //p' "$file")
		modem_replay "$file"
		qmapd_start
		if [ "$want" = works ]; then
			attach --sync "$sync" >/dev/null
			equal "${file##*/}" up "$(field '.pdns[0].families[0].state')"
			[ "$(modem replay | jq .aggregates)" -gt 0 ] || fail "${file##*/}: no aggregates"
			detach
		else
			refused "${want%%: *}" "${want#*: }" attach --timeout 2 --sync "$sync"
		fi
		qmapd_kill
		modem_stop
		nothing_left
	done
}

has_aggregates() {
	[ "$(qmapctl -j stats | jq '.[0].aggregates')" = "$1" ]
}

modem_replay() { # FILE
	local line fifo=$T/ready
	rm -f "$fifo"
	mkfifo "$fifo"
	"$build/qmap-modem" replay "$1" --control "$T/qmi" --faults "$T/faults" --net-netns net >"$fifo" 2>>"$T/modem.log" &
	modem_pid=$!
	read -rt $((10 * PATIENCE)) line <"$fifo" || :
	equal "first line of the modem" ready "$line"
}

run_tests "$@"
