#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `qmapctl top` in a pseudo terminal whose screen pyte keeps.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# screen PROGRAM: runs Python with a terminal of 100 x 24 in which `qmapctl top` runs. Its functions:
# line(TEXT), the first line with TEXT; until(CONDITION); keys(TEXT); resize(LINES, COLUMNS); ended().
screen() { # program
	cat >"$T/screen.py" <<-'EOF'
		import fcntl, os, pty, select, signal, struct, sys, termios, time
		import pyte
		pid, fd = pty.fork()
		if not pid:
		    os.environ['TERM'] = 'linux'
		    if 'NO_WINCH' in os.environ:
		        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])
		    os.execv(sys.argv[1], [sys.argv[1], 'top'] + sys.argv[2:])
		shown = pyte.Screen(80, 24)
		stream = pyte.ByteStream(shown)
		patience = time.monotonic() + 10 * float(os.environ.get('PATIENCE', 12))
		def resize(lines, columns):
		    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))
		    shown.resize(lines, columns)
		def read():
		    if time.monotonic() > patience:
		        sys.exit('too late; the screen is\n' + '\n'.join(shown.display))
		    if select.select([fd], [], [], 0.1)[0]:
		        try:
		            stream.feed(os.read(fd, 65536))
		        except OSError:
		            return False
		    return True
		def line(text):
		    return next((l.rstrip() for l in shown.display if text in l), '')
		def until(condition):
		    while not condition():
		        if not read():
		            sys.exit('it has ended; the screen is\n' + '\n'.join(shown.display))
		def keys(text):
		    os.write(fd, text.encode())
		def ended():
		    while read():
		        pass
		    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
		resize(24, 100)
	EOF
	cat >>"$T/screen.py"
	/usr/bin/python3 "$T/screen.py" "$build/qmapctl" "$@"
}

start() {
	modem_start
	qmapd_start
	attach --pdn 1,apn=internet --pdn 2,apn=ims,ip=v4 >/dev/null
}

test_snapshot() {
	start
	screen <<-'EOF'
		want = [
		    'wwan0: data path xdp, QMAP v5, aggregates up to 15360 bytes, RG500Q-EA RG500QEAAAR11A06M4G, control',
		    'wwan0: registered with qmap test, lte, RSRP -90 dBm, RSRQ -9 dB, SNR 18 dB',
		    '  0 aggregates/s, 0.0 frames each, 0 bytes (0 % of 15360), 0 drops/s',
		    '  PORT            STATE        RX-BIT/S RX-PKT/S TX-BIT/S TX-PKT/S DROPS/S',
		    '  wwan0.1         up                  0        0        0        0       0',
		    '  wwan0.2         up                  0        0        0        0       0',
		]
		def seen(text):
		    return any(l.startswith(text) for l in shown.display)
		until(lambda: all(map(seen, want))) # one read may bring half a screen
		first = shown.display[0].rstrip()
		assert first.startswith('qmapctl top') and first.endswith('q: quit'), first
		keys('q')
		assert ended() == 0
	EOF
}

test_rates() {
	start
	ping -q -i 0.05 -I wwan0.1 10.64.1.1 >/dev/null &
	screen <<-'EOF'
		# 20 packets of 84 bytes a second, more or less; none on the other port
		def rates(port):
		    words = line(port).split()
		    return [float(w) if w[-1].isdigit() else float(w[:-1]) * 1000 for w in words[2:7]]
		# The kernel's own multicast reports are over after a while, and a screen may be half drawn.
		def right():
		    if len(line('wwan0.1').split()) < 7 or len(line('wwan0.2').split()) < 7:
		        return False
		    bits, packets, tx_bits, tx_packets, drops = rates('wwan0.1')
		    return (packets >= 5 and 0.5 * 84 * 8 * packets < bits < 2 * 84 * 8 * packets and
		            tx_packets > 0 and drops == 0 and rates('wwan0.2') == [0] * 5 and
		            '0 aggregates' not in line('aggregates/s'))
		until(right)
		keys('q')
		assert ended() == 0
	EOF
}

test_resize() {
	start
	screen <<-'EOF'
		until(lambda: line('wwan0.2'))
		for lines, columns in (10, 40), (3, 12), (1, 1), (50, 200):
		    resize(lines, columns)
		    os.kill(pid, signal.SIGWINCH)
		    for _ in range(5):
		        assert read()
		until(lambda: 'attached' in line('wwan0: data path') and line('wwan0.2'))
		keys('q')
		assert ended() == 0
	EOF
}

# A signal that comes before curses handles it is lost.
test_resize_without_signal() {
	start
	NO_WINCH=1 screen wwan0 --interval 1 <<-'EOF'
		until(lambda: line('wwan0.2'))
		resize(24, 200)
		until(lambda: 'attached' in line('wwan0: data path'))
		keys('q')
		assert ended() == 0
	EOF
}

test_interrupt() {
	start
	screen <<-'EOF'
		until(lambda: line('wwan0.1'))
		keys('\x03')
		assert ended() == 0
	EOF
}

# Rates are those of the time since the last numbers, not since the last attempt to get some.
test_rates_after_an_outage() {
	start
	chmod 666 /run/qmapd/control
	ping -q -i 0.05 -I wwan0.1 10.64.1.1 >/dev/null &
	# another user than root cannot read the pins instead
	printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups %s "$@"\n' "$build/qmapctl" >"$T/qmapctl"
	chmod 755 "$T" "$T/qmapctl"
	build=$T screen wwan0 <<-EOF &
		def packets():
		    words = line('wwan0.1').split()
		    return float(words[3]) if len(words) == 7 else 0
		until(lambda: packets() > 5)
		open('$T/shown', 'w').close()
		until(lambda: line('qmapd is not running'))
		open('$T/seen', 'w').close()
		until(lambda: not line('qmapd is not running'))
		for _ in range(10): # one read may bring half a screen
		    assert read() and packets() < 60, line('wwan0.1')
		keys('q')
		assert ended() == 0
	EOF
	local top=$!
	wait_for 10 test -e "$T/shown" || fail "nothing is shown"
	qmapd_kill
	wait_for 10 test -e "$T/seen" || fail "the outage is not shown"
	sleep 4
	qmapd_start
	chmod 666 /run/qmapd/control
	wait "$top" || fail "the screen is wrong"
}

# Without qmapd it shows the state that qmapd has left, as `show` does, and goes on with the next one.
test_qmapd_restarts() {
	start
	screen wwan0 --interval 1 <<-EOF &
		resize(24, 200)
		until(lambda: line('wwan0.1'))
		open('$T/shown', 'w').close()
		until(lambda: 'it is not running' in line('wwan0: data path'))
		open('$T/seen', 'w').close()
		until(lambda: 'it is not running' not in line('wwan0: data path') and line('wwan0.1'))
		keys('q')
		assert ended() == 0
	EOF
	local top=$!
	wait_for 10 test -e "$T/shown"
	qmapd_kill KILL || :
	wait_for 10 test -e "$T/seen"
	qmapd_start
	wait "$top"
}

test_no_terminal() {
	qmapd_start
	refused 1 "top needs a terminal" qmapctl top
	refused 1 "top needs a terminal" qmapctl -j top
	refused 1 "a number from 1 to 60" qmapctl top --interval 0
}

run_tests "$@"
