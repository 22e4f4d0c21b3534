#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration as a file: dump writes it, apply compares and applies it.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# --- dump ---

attach_with_secrets() {
	attach --qmap v5 --pdn '1,apn=internet,user=me ;x,password=a "b\,c' \
		--pdn 2,apn=ims,metric=5,default-route=no >/dev/null
}

dump_of_both() { # line of the trunk, line of PDN 1
	cat <<-END
		[trunk wwan0]
		control = $T/qmi
		qmap = v5${1:+
		$1}

		[trunk wwan0 pdn 1]
		apn = internet
		user = "me ;x"${2:+
		$2}

		[trunk wwan0 pdn 2]
		apn = ims
		metric = 5
		default-route = no
	END
}

test_dump() {
	start
	equal "dump of nothing" "" "$(qmapctl dump)"
	attach_with_secrets
	equal "dump" "$(dump_of_both "keep-secrets = yes" "")" "$(qmapctl dump)"
	equal "dump wwan0" "$(qmapctl dump)" "$(qmapctl dump wwan0)"
	equal "with secrets" "$(dump_of_both "" 'password = "a \"b,c"')" "$(qmapctl dump --secrets)"
	equal "as JSON" 'true "" 130' "$(qmapctl -j dump |
		jq -r '.[0] | "\(.keep_secrets) \"\(.pdns[0].password)\" \(.pdns[1].mux)"')"
	equal "as JSON with secrets" 'a "b,c' "$(qmapctl -j dump --secrets | jq -r '.[0].pdns[0].password')"
	refused 4 "wwan9 is not attached" qmapctl dump wwan9
}

# Completion of a device offers attached trunks, with and without a daemon.
test_completion_of_devices() {
	start
	equal "nothing attached" "" "$(qmapctl complete -- detach "")"
	equal "modems" "wwan0" "$(qmapctl complete -- attach ww)"
	attach >/dev/null
	equal "attached" "wwan0" "$(qmapctl complete -- detach "")"
	equal "one device is enough" "" "$(qmapctl complete -- detach wwan0 "")"
	qmapd_kill KILL || :
	equal "without a daemon" "wwan0" "$(qmapctl complete -- detach ww)"
}

test_dump_without_daemon() {
	start
	attach_with_secrets
	qmapd_kill KILL || :
	equal "dump" "$(dump_of_both "keep-secrets = yes" "")" "$(qmapctl dump)"
	equal "with secrets" "$(dump_of_both "" 'password = "a \"b,c"')" "$(qmapctl dump --secrets wwan0)"
}

# It contains secrets.
test_dump_is_for_root() {
	start
	attach_with_secrets
	refused 5 "only root may dump" setpriv --reuid 65534 --regid "$(stat -c %g /run/qmapd/control)" --clear-groups \
		"$build/qmapctl" dump
}

# --- apply ---

# conf NAME LINE...: a file in $T.
conf() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$T/$name"
}

# Requests that repeated work would send, and its effects. Polls are none of them.
work_done() {
	modem_stat '[(.qmi.messages | del(.nas.signal, .nas.signal_info, .wds.status, .wds.settings)), .qmi.syncs, .calls] | tostring'
}

# Without the operational state: the kernel computes it later than the change that leads to it.
netdevs() {
	ip -j link | jq -c '.[] | [.ifindex, .ifname, .mtu, .address, (.flags | index("UP") != null)]'
}

# changes_nothing COMMAND...: the same calls, addresses and netdevs before and after.
changes_nothing() {
	local before after
	before=$(work_done; ip -o address; netdevs; ip -o route; qmapctl -j dump --secrets)
	"$@" >/dev/null
	after=$(work_done; ip -o address; netdevs; ip -o route; qmapctl -j dump --secrets)
	equal "state after $*" "$before" "$after"
}

says_nothing_to_do() {
	equal "$*" "Nothing to do." "$("$@")"
}

