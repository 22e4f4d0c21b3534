#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/cross.sh [ARCH|musl|compilers]...: builds user space, the BPF programs and the module for other machines,
# by gcc and by clang, a warning being an error, and runs the unit tests by QEMU's user mode. Prints sizes and the
# libraries needed, which a machine with little flash has to hold. compilers: user space and BPF programs for this
# machine, by each compiler of a list.
#
#   COMPILERS="gcc-11 clang-19"
#   KERNEL=6.1    whose headers the module is built with; "none": no module
#   UNIT="arm64"  the machines that the unit tests run for; tests/vm/arch.sh runs them for all
#
# Nothing is installed but compilers (tests/cross.sh deps); libraries are unpacked under build/ARCH/sysroot.

set -u
cd "$(dirname "$0")/.." || exit 1

KERNEL=${KERNEL:-6.1}
UNIT=${UNIT-arm64}
COMPILERS=${COMPILERS:-gcc-11 gcc-12 clang-14 clang-15 clang-16 clang-17 clang-18 clang-19}
LIMIT=1000000 # bytes: qmapd and qmapctl in one file on arm64, stripped, without optional parts

# Debian 12 has no clang-17 and clang-18.
is_offered() { # package
	apt-cache show "$1" 2>/dev/null | grep -q '^Filename:'
}

offered=()
if [ "${1:-}" = deps ]; then
	tests/vm/arch.sh deps
	for compiler in $COMPILERS; do
		! is_offered "$compiler" || offered+=("$compiler")
	done
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends musl-tools xz-utils cmake dpkg-dev \
		"${offered[@]}"
	exit
fi

