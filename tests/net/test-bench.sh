#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks that the measurements run and compute correctly: every packet comes out or is dropped for a
# known reason. Times do not matter here.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

bench() {
	"$build/qmap-bench" "$@"
}

# Runs one level quickly and leaves its results in $T/results.
run_level() {
	rm -f "$T/results"
	bench -q -o "$T/results" run "$1" >"$T/table" || fail "$1: $(cat "$T/table")"
	equal "results that lost packets" "" "$(jq -r 'select((.lost // 0) > 0) | .name' "$T/results")"
	equal "results without a value" "" \
		"$(jq -r 'select((.value | type) != "number" or .value < 0) | .name' "$T/results")"
	# a line must make sense without any other
	equal "results without their circumstances" "" "$(jq -r 'select([.name, .unit, .method,
		.kernel, .cpu, .governor, .capabilities, .command, .commit, .versions.libbpf,
		.versions.clang, .versions.qmap] | all(type == "string" and length > 0) | not) |
		.name' "$T/results")"
}

test_programs() {
	run_level programs
	equal "results of 7 programs' sizes" 21 \
		"$(grep -cE '"programs\.(verified|translated|jited)\.' "$T/results")"
	equal "results that saw no frame" "" \
		"$(jq -r 'select(.method == "BPF_PROG_RUN" and .sent == 0) | .name' "$T/results")"
}

test_demo() {
	run_level demo
	equal "results" "demo.tcp.down demo.tcp.up demo.udp.down demo.udp.up" \
		"$(jq -rs 'map(.name) | sort | join(" ")' "$T/results")"
}

test_system() {
	run_level system
	equal "results" 12 "$(wc -l <"$T/results")"
	equal "throughput of nothing" "" "$(jq -r 'select(.unit == "Mbit/s" and .value <= 0) | .name' "$T/results")"
}

# modem_bench OPTION...: measures an attached modem; results in $T/results, output in $said.
modem_attached() {
	modem_start
	qmapd_start
	attach --pdn 1 --pdn 2 --steer off >/dev/null # see attach() of lib-traffic.sh
}

modem_bench() {
	rm -f "$T/results"
	try bench -q -o "$T/results" modem --seconds 1 "$@" wwan0
}

all_of_it_was_undone() {
	answers 10.64.1.1 -I wwan0.1 || fail "loopback is still on"
	qmapctl detach wwan0
	nothing_left
}

of_result() { # name .jq.path
	jq -r "select(.name == \"modem.xdp.$1\") | $2" "$T/results"
}

test_modem_loopback() {
	local factor sent
	modem_attached
	for factor in 1 4; do
		modem reset >/dev/null
		modem_bench --check --factor $factor
		equal "exit code: $said" 0 "$status"
		sent=$(of_result loopback.down .sent)
		at_least "packets sent" 1 "$sent"
		equal "lost" 0 "$(of_result loopback.down .lost)"
		equal "looped by the modem" "$sent" "$(modem_stat '[.pdn[].loopback] | add')"
		equal "dropped" '{} 0' "$(of_result loopback.dropped '"\(.drops | tojson) \(.samples[0])"')"
		equal "violations" 0 "$(modem_stat .violations.total)"
	done
	equal "results" 10 "$(wc -l <"$T/results")"
	equal "CPUs told of" "$(nproc)" "$(of_result loopback.cpu_per_gbit '.cpu_seconds | length')"
	all_of_it_was_undone
}

# Missing and damaged packets are detected.
test_modem_loopback_faults() {
	modem_attached
	modem loopback lose=100 >/dev/null
	modem_bench --seconds 5
	at_least "lost" 1 "$(of_result loopback.down .lost)"
	equal "lost of those sent" 1 "$(of_result loopback.down '((.sent / .lost) > 99 and (.sent / .lost) < 101) |
		if . then 1 else 0 end')"
	modem loopback damage=100 >/dev/null
	modem_bench --check
	at_least "damaged" 1 "$(of_result loopback.down .lost)"
	modem loopback >/dev/null
	all_of_it_was_undone
}