test_apply_attaches_and_is_idempotent() {
	start
	conf one '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'apn = internet' \
		'[trunk wwan0 pdn 2]' 'apn = ims' 'ip = v4'
	equal "plan" "planned wwan0: attach" "$(qmapctl apply --dry-run "$T/one")"
	equal "trunks after a dry run" "[]" "$(qmapctl -j show)"
	equal "requests after a dry run" 0 "$(modem_stat .qmi.requests)"
	equal "apply" "done    wwan0: attach" "$(qmapctl apply "$T/one")"
	equal "ports" "wwan0.1 wwan0.2" "$(field '.pdns | map(.port) | join(" ")')"
	answers 10.64.1.1 -I wwan0.1
	equal "second plan" "[]" "$(qmapctl -j apply -n "$T/one")"
	changes_nothing qmapctl apply "$T/one"
	says_nothing_to_do qmapctl apply - <"$T/one"
	qmapctl detach wwan0
	nothing_left
}

test_dump_is_applied_without_a_change() {
	start
	attach_with_secrets
	qmapctl dump >"$T/dump"
	says_nothing_to_do qmapctl apply "$T/dump"
	changes_nothing qmapctl apply "$T/dump"
	qmapctl dump --secrets >"$T/secrets"
	says_nothing_to_do qmapctl apply "$T/secrets"
	qmapctl detach wwan0
	refused 1 "wwan0 is not attached: there are no secrets to keep" qmapctl apply "$T/dump"
	says "hint: write them instead"
	qmapctl apply -q "$T/secrets"
	equal "dump" "$(cat "$T/secrets")" "$(qmapctl dump --secrets)"
}

# A failed step is undone: a second apply has the same to do, and fails in the same way.
test_apply_of_a_datapath_that_cannot_be() {
	local path before
	start
	conf one '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]'
	qmapctl apply -q "$T/one"
	path=$(qmapctl -j probe wwan0 | jq -r '[.[0].datapaths[] | select(.ok == false) | .name | select(. == "shim" or . == "rmnet")][0]')
	[ "$path" != null ] || skip "this machine has all data paths"
	before=$(qmapctl dump; field '| "\(.datapath) \(.datapath_reason)"')
	sed -i "1adatapath = $path\npoll = 7" "$T/one"
	for _ in 1 2; do
		refused 3 "failed  wwan0: change because of datapath auto -> $path, poll 30 -> 7" qmapctl apply "$T/one"
		equal "configuration" "$before" "$(qmapctl dump; field '| "\(.datapath) \(.datapath_reason)"')"
	done
	answers 10.64.1.1 -I wwan0.1
}

# Of two trunks that need one name, one could never have its ports.
test_apply_of_ports_with_one_name() {
	local both="would have one port, cell1"
	start
	conf one '[trunk wwan0]' "control = $T/qmi" 'port = cell%n'
	conf other '[trunk wwan1]' "control = /nosuch" 'port = cell%n' '[trunk wwan1 pdn 1]'
	cat "$T/one" "$T/other" >"$T/both"
	refused 1 "$both" qmapctl apply "$T/both"
	refused 78 "$both" timeout 60 "$build/qmapd" -c "$T/both"
	equal "trunks" "[]" "$(qmapctl -j show)"
	qmapctl apply -q "$T/one"
	refused 2 "$both" qmapctl apply "$T/other"
	refused 2 "$both" qmapctl apply --dry-run "$T/other"
	equal "trunks" wwan0 "$(qmapctl -j show | jq -r 'map(.dev) | join(" ")')"
	qmapctl apply -q --prune "$T/other"
	equal "trunks" wwan1 "$(qmapctl -j show | jq -r 'map(.dev) | join(" ")')"
}

# --- one by one: the others do not notice ---

# State of PDN 2, which no step touches: its port, its call and its traffic.
second_pdn() {
	field '.pdns[] | select(.number == 2) | .families | map(.handle) | tostring'
	cat /sys/class/net/wwan0.2/ifindex
	ping -c 1 -W 20 -q -I wwan0.2 10.64.2.1 | grep -c " 0% packet loss"
}

each_with() { # prefix lines
	local line
	while IFS= read -r line; do
		echo "$1$line"
	done <<<"$2"
}

# applied PLAN: applying $T/f takes these steps, and afterwards none is left.
applied() {
	equal "plan" "$(each_with "planned " "$1")" "$(qmapctl apply -n "$T/f")"
	equal "steps" "$(each_with "done    " "$1")" "$(qmapctl apply "$T/f")"
	says_nothing_to_do qmapctl apply "$T/f"
	equal "PDN 2" "$second" "$(second_pdn)"
}

