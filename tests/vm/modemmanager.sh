#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ModemManager for the guests: Debian's packages, unpacked under build/vm/modemmanager, never installed,
# because it would take over a modem of this machine. Sourced by usb.sh.

MM_PACKAGES=(modemmanager libmm-glib0 libmbim-glib4 libgudev-1.0-0 dbus-daemon libapparmor1
	polkitd libpolkit-agent-1-0 libpolkit-gobject-1-0 libduktape207 udev)
# 1.20 aborts in the plugin for Quectel if the modem has no AT port, as this one.
MM_PLUGINS=(generic)

# Prints the reason on failure.
fetch_modemmanager() {
	local dir=$VM_BUILD/modemmanager pkg
	[ -e "$dir/complete.udev" ] && return 0
	update_suite bookworm || return 1
	rm -rf "$dir"
	mkdir -p "$dir/deb" "$dir/root"
	(cd "$dir/deb" && apt_suite bookworm apt-get -qq download "${MM_PACKAGES[@]}" >log 2>&1) ||
		{ echo "download failed: $(tail -n1 "$dir/deb/log")"; return 1; }
	for pkg in "$dir"/deb/*.deb; do
		dpkg -x "$pkg" "$dir/root" || return 1
	done
	rm -rf "$dir/deb"
	touch "$dir/complete.udev"
}

# Copies programs of these packages, the two plugins needed, and the libraries of all of them.
copy_modemmanager() { # TREE
	local tree=$1 root=$VM_BUILD/modemmanager/root libs=usr/lib/x86_64-linux-gnu file plugin lib
	local files=(usr/sbin/ModemManager usr/bin/mmcli usr/bin/dbus-daemon usr/lib/polkit-1/polkitd bin/udevadm
		usr/share/polkit-1/actions/org.freedesktop.ModemManager1.policy)
	for plugin in "${MM_PLUGINS[@]}"; do
		files+=("$libs/ModemManager/libmm-plugin-$plugin.so")
	done
	for file in "${files[@]}"; do
		install -D -m755 "$root/$file" "$tree/$file"
		LD_LIBRARY_PATH=$root/$libs ldd "$root/$file" 2>/dev/null | grep -oE '/[^ ]+' |
			while read -r lib; do
				lib=${lib#"$root"}
				[ -e "$tree$lib" ] || install -D -m755 "$(realpath "$([ -e "$root$lib" ] &&
					echo "$root$lib" || echo "$lib")")" "$tree$lib"
			done
	done
	# ModemManager's rules alone: those of udev would rename netdevs
	mkdir -p "$tree"/lib/{systemd,udev/rules.d}
	cp "$root"/lib/udev/rules.d/{77-mm,80-mm-candidate}*.rules "$tree/lib/udev/rules.d/"
	ln -sf /bin/udevadm "$tree/lib/systemd/systemd-udevd"
	mkdir -p "$tree/usr/share/polkit-1/rules.d" "$tree/etc/polkit-1/rules.d"
	printf '%s\n' 'root:x:0:0::/:/bin/sh' 'polkitd:x:996:996::/:/bin/false' >"$tree/etc/passwd"
	printf '%s\n' root:x:0: polkitd:x:996: >"$tree/etc/group"
}
