#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that are missing, and only then asks the network.
set -eu

packages=(
	build-essential pkg-config clang llvm libclang-rt-14-dev clang-format shellcheck cppcheck
	bpftool libbpf-dev libmnl-dev libevent-dev libjson-c-dev libinih-dev libsmartcols-dev
	libcmocka-dev libelf-dev qemu-system-x86 busybox-static cpio kmod xz-utils zstd sparse
	libqmi-utils libqmi-proxy ethtool iproute2 iputils-ping iperf3 jq procps util-linux python3 python3-docutils
)

missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "Missing packages: ${missing[*]}" >&2
	echo "Install them as root: make deps" >&2
	exit 1
fi
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