pdn_is_up() { # number address
	ping -c 1 -W 1 -q -I "wwan0.$1" "$2" >/dev/null 2>&1
}

test_apply_pdn_by_pdn() {
	local head port second
	start
	head=('[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 2]' 'ip = v4')
	conf f "${head[@]}" '[trunk wwan0 pdn 1]' 'apn = internet'
	qmapctl apply -q "$T/f"
	second=$(second_pdn)
	port=$(cat /sys/class/net/wwan0.1/ifindex)
	conf f "${head[@]}" '[trunk wwan0 pdn 1]' 'apn = internet' 'metric = 9'
	applied "wwan0 PDN 1: change because of metric 701 -> 9"
	[[ $(ip route show default dev wwan0.1) == *"metric 9"* ]] || fail "$(ip route)"
	equal "routes of PDN 1" 1 "$(ip route show default dev wwan0.1 | wc -l)"
	conf f "${head[@]}" '[trunk wwan0 pdn 1]' 'apn = internet' 'metric = 9' 'default-route = no'
	applied "wwan0 PDN 1: change because of default-route yes -> no"
	equal "routes of PDN 1" "" "$(ip route show default dev wwan0.1; ip -6 route show default dev wwan0.1)"
	conf f "${head[@]}" '[trunk wwan0 pdn 1]' 'apn = ims' 'metric = 9' 'default-route = no'
	applied "wwan0 PDN 1: redial because of apn internet -> ims"
	wait_for 5 pdn_is_up 1 10.64.1.1 || fail "$(qmapctl show)"
	equal "port of PDN 1" "$port" "$(cat /sys/class/net/wwan0.1/ifindex)"
	conf f "${head[@]}" '[trunk wwan0 pdn 3]'
	applied $'wwan0 PDN 1: remove\nwwan0 PDN 3: add'
	wait_for 5 pdn_is_up 3 10.64.3.1 || fail "$(qmapctl show)"
	equal "ports" "wwan0.2 wwan0.3" "$(ip -o link | grep -oE 'wwan0\.[0-9]+' | grep -v q | sort -u | paste -sd ' ')"
	conf f '[trunk wwan0]' "control = $T/qmi" 'timeout = 5' '[trunk wwan0 pdn 2]' 'ip = v4' '[trunk wwan0 pdn 3]'
	applied "wwan0: change because of timeout 10 -> 5"
	qmapctl detach wwan0
	nothing_left
}

test_apply_leaves_others_alone() {
	start
	attach --pdn 1,apn=internet >/dev/null
	conf none '# no trunk'
	says_nothing_to_do qmapctl apply "$T/none"
	equal "plan" "planned wwan0: detach" "$(qmapctl apply --dry-run --prune "$T/none")"
	equal "state" attached "$(field .state)"
	equal "prune" "done    wwan0: detach" "$(qmapctl apply --prune "$T/none")"
	nothing_left
}

# A step that fails is reported, and so are those not begun because of it.
test_apply_stops_at_a_failure() {
	local wwan8=('[trunk wwan8]' 'control = none') full="more than 16 trunks"
	start
	printf '[trunk nosuch%d]\n' {1..16} >"$T/full"
	qmapctl -q apply "$T/full"
	conf two "${wwan8[@]}" '[trunk wwan0]' "control = $T/qmi"
	refused 2 "$full" qmapctl apply "$T/two"
	says "failed  wwan8: attach"
	says "left    wwan0: attach"
	equal "trunks" 16 "$(qmapctl -j show | jq length)"
	said=$(qmapctl -j apply "$T/two" 2>/dev/null) || :
	equal "states" "failed E2BIG, left null" \
		"$(jq -r 'map("\(.state) \(.failure.errno)") | join(", ")' <<<"$said")"
	conf two '[trunk wwan0]' "control = $T/qmi" "${wwan8[@]}"
	qmapctl detach nosuch7
	refused 2 "$full" qmapctl apply "$T/two"
	says "done    wwan0: attach"
	says "failed  wwan8: attach"
	equal "state" attached "$(qmapctl -j show wwan0 | jq -r '.[0].state')"
}

# --- a file requests a PDN that the network refuses ---

# refused_file: PDN 1 has an APN that the network does not know, PDN 2 is all right.
refused_file() {
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'apn = nosuch' 'ip = v4' \
		'[trunk wwan0 pdn 2]' 'apn = ims' 'ip = v4'
}

