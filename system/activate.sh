#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# system/activate.sh install|uninstall: makes the system notice installed files, or files about to be
# removed. Modems stay attached: qmapd leaves them to the next one.

set -eu

runs() { # service manager or udev, by its directory in /run
	[ -d "/run/$1" ]
}

case $1 in
install)
	! command -v systemd-sysusers >/dev/null || systemd-sysusers qmap.conf
	! runs systemd/system || systemctl daemon-reload
	! runs udev || udevadm control --reload
	;;
uninstall)
	! runs systemd/system || systemctl disable --now qmapd.service qmap-metrics.timer qmap-metrics.socket
	;;
esac
