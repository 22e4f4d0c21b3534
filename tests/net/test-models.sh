#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# [model VID:PID] sections: the software modem is identified by its name, as one without a device.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

write_config() { # LINE...: of the model
	{
		printf '[model 2c7c:0800]\n'
		printf '%s\n' "$@"
		printf '[trunk wwan0]\ncontrol = %s\n' "$T/qmi"
	} >"$T/qmapd.conf"
}

test_models() {
	modem_start
	write_config "dl-max-bytes = 8192" "qmap = v1"
	qmapd_start -c "$T/qmapd.conf"
	wait_for 10 is_attached || fail "$(qmapctl show)"
	equal "as asked for" "v1 8192" "$(field '| "\(.qmap) \(.dl_max_bytes)"')"
	equal "as the modem has it" "v1 8192" "$(modem stats | jq -r '.format | "\(.dl) \(.dl_max_size)"')"
	qmapctl detach wwan0
	# another model has the name now, so that nothing is known of this modem
	write_config "name = XY500" "forced = no"
	kill -HUP "$qmapd_pid"
	wait_for 10 is_attached || fail "$(qmapctl show)"
	equal "as any modem" "v5 15360" "$(field '| "\(.qmap) \(.dl_max_bytes)"')"
	qmapctl detach wwan0
}

test_models_of_apply() {
	modem_start
	qmapd_start
	write_config "forced = no"
	refused 2 "sends QMAP whatever it is told" qmapctl attach wwan0 --control "$T/qmi" --qmap off
	qmapctl apply --dry-run "$T/qmapd.conf" >/dev/null
	refused 2 "sends QMAP whatever it is told" qmapctl attach wwan0 --control "$T/qmi" --qmap off
	write_config "dl-max-bytes = 4096"
	qmapctl apply "$T/qmapd.conf"
	wait_for 10 is_attached || fail "$(qmapctl show)"
	equal "as asked for" 4096 "$(field .dl_max_bytes)"
	qmapctl detach wwan0
	nothing_left
}

# The files of a reload wait while those of the start are still being applied.
test_models_of_a_reload_that_waits() {
	modem_start
	write_config "dl-max-bytes = 8192"
	modem delay dms model ms=2000 count=1 >/dev/null
	qmapd_start -c "$T/qmapd.conf"
	equal "modem" opening "$(field .modem.state)"
	qmapctl reload
	wait_for 10 is_attached || fail "$(qmapctl show)"
	qmapctl reload
	qmapctl detach wwan0
	qmapd_kill TERM || fail "qmapd ended with status $?"
	nothing_left
}

test_mistakes() {
	write_config "interfac = 3"
	refused 1 'qmapd.conf:2: a model has no setting "interfac"' qmapctl apply "$T/qmapd.conf"
	says 'did you mean "interface"?'
}

run_tests "$@"