# The configuration stands all the same, and the other PDN is connected.
stands() {
	equal "state" "failed up" "$(field '| [.pdns[].families[].state] | join(" ")')"
	equal "configured" nosuch "$(field '.pdns[0].apn')"
	answers 10.64.2.1 -I wwan0.2
}

not_connected='PDN 1 (APN "nosuch") is not connected: the network refused with unknown_apn (3gpp reason 27)'

test_apply_tells_of_refused_pdns() {
	modem_start --apn internet=1,ims=2
	qmapd_start
	refused_file
	refused 2 "$not_connected" qmapctl apply "$T/f"
	says "hint: check the APN's spelling"
	says "failed  wwan0: attach"
	stands
	# the second time there is only the redial
	equal "plan" "planned wwan0 PDN 1: redial" "$(qmapctl apply -n "$T/f")"
	refused 2 "$not_connected" qmapctl apply "$T/f"
	says "failed  wwan0 PDN 1: redial"
	stands
	said=$(qmapctl -j apply "$T/f" 2>/dev/null) && fail "exit code 0"
	equal "as JSON" "redial_pdn 1 failed ECONNREFUSED 2" \
		"$(jq -r '.[] | "\(.step) \(.pdn) \(.state) \(.failure.errno) \(.failure.exit)"' <<<"$said")"
	sed -i s/nosuch/internet/ "$T/f"
	equal "steps" "done    wwan0 PDN 1: redial because of apn nosuch -> internet" "$(qmapctl apply "$T/f")"
	says_nothing_to_do qmapctl apply "$T/f"
	qmapctl detach wwan0
	nothing_left
}

# A refused PDN does not keep later steps from being taken.
test_apply_adds_beside_refused_pdns() {
	modem_start --apn internet=1,ims=2
	qmapd_start
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 3]' 'apn = internet' 'ip = v4'
	qmapctl -q apply "$T/f"
	refused_file
	refused 2 "$not_connected" qmapctl apply "$T/f"
	says "done    wwan0 PDN 3: remove"
	says "failed  wwan0 PDN 1: add"
	says "done    wwan0 PDN 2: add"
	stands
	qmapctl detach wwan0
	nothing_left
}

test_apply_without_the_pin() {
	modem_start --pin 1234
	qmapd_start
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'ip = v4'
	refused 2 "PDN 1 is not connected: the SIM wants its PIN, and none is configured" qmapctl apply "$T/f"
	refused 2 "the SIM wants its PIN" qmapctl apply "$T/f"
	sed -i '1a pin = 4321' "$T/f"
	refused 2 "the PIN is wrong" qmapctl apply "$T/f"
	says "done    wwan0: change because of pin"
	says "failed  wwan0 PDN 1: redial"
	refused 2 "the PIN is wrong" qmapctl apply "$T/f"
	equal "PINs tried" 1 "$(modem_stat .qmi.pins)"
	sed -i s/4321/1234/ "$T/f"
	qmapctl apply "$T/f"
	says_nothing_to_do qmapctl apply "$T/f"
	equal "calls dialled" 1 "$(modem_stat .qmi.starts)"
	qmapctl detach wwan0
	nothing_left
}

# A missing netdev is waited for.
test_apply_before_plug_in() {
	qmapd_start
	conf one '[trunk wwan0]' "control = $T/qmi"
	try qmapctl apply "$T/one"
	equal "exit code" 0 "$status"
	equal "state" "attaching absent" "$(field '| [.state, .modem.state] | join(" ")')"
	changes_nothing qmapctl apply "$T/one"
	modem_start
	wait_for 5 is_attached || fail "$(qmapctl show)"
	try qmapctl apply "$T/one"
	equal "exit code" 0 "$status"
	qmapctl detach wwan0
	nothing_left
}

test_apply_refuses_mistakes() {
	start
	attach --pdn 1,apn=internet >/dev/null
	conf bad '[trunk wwan0]' "control = $T/qmi" 'qmap = v5' '[trunk wwan0 pdn 1]' 'appn = x'
	changes_nothing refused 1 "$T/bad:5: a PDN has no setting \"appn\"" qmapctl apply "$T/bad"
	refused 4 "cannot open $T/nosuch" qmapctl apply "$T/nosuch"
	refused 1 "the name of a file is missing" qmapctl apply
	refused 1 "one file at a time" qmapctl apply a b
}