# A shell of its own for each machine: tests/vm/machine.sh knows one at a time.
if [ -z "${CROSS_ARCH:-}" ]; then
	failed=0
	[ $# -gt 0 ] || set -- arm64 armhf mipsel s390x musl compilers
	for arch; do
		CROSS_ARCH=$arch tests/cross.sh || failed=1
	done
	exit $failed
fi

status=0
verdict() { # NAME OUTPUT: nothing said is good
	if [ -z "$2" ]; then
		echo "PASS $1"
	else
		printf 'FAIL %s:\n%s\n' "$1" "$2"
		status=1
	fi
}

# Debian has no libraries for musl: their headers, and those of the kernel, without glibc's. sys/queue.h is in
# OpenWrt's toolchain (toolchain/musl/include), crypt.h in musl, but neither in Debian's package of it.
musl_headers() { # DIR
	local name
	rm -rf "$1"
	mkdir -p "$1/sys"
	for name in bpf json-c event2 libmnl libsmartcols linux asm-generic x86_64-linux-gnu/asm; do
		ln -s "/usr/include/$name" "$1/${name##*/}"
	done
	for name in event.h evutil.h ini.h cmocka.h libelf.h gelf.h curses.h ncurses_dll.h unctrl.h x86_64-linux-gnu/sys/queue.h; do
		ln -s "/usr/include/$name" "$1/${name#x86_64-linux-gnu/}"
	done
	cat >"$1/crypt.h" <<-EOF
		struct crypt_data { int initialized; char buffer[256]; };
		char *crypt_r(const char *, const char *, struct crypt_data *);
	EOF
}

check_musl() {
	local dir=$PWD/build/musl/include sources
	command -v musl-gcc >/dev/null || { echo "SKIP musl: no musl-gcc (tests/cross.sh deps)"; return; }
	musl_headers "$dir"
	# Debian has no headers of the kernel for musl's compiler, by which BPF programs would be built.
	verdict "musl: BPF programs by this machine's compiler" "$(make -s programs 2>&1)"
	sources=$(git ls-files 'daemon/*.c' 'tests/unit/*.c' | xargs)
	verdict "musl: compile" "$(make -s -k CC=musl-gcc CFLAGS="-O2 -idirafter $dir" COMPILE_SRC="$sources" compile 2>&1)"
}

# Static libraries for musl, of Debian's sources: those that build there without changes. Lists of sources of
# our own leave the machine's alone.
musl_libraries() { # DIR
	local apt=() dir=$1 p
	[ -e "$dir/done" ] && return
	rm -rf "$dir"
	mkdir -p "$dir/lists/partial" "$dir/src"
	sed -n 's/^VERSION_CODENAME=/deb-src [signed-by=\/usr\/share\/keyrings\/debian-archive-keyring.gpg] http:\/\/deb.debian.org\/debian /p' \
		/etc/os-release | sed 's/$/ main/' >"$dir/sources.list"
	for p in Etc::sourcelist="$dir/sources.list" Etc::sourceparts=- State::lists="$dir/lists" Cache::pkgcache= Cache::srcpkgcache=; do
		apt+=(-o "Dir::$p")
	done
	(cd "$dir/src" && apt-get "${apt[@]}" update -qq && apt-get "${apt[@]}" source -qq cmocka json-c libevent) >"$dir/log" 2>&1 || return
	for p in "$dir"/src/*/; do
		cmake -S "$p" -B "$p/build" -DCMAKE_C_COMPILER=musl-gcc -DCMAKE_INSTALL_PREFIX="$dir" -DBUILD_SHARED_LIBS=OFF \
			-DWITH_STATIC_LIB=ON -DWITH_EXAMPLES=OFF -DBUILD_TESTING=OFF -DBUILD_APPS=OFF -DDISABLE_WERROR=ON \
			-DEVENT__LIBRARY_TYPE=STATIC -DEVENT__DISABLE_OPENSSL=ON -DEVENT__DISABLE_TESTS=ON -DEVENT__DISABLE_SAMPLES=ON \
			-DEVENT__DISABLE_BENCHMARK=ON -DEVENT__DISABLE_THREAD_SUPPORT=ON &&
			make -C "$p/build" install || return
	done >>"$dir/log" 2>&1
	mv "$dir/lib/libcmocka-static.a" "$dir/lib/libcmocka.a" && rm -f "$dir"/lib/*.so* && touch "$dir/done"
}

# The unit tests on musl. libbpf, libmnl and libinih do not exist there: their functions stay unresolved, and the
# programs that call them, those of configuration files and of netlink, are left out.
musl_unit() {
	local dir=$PWD/build/musl t tests=()
	musl_libraries "$dir/lib" || { verdict "musl: libraries for the unit tests" "$(tail -n 3 "$dir/lib/log")"; return; }
	for t in tests/unit/test_*.c; do
		case $t in
		*/test_config.c | */test_config_write.c | */test_rtnl.c) ;;
		*) t=${t##*/} && tests+=("build/musl/unit/${t%.c}") ;;
		esac
	done
	verdict "musl: unit tests are built" "$(make -s -k CC=musl-gcc SMARTCOLS=no CURSES=no BUILD=build/musl \
		ASAN="-O1 -g -idirafter $dir/include -I$dir/lib/include" LDLIBS="-Wl,--start-group -ljson-c -levent_core -lcmocka -Wl,--end-group" \
		LDFLAGS="-static -L$dir/lib/lib -Wl,--unresolved-symbols=ignore-all -Wl,--allow-multiple-definition" "${tests[@]}" 2>&1)"
	for t in "${tests[@]}"; do
		verdict "musl: ${t##*/}" "$("$t" >"$dir/log" 2>&1 || grep -E 'ERROR|FAILED|LINE' "$dir/log" || echo "it has ended without a word")"
	done
}

# The BPF programs by the same clang, or beside gcc by this machine's own.
check_compiler() { # compiler
	local clang=$1 compile=-fsyntax-only
	[[ $1 == clang* ]] || clang=clang compile="-S -o /dev/null"
	command -v "$1" >/dev/null || {
		echo "SKIP compilers: $1: $(is_offered "$1" && echo "is not installed (tests/cross.sh deps)" || echo "this Debian has none")"
		return
	}
	verdict "compilers: $1" "$(make -s -k -j2 BUILD="build/compilers/$1" CC="$1" CLANG="$clang" COMPILE="$compile" compile 2>&1)"
}