test_modem_server() {
	modem_attached
	ip netns exec net iperf3 -s >/dev/null &
	listens() { [ -n "$(ip netns exec net ss -Hltn 'sport = :5201')" ]; }
	wait_for 5 listens
	modem_bench --server 10.64.1.1
	equal "exit code: $said" 0 "$status"
	equal "results" 22 "$(wc -l <"$T/results")"
	equal "goodput of nothing, or of more than came" "" "$(jq -s -r 'map({(.name): .value}) | add | to_entries | .[] |
		select((.key | endswith("goodput")) and .value <= 0) | .key' "$T/results")"
	all_of_it_was_undone
}

# The server refuses, resets or is busy while it is between two clients.
test_modem_server_between_two_clients() {
	local why
	modem_attached
	mkdir "$T/bin"
	cat >"$T/bin/iperf3" <<-END
		#!/bin/sh
		read -r why && sed -i 1d "$T/refusals" && echo "{\"error\": \"\$why\"}" && exit 1
		echo '{"end": {"sum_received": {"seconds": 1, "bytes": 125000}}}'
	END
	sed -i "s|^read -r why|& <\"$T/refusals\"|" "$T/bin/iperf3"
	chmod +x "$T/bin/iperf3"
	for why in refused "reset by peer"; do
		printf '%s\n' "unable to connect to server: Connection $why" "the server is busy running a test. try again later" \
			>"$T/refusals"
		PATH=$T/bin:$PATH modem_bench --server 10.64.1.1
		equal "exit code: $said" 0 "$status"
		equal "refusals that came" "" "$(cat "$T/refusals")"
		equal "goodput" 1 "$(jq -s 'map(select(.name | endswith("tcp_down.goodput")))[0].value' "$T/results")"
	done
	yes "unable to connect to server: No route to host" | head -n 9 >"$T/refusals"
	PATH=$T/bin:$PATH modem_bench --server 10.64.1.1
	says "iperf3: unable to connect to server: No route to host"
	equal "tries" 1 "$((9 - $(wc -l <"$T/refusals")))"
}

# Data paths in turn; one that the machine lacks is skipped, and the original one is restored.
test_modem_data_paths() {
	local before
	modem_attached
	before=$(qmapctl -j dump)
	modem_bench --datapath xdp,shim
	equal "exit code: $said" 0 "$status"
	says "SKIP shim: the kernel module qmap_shim is not loaded"
	equal "data paths measured" xdp "$(jq -r .path "$T/results" | sort -u)"
	equal "what is attached" "$before" "$(qmapctl -j dump)"
	all_of_it_was_undone
}

test_modem_refusals() {
	modem_start
	qmapd_start
	modem_bench
	equal "exit code, not attached" 2 "$status"
	says "wwan0 is not attached"
	attach --pdn 1 >/dev/null
	modem error wda set_loopback code=94 >/dev/null
	modem_bench
	equal "exit code, no loopback" 2 "$status"
	says "the modem refuses switching loopback on: not_supported (QMI error 94)"
	says "--server HOST"
	modem clear >/dev/null
	equal "client ids of WDA" 1 "$(modem_stat .qmi.clients.wda)"
	modem_bench --size 60
	equal "exit code, no such size" 2 "$status"
	all_of_it_was_undone
}

# Interrupted, it restores everything, too.
test_modem_interrupted() {
	local pid
	modem_attached
	"$build/qmap-bench" modem --seconds 60 wwan0 >/dev/null 2>&1 &
	pid=$!
	modem wait pdn.1.loopback '>=' 100 timeout=10000 >/dev/null
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	equal "exit code" 2 "$status"
	all_of_it_was_undone
}

test_every_level_is_tested() {
	local level
	bench list | while read -r level _; do
		declare -F "test_$level" >/dev/null || fail "no test of level $level"
	done
}