test_apply_a_directory() {
	start
	mkdir "$T/conf"
	conf conf/b.conf '[trunk wwan0]' "control = $T/qmi"
	conf conf/a.conf '[trunk wwan7]' 'control = none'
	conf conf/.c.conf '[nonsense]'
	conf conf/d.conf~ '[nonsense]'
	equal "plan" "planned wwan7: attach
planned wwan0: attach" "$(qmapctl apply -n "$T/conf")"
	conf conf/c.conf '[trunk wwan0 pdn 3]'
	refused 1 "$T/conf/c.conf: trunk wwan0 is there twice" qmapctl apply -n "$T/conf"
}

# --- qmapd's own files ---

test_reload() {
	modem_start
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'apn = internet'
	qmapd_start -c "$T/f"
	wait_for 5 trunk_is attached
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'apn = nonsense;' 'nonsense'
	changes_nothing kill -HUP "$qmapd_pid"
	wait_for 5 log_says "$T/f:5: neither a section nor key = value; nothing is changed"
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'apn = internet'
	changes_nothing kill -HUP "$qmapd_pid"
	wait_for 5 log_says "configuration read again"
	echo 'ip = v4' >>"$T/f"
	kill -HUP "$qmapd_pid"
	wait_for 5 families_are 1 || fail "$(qmapctl -j show)"
	answers 10.64.1.1 -I wwan0.1
	# a trunk that no file names any more stays
	: >"$T/f"
	changes_nothing kill -HUP "$qmapd_pid"
	qmapctl detach wwan0
	nothing_left
}

# The command behind systemctl reload: it reports whether the files could be read.
test_reload_tells_mistakes() {
	modem_start
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'ip = v4' 'apnn = internet'
	refused 2 "qmapd is not running" qmapctl reload
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'ip = v4'
	qmapd_start -c "$T/f"
	wait_for 5 trunk_is attached
	echo 'apnn = internet' >>"$T/f"
	changes_nothing refused 1 "$T/f:5: a PDN has no setting \"apnn\"" qmapctl reload
	equal "errno" EINVAL "$(qmapctl -j reload | jq -r .errno)"
	rm "$T/f"
	changes_nothing refused 4 "$T/f" qmapctl reload
	conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'ip = v6'
	equal "JSON" "[]" "$(qmapctl -j reload)"
	wait_for 5 family_is 6 || fail "$(qmapctl -j show)"
	equal "text" "" "$(qmapctl reload)"
	# only root may
	chmod 755 "$T"
	refused 5 "only root may reload" setpriv --reuid 65534 --clear-groups --regid 0 "$build/qmapctl" reload
	equal "of the unit" "ExecReload=@BINDIR@/qmapctl reload" "$(grep ^ExecReload "$top/system/qmapd.service")"
	qmapctl detach wwan0
	nothing_left
}

family_is() {
	[ "$(field '.pdns[0].families | map(.family | tostring) | join(" ")')" = "$1" ]
}

trunk_is() {
	[ "$(field .state)" = "$1" ]
}

families_are() {
	[ "$(field ' | .state + " " + (.pdns[0].families | length | tostring)')" = "attached $1" ]
}

# The current files count, not those of the last qmapd's time.
test_start_applies_what_has_changed() {
	modem_start
	mkdir "$T/conf"
	conf conf/wwan0.conf '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'apn = internet'
	qmapd_start -c "$T/conf"
	wait_for 5 families_are 2
	qmapd_kill TERM
	modem reset
	qmapd_start -c "$T/conf"
	wait_for 5 families_are 2
	equal "calls started again" 0 "$(modem_stat '.qmi.messages.wds.start // 0')"
	qmapd_kill TERM
	conf conf/wwan0.conf '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'apn = internet' 'ip = v6'
	qmapd_start -c "$T/conf"
	wait_for 5 families_are 1
	qmapctl detach wwan0
	nothing_left
}

