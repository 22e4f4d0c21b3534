#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration as a file: what was asked for is dumped.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

start() {
	modem_start
	qmapd_start
}

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

test_dump_without_daemon() {
	start
	attach_with_secrets
	qmapd_kill KILL || :
	equal "dump" "$(dump_of_both "keep-secrets = yes" "")" "$(qmapctl dump)"
	equal "with secrets" "$(dump_of_both "" 'password = "a \"b,c"')" "$(qmapctl dump --secrets wwan0)"
}

# It holds what nobody else needs to know.
test_dump_is_for_root() {
	start
	attach_with_secrets
	refused 5 "only root may dump" setpriv --reuid 65534 --regid "$(stat -c %g /run/qmapd/control)" --clear-groups \
		"$build/qmapctl" dump
}

run_tests "$@"
