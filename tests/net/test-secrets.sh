#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How often the memory of qmapd holds a password or a PIN: once while it is configured, never after.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

password=Zq7Lw9Xv3T
next_password=Kp4Ns8Bm2R
pin=91827364

# copies TEXT: in the memory of qmapd.
copies() {
	"$build/memory-tool" "$qmapd_pid" "$1"
}

# copies_are N OF_WHAT TEXT
copies_are() {
	wait_for 2 test "$(copies "$3")" = "$1" || equal "copies of the $2" "$1" "$(copies "$3")"
}

# The tool finds a text that is there.
test_texts_are_found() {
	modem_start
	qmapd_start
	at_least "copies of qmapd's own path" 1 "$(copies /run/qmapd/control)"
	copies_are 0 "password before it is given" $password
}

attach_with_secrets() {
	attach --pin $pin --pdn "1,apn=internet,user=me,password=$password,auth=chap" --pdn 2 >"$T/said"
}

test_secrets_of_an_attach() {
	modem_start --pin $pin
	qmapd_start
	attach_with_secrets
	copies_are 1 password $password
	copies_are 1 PIN $pin
	qmapctl show >/dev/null
	qmapctl dump --secrets | grep -q $password || fail "no password in the dump"
	copies_are 1 "password after a dump" $password
	qmapctl detach wwan0
	copies_are 0 "password after the detach" $password
	copies_are 0 "PIN after the detach" $pin
}

# The state in the pins is read, and parsed.
test_secrets_of_an_adoption() {
	modem_start --pin $pin
	qmapd_start
	attach_with_secrets
	qmapd_kill KILL || :
	qmapd_start
	copies_are 1 "password after the adoption" $password
	modem reboot ms=100 >/dev/null
	call_comes_to 1 4 up
	copies_are 1 "password after another start of the call" $password
	qmapctl detach wwan0
	copies_are 0 "password after the detach" $password
	copies_are 0 "PIN after the detach" $pin
}

conf() { # password
	install -m 600 /dev/stdin "$T/conf" <<-END
		[trunk wwan0]
		control = $T/qmi
		pin = $pin
		[trunk wwan0 pdn 1]
		apn = internet
		user = me
		password = "$1"
	END
}

# qmapd reads the file itself, when it starts and when it is asked to.
test_secrets_of_files() {
	modem_start --pin $pin
	conf $password
	qmapd_start --config "$T/conf"
	call_comes_to 1 4 up
	copies_are 1 password $password
	conf $next_password
	qmapctl reload
	copies_are 0 "password that is replaced" $password
	copies_are 1 "password that replaces it" $next_password
	qmapctl detach wwan0
	copies_are 0 "password after the detach" $next_password
	copies_are 0 "PIN after the detach" $pin
}

# qmapctl reads the file and sends its contents.
test_secrets_of_an_apply() {
	modem_start --pin $pin
	qmapd_start
	conf $password
	qmapctl apply "$T/conf" >/dev/null
	copies_are 1 password $password
	conf $next_password
	qmapctl apply "$T/conf" >/dev/null
	copies_are 0 "password that is replaced" $password
	copies_are 1 "password that replaces it" $next_password
}

# Nothing is kept of a request that is refused, cut short or no JSON, nor of an attach that the network
# refuses.
test_secrets_of_refused_requests() {
	modem_start
	qmapd_start
	asked '{"command":"attach","config":{"dev":"wwan0","pdns":[{"number":1,"password":"'$password'","ip":"v5"}]}}
' | grep -q error
	asked '{"command":"attach","password":"'$password'"'
	asked "password $password"$'\n' | grep -q "is not a JSON object"
	copies_are 0 "password of refused requests" $password
	modem refuse pdn=1 type=6 verbose=29 >/dev/null
	refused 2 "authentication_failed" attach --pdn "1,apn=internet,ip=v4,user=me,password=$password"
	copies_are 0 "password that the network has refused" $password
}

run_tests "$@"