# The trunk is detached while the PDN's old call is being ended.
test_detach_while_a_pdn_is_redialled() {
	local applying
	start
	one_pdn() {
		conf f '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' "apn = $1" 'ip = v4'
	}
	one_pdn internet
	qmapctl apply "$T/f" >/dev/null
	one_pdn ims
	modem delay wds stop ms=1000 >/dev/null
	qmapctl apply "$T/f" >"$T/said" 2>&1 &
	applying=$!
	call_comes_to 1 4 stopping
	qmapctl detach wwan0
	modem clear >/dev/null
	wait_for 5 has_ended $applying || fail "apply still waits"
	grep -q "wwan0 was detached meanwhile" "$T/said" || fail "$(cat "$T/said")"
	equal "the next one" "done    wwan0: attach" "$(qmapctl apply "$T/f")"
	qmapctl detach wwan0
	nothing_left
}

# The session is being ended, because data path and session are made anew: nothing is lost of a plan, which
# a reload would not repeat.
test_apply_while_the_session_ends() {
	local change
	start
	pdns() { # PDN,APN...
		local pdn lines=('[trunk wwan0]' "control = $T/qmi")
		for pdn; do
			lines+=("[trunk wwan0 pdn ${pdn%,*}]" 'ip = v4' "apn = ${pdn#*,}")
		done
		conf f "${lines[@]}"
	}
	pdns 1,a
	qmapctl apply "$T/f" >/dev/null
	for change in "add 1,a 2,a" "redial 1,a 2,b" "remove 2,b"; do
		# shellcheck disable=SC2086 # words
		pdns ${change#* }
		modem delay wds stop ms=1000 >/dev/null
		ip link del wwan0.sa
		wait_for 5 modem_is lost
		qmapctl apply "$T/f" >"$T/said" || fail "$change: $(cat "$T/said")"
		modem clear >/dev/null
		grep -q "^done .*: ${change%% *}" "$T/said" || fail "$(cat "$T/said")"
		comes_to attached || fail "$(qmapctl show)"
		equal "PDNs" "${change#* }" "$(field '.pdns | map("\(.number),\(.apn)") | join(" ")')"
		wait_for 5 pdn_is_up 2 10.64.2.1 || fail "$(qmapctl show)"
	done
	qmapctl detach wwan0
	nothing_left
}

has_ended() { # pid
	! kill -0 "$1" 2>/dev/null
}

# A qmapd that starts adopts trunks before it applies its files. A detach in between is newer than the
# files.
test_detach_while_a_file_waits() {
	local n
	modem_start
	printf '%s\n' '[trunk wwan0]' "control = $T/qmi" '[trunk wwan0 pdn 1]' 'ip = v4' >"$T/conf"
	qmapd_start -c "$T/conf"
	comes_to attached || fail "$(qmapctl show)"
	qmapd_kill KILL || :
	modem delay wds settings ms=4000 count=1 >/dev/null
	qmapd_start -c "$T/conf"
	equal "modem" opening "$(field .modem.state)"
	qmapctl detach wwan0
	for ((n = 0; n < 20; n++)); do
		equal "what is attached" '[]' "$(qmapctl -j show)"
	done
	nothing_left
	kill -HUP "$qmapd_pid" # requests the files again
	comes_to attached || fail "$(qmapctl show)"
	qmapctl detach wwan0
	nothing_left
}

comes_to() { # state
	state_is() { [ "$(field .state)" = "$1" ]; }
	wait_for 10 state_is "$1"
}

# --- counters ---

pdn2_drops() {
	modem generate pdn=2 count=10 >/dev/null
	[ "$(stat_of '.ports[1].rx_dropped')" -gt 0 ]
}

pdn2_is_settled() {
	[ "$(stat_of '.ports[1] | .rx_packets + .rx_dropped')" = "$(modem_stat '.pdn["2"].dl_packets')" ]
}

# `unknown` is about PDNs that the modem sends without a port here: the drops of a port are none of them.
test_drops_go_with_the_pdn() {
	start
	attach --pdn 1 --pdn 2 >/dev/null
	ip link set wwan0.2 down
	wait_for 5 pdn2_drops || fail "$(qmapctl stats)"
	wait_for 5 pdn2_is_settled || fail "$(qmapctl stats)"
	printf '[trunk wwan0]\ncontrol = %s\n[trunk wwan0 pdn 1]\n' "$T/qmi" >"$T/conf"
	qmapctl apply "$T/conf" >/dev/null
	equal "unknown mux ids" "[]" "$(stat_of '.unknown | tojson')"
}

run_tests "$@"