# tests/unit tests compare's verdicts on synthetic results; this tests its exit codes.
test_compare() {
	echo '{"name": "a", "unit": "ns", "value": 100, "spread": 1}' >"$T/before"
	echo '{"name": "a", "unit": "ns", "value": 120, "spread": 1}' >"$T/after"
	echo '{"name": "b", "unit": "ns", "value": 1}' >"$T/other"
	try bench compare "$T/before" "$T/before"
	equal "exit code, the same" 0 "$status"
	try bench compare "$T/before" "$T/after"
	equal "exit code, slower" 1 "$status"
	says WORSE
	try bench -p 25 compare "$T/before" "$T/after"
	equal "exit code, 25 % allowed" 0 "$status"
	try bench compare "$T/after" "$T/before"
	equal "exit code, faster" 0 "$status"
	try bench compare "$T/before" "$T/other"
	equal "exit code, nothing in common" 2 "$status"
	try bench compare "$T/before" /nowhere
	equal "exit code, no file" 2 "$status"
}

test_add() {
	echo 'round 1
{"name": "x", "unit": "ns", "method": "wall", "samples": [3, 1, 2], "case": "x"}' |
		bench -o "$T/results" add >/dev/null 2>&1
	equal "median, deviation, smallest, rounds, what else was said" "2 1 1 3 x" \
		"$(jq -r '"\(.value) \(.spread) \(.min) \(.rounds) \(.case)"' "$T/results" | sed 's/\.000//g')"
	try bench add <<<'{"name": "x", "unit": "ns", "method": "wall", "samples": []}'
	equal "exit code, no samples" 2 "$status"
}

# `make check-report` checks it in a browser.
test_report() {
	"$top/tests/report-sample.sh" >"$T/results"
	bench -o "$T/report.html" -m "$T/report.md" report "$T/results"
	"$top/tests/report-check.py" structure "$T/report.html"
	grep -q '| udp-drop | 300 (0.10) | 600 (0.20) | 900 (0.30) |' "$T/report.md" ||
		fail "the table: $(cat "$T/report.md")"
	# of the cases with a fault, only the one of one round is compared
	for wanted in '<td>vm.old.shim</td><td>1.00†</td>' '<td>vm.once.rmnet</td><td>1,000\*</td>' \
		'<td>vm.leaky.shim</td><td>1.00‡</td>' '<td>vm.leaky.rmnet</td><td>1,000</td>' \
		'>shim takes fewer instructions .* 7 of 8 cases .*: 0.33 (far) to 1.10 times as many (once)\.<'; do
		grep -q "$wanted" "$T/report.html" || fail "no $wanted"
	done
	sed 's/class="mark/class="none/g' "$T/report.html" >"$T/empty.html"
	try "$top/tests/report-check.py" structure "$T/empty.html"
	says "empty axes"
	"$top/bench/report.py" --picture "$T/picture.svg" "$T/results"
	"$top/tests/report-check.py" picture "$T/picture.svg"
	grep -v usb-ul-single "$T/results" >"$T/few"
	try "$top/bench/report.py" --picture "$T/few.svg" "$T/few"
	says "the picture wants one run of "
	sed '/usb-ul-single.xdp/s/"commit": "0"/"commit": "1"/' "$T/results" >"$T/two"
	try "$top/bench/report.py" --picture "$T/few.svg" "$T/two"
	says "the picture wants results of one commit"
	try bench -o "$T/report.html" report /nowhere
	equal "exit code, no file" 1 "$status"
	echo '{"name": 1}' >"$T/results"
	try bench -o "$T/report.html" report "$T/results"
	says "results:1: not a result"
}

# The one that README shows is of a clean tree, and README says how it is made.
test_picture_of_readme() {
	grep -qF '](doc/bench.svg)' "$top/README.md"
	"$top/tests/report-check.py" picture "$top/doc/bench.svg"
	grep -qF 'report.py --picture doc/bench.svg' "$top/bench/README.md"
}

run_tests "$@"
