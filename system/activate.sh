#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# system/activate.sh install|uninstall: tells the machine that files of ours have come, or are to go.
# Modems that are attached stay so: qmapd leaves them to the next one.

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
	! runs systemd/system || systemctl disable --now qmapd.service
	;;
esac
