#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/deps.sh build|demo|all|debug|packages: installs missing Debian packages, and asks the network
# only if any is missing. build: for the programs; demo: for make demo, too; all: for tests,
# measurements and lint, too; debug: for a debug kernel, too (make check-debug); packages: those of
# build, and for building and trying Debian packages (make deb, make check-packages).
set -eu

build=(
	build-essential pkg-config clang llvm bpftool libbpf-dev libmnl-dev libevent-dev libjson-c-dev
	libinih-dev libsmartcols-dev libncurses-dev libelf-dev python3-docutils
)
demo=(ethtool iproute2 iputils-ping iperf3 jq procps util-linux)
tests=(
	libcmocka-dev libclang-rt-14-dev qemu-system-x86 busybox-static cpio kmod xz-utils zstd
	libqmi-utils libqmi-proxy python3 python3-prometheus-client python3-pyte strace dkms clang-format shellcheck cppcheck sparse
	dnsmasq-base nftables radvd tayga fish zsh libusbredirparser-dev duktape
)
debug=(flex bison bc libssl-dev dwarves nftables)
packaging=(debhelper dh-dkms dpkg-dev libcrypt-dev libcmocka-dev lintian debootstrap)
case ${1:-all} in
build) packages=("${build[@]}") ;;
demo) packages=("${build[@]}" "${demo[@]}") ;;
all) packages=("${build[@]}" "${demo[@]}" "${tests[@]}") ;;
debug) packages=("${build[@]}" "${demo[@]}" "${tests[@]}" "${debug[@]}") ;;
packages) packages=("${build[@]}" "${packaging[@]}") ;;
*)
	echo "usage: $0 build|demo|all|debug|packages" >&2
	exit 1
	;;
esac

missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "Missing packages: ${missing[*]}" >&2
	echo "Install them as root: $0 ${1:-all}" >&2
	exit 1
fi
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
