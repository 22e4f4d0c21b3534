#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs each qmapctl line in backquotes of doc/migration.md and README.md on the software modem, with the
# modem's socket for --control if it names a device or none, and expects the effect that the text
# states.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# Prints every qmapctl line in backquotes, without pipes and duplicates.
# shellcheck disable=SC2016 # backquotes of a text
lines() {
	grep -ohE '`qmapctl [^`]*`' "$top/doc/migration.md" "$top/README.md" | tr -d '`' | sort -u
}

# attach_line WORD...: attaches as in the line, checks, and detaches.
attach_line() {
	local words=() word
	while [ $# -gt 0 ]; do
		word=$1
		shift
		case $word in
		wwan1) word=wwan0 ;;
		--control)
			[ "$1" = none ] && words+=(--control none)
			shift
			continue
			;;
		esac
		words+=("$word")
	done
	[[ " ${words[*]} " == *" none "* ]] || words+=(--control "$T/qmi")
	qmapctl -q "${words[@]}" || fail "qmapctl ${words[*]}"
	at_least "PDNs" "$(grep -o -- --pdn <<<"${words[*]}" | grep -c . || :)" "$(field '.pdns | length')"
	qmapctl detach wwan0
	nothing_left
}

run_line() { # words of a line
	shift # qmapctl
	echo "qmapctl $*"
	case "$*" in
	"attach "*rmnet*)
		try qmapctl "$@"
		[ "$status" = 3 ] || [ "$status" = 0 ] || fail "exit $status: qmapctl $*"
		;;
	"attach "*"--qmap off"*)
		refused 2 "sends QMAP whatever it is told" qmapctl "$@" --control "$T/qmi"
		;;
	"attach "*) attach_line "$@" ;;
	"apply FILE" | "apply --dry-run FILE")
		printf '[trunk wwan0]\ncontrol = %s\n' "$T/qmi" >"$T/FILE"
		qmapctl "${@/FILE/$T/FILE}"
		try qmapctl detach wwan0 # a dry run has attached nothing
		nothing_left
		;;
	"decode qmi HEX") qmapctl decode qmi 011f008001490202002000130002040001000e00100200ed0311040006001a00 ;;
	"decode qmap FILE" | "decode qmap HEX|FILE") qmapctl decode qmap 41810020048000004500001f000040004011244c0a4001010a40010200359c40000b887d61626300 ;;
	"detach wwan0" | "show wwan0" | "stats wwan0" | "-j show wwan0")
		refused 4 "not attached" qmapctl "$@"
		;;
	# these do not end by themselves; tests/net/test-lifecycle.sh and test-top.sh run them
	monitor | "monitor "* | top) ;;
	*) qmapctl "$@" ;;
	esac
}

test_lines() {
	local line n=0
	modem_start
	qmapd_start
	ip netns add guest
	while IFS= read -r line; do
		# shellcheck disable=SC2086 # a line is words
		run_line $line </dev/null
		n=$((n + 1))
	done < <(lines)
	at_least "lines" 30 $n
}

# README's attach with two PDNs, and what it prints of it.
test_result_of_readme() {
	local words
	modem_start
	qmapd_start
	words=$(sed -n 's/^    sudo qmapctl attach wwan0 \(--pdn 1.*--pdn 2.*\)/\1/p' "$top/README.md")
	# shellcheck disable=SC2086 # a line is words
	attach $words >/dev/null
	equal "show" "$(sed -n '/^PORT .*MUX/,/^```/p' "$top/README.md" | grep -v '^```')" \
		"$(qmapctl show | sed -n '/^PORT/,/^wwan0\.2 /p')"
	detach
}

run_tests "$@"
