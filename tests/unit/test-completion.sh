#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completions offered by qmapctl, and their effect in a bash in a terminal.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/unit/lib.sh
. tests/unit/lib.sh

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export QMAPCTL=$PWD/build/qmapctl RUNTIME_DIRECTORY=$T

offered() { # word...
	"$QMAPCTL" complete -- "$@" | xargs
}

offers() { # expected word...
	local seen
	seen=$(offered "${@:2}")
	[ "$seen" = "$1" ] || { echo "\"${*:2}\": expected $1, got $seen"; return 1; }
}

commands() {
	"$QMAPCTL" help | sed -nE '/^Commands/,/^$/s/^  ([a-z]+) .*/\1/p'
}

test_commands() {
	offers "$(commands | xargs)" "" &&
		offers "detach decode" de &&
		offers "detach decode" help de &&
		offers "" nonsense "" &&
		offers "" nonsense --
}

# Each option that --help lists, and no other; long options that take something end in =.
test_options_are_those_of_help() {
	local c expected
	for c in $(commands); do
		expected=$("$QMAPCTL" help "$c" | sed -nE 's/^  (-.,|   ) (--[a-z-]+)/\2/p' |
			sed -E 's/  .*//; s/ .*/=/' | sort | xargs)
		[ -n "$expected" ] || return 1
		[ "$("$QMAPCTL" complete -- "$c" -- | sort | xargs)" = "$expected" ] ||
			{ echo "$c: expected $expected"; "$QMAPCTL" complete -- "$c" -- | sort | xargs; return 1; }
	done
}

# An offered value is accepted: for any other value the error would differ.
test_values_are_accepted() {
	local option value said n=0
	for option in $("$QMAPCTL" complete -- attach --); do
		for value in $("$QMAPCTL" complete -- attach "$option"); do
			[[ $value == *=?* ]] || continue
			said=$("$QMAPCTL" attach wwan0 "$value" --socket "$T/none" 2>&1)
			[[ $said == *"not running"* ]] || { echo "$value: $said"; return 1; }
			n=$((n + 1))
		done
	done
	[ "$n" -ge 10 ]
}

test_values() {
	offers "--qmap=v1 --qmap=v4 --qmap=v5" attach --qmap=v &&
		offers "v1 v4 v5" attach wwan0 --qmap v &&
		offers "v1 v4 v5" decode qmap --qmap "" &&
		offers ":files" attach wwan0 --control= &&
		offers ":files" apply "" &&
		offers ":files" --socket "" &&
		offers "" attach --timeout "" &&
		offers "qmi qmap" decode "" &&
		offers "" decode qmi ""
}

test_pdn() {
	offers "" attach wwan0 --pdn "" &&
		offers "1,apn= 1,auth= 1,addresses=" attach wwan0 --pdn 1,a &&
		offers "1,apn=a,ip=v4 1,apn=a,ip=v6 1,apn=a,ip=v4v6" attach wwan0 --pdn 1,apn=a,ip= &&
		offers "1,clat=auto 1,clat=off" attach --pdn 1,clat= &&
		offers "--recover=off" attach --recover= &&
		offers "--pdn=1,slaac=yes" attach --pdn=1,slaac=y
}

test_global_options_before_the_command() {
	offers "show" -j --socket attach sh
}

test_json() {
	[ "$("$QMAPCTL" -j complete -- mon)" = '[{"word":"monitor"}]' ] &&
		[ "$("$QMAPCTL" -j complete -- nonsense x)" = '[]' ] &&
		! "$QMAPCTL" complete 2>/dev/null
}

# keys EXPECTED TYPED [SHELL]: the line of a bash, or a zsh, after TYPED.
keys() {
	python3 - "$@" <<-'EOF'
		import os, pty, select, sys, time
		pid, fd = pty.fork()
		if not pid:
		    os.environ.update(PS1='', PS2='', TERM='dumb', INPUTRC='/dev/null',
		                      PATH=os.path.dirname(os.environ['QMAPCTL']) + ':' + os.environ['PATH'])
		    if sys.argv[3:] == ['zsh']:
		        os.execvp('zsh', ['zsh', '-f', '-i'])
		    os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])
		seen = b''
		def until(text, limit=60):
		    global seen
		    end = time.monotonic() + limit
		    while text not in seen:
		        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
		            sys.exit('expected %r, the line is %r' % (text, seen))
		        seen += os.read(fd, 4096)
		os.write(fd, b"PS1= fpath=($PWD/system $fpath); autoload -Uz compinit; compinit -u -D; echo 're'ady\n"
		         if sys.argv[3:] else b". system/qmapctl.bash; echo 're'ady\n")
		until(b'ready')
		seen = b''
		os.write(fd, sys.argv[2].encode().decode('unicode_escape').encode())
		until(sys.argv[1].encode())
		os.write(fd, b'\x03\nexit\n')
	EOF
}

test_in_a_terminal() {
	keys 'qmapctl attach ' 'qmapctl att\t' &&
		keys 'qmapctl attach --qmap=auto ' 'qmapctl attach --qma\tau\t' &&
		keys 'qmapctl attach wwan0 --pdn 1,apn=' 'qmapctl attach wwan0 --pdn 1,ap\t' &&
		keys 'qmapctl apply system/90-qmap.rules ' 'qmapctl apply system/90\t'
}

# zsh draws only the end of the word anew.
test_in_zsh() {
	keys 'qmapctl attach ' 'qmapctl att\t' zsh &&
		keys 'p=auto ' 'qmapctl attach --qma\tau\t' zsh &&
		keys 'n=x' 'qmapctl attach wwan0 --pdn 1,ap\tx' zsh &&
		keys '-qmap.rules ' 'qmapctl apply system/90\t' zsh
}

fish_offers() { # EXPECTED LINE
	local seen
	seen=$(PATH=$PWD/build:$PATH HOME=$T fish --no-config -c \
		"source system/qmapctl.fish; complete -C '$2'" | cut -f1 | xargs)
	[ "$seen" = "$1" ] || { echo "\"$2\": expected $1, got $seen"; return 1; }
}

test_in_fish() {
	fish_offers "attach" "qmapctl att" &&
		fish_offers "decode detach" "qmapctl de" &&
		fish_offers "--qmap=v1 --qmap=v4 --qmap=v5" "qmapctl decode qmap --qmap=v" &&
		fish_offers "1,apn=a,ip=v4 1,apn=a,ip=v4v6 1,apn=a,ip=v6" "qmapctl attach wwan0 --pdn 1,apn=a,ip=" &&
		fish_offers "system/90-qmap.rules" "qmapctl apply system/90"
}

test_colours_are_the_users() {
	local help
	offers "--color=auto --color=always --color=never" --color= || return 1
	help=$("$QMAPCTL" -c sometimes show 2>&1) && return 1
	[[ $help == *'bad --color "sometimes": allowed: auto, always, never'* ]] || { echo "$help"; return 1; }
	[[ $("$QMAPCTL" -c=always probe --socket "$T/none") == *$'\e['* ]] &&
		[[ $(NO_COLOR=1 "$QMAPCTL" --color always probe) == *$'\e['* ]] &&
		[[ $("$QMAPCTL" -c never probe) != *$'\e['* ]] &&
		[[ $("$QMAPCTL" probe) != *$'\e['* ]]
}

run_tests
