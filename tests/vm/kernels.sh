#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernels for the guests: Debian's packages, unpacked under build/vm/<version>/root, never installed;
# and one built for debugging, "kasan". Sourced by run.sh and by bench/vm.sh.
#
# For other machines than this one (ARCH, see machine.sh) under build/<ARCH>/vm.
#
#   fetch_kernel 6.1        image, headers and kbuild; sets nothing, prints the reason on failure
#   fetch_kernel 6.1-rt     the same for the kernel with PREEMPT_RT, if Debian has one
#   kernel_release 6.1      the full release (`uname -r` in the guest)

# shellcheck source=tests/vm/machine.sh
. tests/vm/machine.sh

VM_BUILD=$(realpath -m "${VM_BUILD:-$GUEST_BUILD/vm}")
# shellcheck source=tests/vm/debug/kernel.sh
. tests/vm/debug/kernel.sh

# Debian suite that has a kernel version; the machine's own suite for its own versions.
suite_of() {
	case ${1%-rt} in
	6.1 | kasan) echo bookworm ;;
	6.12) echo bookworm-backports ;;
	7.* | newest) echo trixie-backports ;;
	*) return 1 ;;
	esac
}

# The repository that this machine installs from, so that no host is named here.
own_repository() {
	# shellcheck disable=SC2016 # $(...) is for apt to expand
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		awk '$2 == "bookworm" { print $1; exit }'
}

# apt with a private sources list for one suite, so that the machine's own stays as it is, and with the
# guests' architecture as its own.
apt_suite() {
	local suite=$1 dir
	shift
	dir=$VM_BUILD/apt/$suite
	"$@" -o APT::Architecture="$ARCH" -o APT::Architectures::="$ARCH" -o APT::Architectures::=amd64 \
		-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir/cache" \
		-o APT::Get::List-Cleanup=0 -o APT::Sandbox::User=root
}

update_suite() {
	local suite=$1 dir uri
	dir=$VM_BUILD/apt/$suite
	uri=$(own_repository)
	[ -n "$uri" ] || { echo "no Debian bookworm among this machine's apt sources"; return 1; }
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	{
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main"
		# For other machines the last point release is sufficient and complete.
		[ "$suite" != bookworm ] || [ -n "$SYSROOT" ] ||
			echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
				"${uri%/debian/}/debian-security/ bookworm-security main"
	} >"$dir/sources.list"
	apt_suite "$suite" apt-get -qq update >"$dir/log" 2>&1 ||
		{ echo "apt has no suite $suite: $(tail -n1 "$dir/log")"; return 1; }
}

# The flavour of Debian's packages, as in `uname -r`.
flavour_of() {
	case $1 in
	*-rt) echo "rt-$FLAVOUR" ;;
	*) echo "$FLAVOUR" ;;
	esac
}

# Newest release of a version ("newest": of any) that the suite has an image package of. Prints the
# release and the name of that package. A name with another "-" before the flavour is of another one.
newest_release() {
	local version=${1%-rt} suite=$2 pattern flavour
	flavour=$(flavour_of "$1")
	pattern="${version//./\\.}[.+]"
	[ "$version" != newest ] || pattern="[0-9]"
	apt_suite "$suite" apt-cache --names-only search \
		"^linux-image-$pattern.*-$flavour(-unsigned)?\$" |
		sed -nE "s/^(linux-image-([0-9][^ -]*(-[0-9]+)?-$flavour)(-unsigned)?) .*/\2 \1/p" |
		sort -V | tail -n1
}

# Header makefiles name each other by absolute path under /usr/src.
relocate_headers() {
	local root=$1 file
	for file in "$root"/usr/src/linux-headers-*/Makefile; do
		[ -f "$file" ] && sed -i -E "s#(^|[ =])/usr/(src|lib)/#\1$root/usr/\2/#g" "$file"
	done
}

# Kernel build tools of a later suite need its C library: copies it and starts them by its loader.
wrap_tools() {
	local dir=$1 libs=$1/libs/usr/lib/x86_64-linux-gnu tool pkg tools
	tools=$(find "$dir/root/usr/lib" -path '*kbuild*' -type f -perm -u+x -exec sh -c \
		'ldd "$1" 2>&1 | grep -q "GLIBC.* not found" && echo "$1"' _ {} \;)
	[ -n "$tools" ] || return 0
	update_suite trixie || return 1
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && apt_suite trixie apt-get -qq download {libc6,libelf1t64,zlib1g,libzstd1}:amd64 \
		>log 2>&1) || { echo "download failed: $(tail -n1 "$dir/deb/log")"; return 1; }
	for pkg in "$dir"/deb/*.deb; do
		dpkg -x "$pkg" "$dir/deb/root" || return 1
	done
	mkdir -p "$libs"
	cp -a "$dir"/deb/root/usr/lib/x86_64-linux-gnu/*.so* "$libs/"
	rm -rf "$dir/deb"
	for tool in $tools; do
		mv "$tool" "$tool.bin"
		printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s %s "$@"\n' \
			"$libs" "$libs" "$tool.bin" >"$tool"
		chmod +x "$tool"
	done
}

unpack_kernel() {
	local suite=$1 release=$2 image=$3 dir=$4 common pkg parts
	common=linux-headers-${release%-"$FLAVOUR"}-common
	[[ $release != *-rt-* ]] || common=${common/-rt-common/-common-rt}
	mkdir -p "$dir/deb" "$dir/root"
	# Later suites have the image and the modules in packages of their own.
	mapfile -t parts < <(apt_suite "$suite" apt-cache depends "$image" |
		sed -nE 's/.*Depends: (linux-(binary|modules)-[^ ]*).*/\1/p')
	pkg=$(apt_suite "$suite" apt-cache depends "linux-headers-$release" |
		sed -nE 's/.*Depends: (linux-kbuild-[^ ]*).*/\1/p' | head -n1)
	(cd "$dir/deb" && apt_suite "$suite" apt-get -qq download \
		"$image" "${parts[@]}" "linux-headers-$release" \
		"$common" "$pkg:amd64" >log 2>&1) ||
		{ echo "download failed: $(tail -n1 "$dir/deb/log")"; return 1; }
	for pkg in "$dir"/deb/*.deb; do
		dpkg -x "$pkg" "$dir/root" || return 1
	done
	rm -rf "$dir/deb"
	[ -e "$dir/root/lib" ] || ln -s usr/lib "$dir/root/lib"
	relocate_headers "$dir/root"
	wrap_tools "$dir"
}

fetch_kernel() {
	local version=$1 suite release image dir=$VM_BUILD/$1
	[ "$version" != kasan ] || { build_debug_kernel; return; }
	[ -s "$dir/release" ] && return 0
	suite=$(suite_of "$version") || { echo "no suite is known to carry it"; return 1; }
	update_suite "$suite" || return 1
	read -r release image < <(newest_release "$version" "$suite")
	[ -n "$image" ] || { echo "$suite has no such kernel"; return 1; }
	rm -rf "$dir"
	unpack_kernel "$suite" "$release" "$image" "$dir" || return 1
	echo "$release" >"$dir/release"
}

kernel_image() {
	find "$VM_BUILD/$1/root/" -name "vmlinuz*" -type f | head -n1
}

kernel_release() {
	cat "$VM_BUILD/$1/release"
}