if [ "$CROSS_ARCH" = compilers ]; then
	for compiler in $COMPILERS; do check_compiler "$compiler"; done
	exit $status
fi

if [ "$CROSS_ARCH" = musl ]; then
	check_musl
	musl_unit
	exit $status
fi

export ARCH=$CROSS_ARCH
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh
# shellcheck source=tests/vm/guest_lib.sh
. tests/vm/guest_lib.sh

# In the target's byte order, which a BPF object shows by its sixth byte.
order_of_programs() {
	local object want=1
	[ "$ARCH" != s390x ] || want=2
	for object in "$GUEST_BUILD"/bpf/*.bpf.o; do
		[ "$(od -An -tu1 -j5 -N1 "$object" | tr -d ' ')" = "$want" ] || echo "$object: wrong byte order"
	done
}

by_gcc() {
	guest_make "$GUEST_BUILD"/qmap{d,ctl} 2>&1
}

# Without linking: clang has no runtime library for these.
by_clang() {
	local libs=$SYSROOT/usr/include/$TRIPLET
	make -s -k -j2 BUILD="$GUEST_BUILD" CC="clang --target=$TRIPLET" CFLAGS="-O2 -isystem $libs -idirafter /usr/include" \
		COMPILE_SRC="$(git ls-files 'daemon/*.c' 'tests/modem/*.c' 'tests/net/*.c' ':!*.bpf.c' | xargs)" compile 2>&1
}

# As OpenWrt's package builds them.
small_build() {
	local libs=$SYSROOT/usr/lib/$TRIPLET
	make -s -j2 BUILD="$GUEST_BUILD/small" CC="${CROSS}gcc" SMARTCOLS=no CURSES=no MAN= \
		CFLAGS="-Os -isystem $SYSROOT/usr/include/$TRIPLET" \
		LDFLAGS="-L$libs -Wl,-z,max-page-size=4096 -Wl,-rpath-link,$libs:$SYSROOT/lib/$TRIPLET" \
		"$GUEST_BUILD/small/multi/qmapd" 2>&1
}

size() { # NAME FILE: prints it; in $bytes
	bytes=$("${CROSS}strip" -o "$2.stripped" "$2" && stat -c %s "$2.stripped")
	echo "figure: $ARCH $1: $bytes bytes stripped, $(xz -9e -c "$2.stripped" | wc -c) by xz, needs" \
		"$("${CROSS}readelf" -d "$2" | sed -nE 's/.*NEEDED.*\[(.*)\]/\1/p' | xargs)"
}

small_enough() {
	[ "$ARCH" != arm64 ] || [ "$bytes" -lt "$LIMIT" ] || echo "$bytes bytes, not below $LIMIT"
	"${CROSS}readelf" -d "$GUEST_BUILD/small/multi/qmapd" | grep -E 'NEEDED.*(smartcols|ncurses|tinfo)'
}

module() {
	local reason
	[ "$KERNEL" != none ] || return 0
	reason=$(fetch_kernel "$KERNEL") || { echo "SKIP $ARCH: module: $reason"; return; }
	verdict "$ARCH: module for $KERNEL" "$(build_module "$KERNEL" 2>&1 || echo "no module")"
}

command -v "${CROSS}gcc" >/dev/null || { echo "SKIP $ARCH: no ${CROSS}gcc (tests/cross.sh deps)"; exit 0; }
reason=$(fetch_sysroot) || { echo "SKIP $ARCH: $reason"; exit 0; }
verdict "$ARCH: gcc" "$(by_gcc)"
verdict "$ARCH: byte order of BPF programs" "$(order_of_programs)"
verdict "$ARCH: clang" "$(by_clang)"
verdict "$ARCH: without optional libraries" "$(small_build)"
size qmapd "$GUEST_BUILD/qmapd"
size qmapctl "$GUEST_BUILD/qmapctl"
size "both in one file, small" "$GUEST_BUILD/small/multi/qmapd"
verdict "$ARCH: size and libraries" "$(small_enough)"
module
[[ " $UNIT " != *" $ARCH "* ]] || tests/vm/arch.sh user || status=1
exit $status
