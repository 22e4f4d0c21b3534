#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the files of a guest and runs it. Sourced by run.sh and bench/vm.sh.

# Modules that the guests need besides the shim. Unknown ones are built in or absent; the tests report
# that.
GUEST_MODULES="tun veth sch_ingress sch_tbf sch_fq cls_matchall act_gact act_mirred act_ct cls_bpf
	bridge bonding macvlan ipip ip_gre vxlan netconsole ${GUEST_MORE_MODULES:-}"

# Scripts that run at the same time prepare their guests one after the other, since they share kernels, built
# modules and the folder of an initramfs. The lock is free while a guest runs: see run_guest().
take_turns() {
	mkdir -p "$VM_BUILD"
	exec {turn}>"$VM_BUILD/lock"
	flock "$turn"
}

missing_tools() {
	local tool
	for tool in "${QEMU[0]}" cpio busybox depmod modprobe dpkg "${CROSS}gcc" clang; do
		command -v "$tool" >/dev/null || { echo "no $tool"; return 0; }
	done
	busybox --list >/dev/null 2>&1 && ! ldd "$(command -v busybox)" >/dev/null 2>&1 && return 1
	echo "busybox is not the static one"
}

# Prints where programs for the guest are, or which one is missing.
find_tools() { # NAME...
	local tool
	for tool; do
		guest_file "$tool" || { echo "no $tool"; return 1; }
	done
}

# Is rmnet a module of Debian's kernel?
ships_rmnet() { # kernel
	find "$VM_BUILD/$1/root/lib/modules/" -name 'rmnet.ko*' | grep -q .
}

build_tests() {
	guest_make "$GUEST_BUILD"/vm/bin/{shim_test,fixture_tool,vm.bpf.o}
}

# Arguments of make that let this machine's compiler replace the kernel's own.
kernel_flags() {
	local compiler
	printf '%s\n' CONFIG_DEBUG_INFO_BTF_MODULES= PAHOLE=true
	[ -z "$CROSS" ] || echo "CROSS_COMPILE=$CROSS"
	[ -e "$1/.kernelvariables" ] || return 0 # built here
	compiler=$(sed -nE 's/^CC = .*(gcc-[0-9]+)$/\1/p' "$1/.kernelvariables")
	if ! command -v "$TRIPLET-$compiler" >/dev/null; then
		echo "CC=${CROSS}gcc"
		"${CROSS}gcc" -fmin-function-alignment=16 -E - </dev/null >/dev/null 2>&1 ||
			echo CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=
	fi
}

# Ignores sparse's warnings about the kernel's own headers (arch/mips/include/asm/checksum.h).
own_warnings() { # log
	grep -E '\.[ch]:.*(warning|error):' "$1" | grep -qv '^[^ ]*/arch/[^ ]*/include/'
}

# Builds the module from a copy of its sources, one per kernel. Any warning is a failure, both of the
# compiler and of sparse, which also checks byte orders.
build_module() {
	local kernel=$1 dir headers flags
	dir=$VM_BUILD/$kernel/module
	mkdir -p "$dir"
	cp -ru kmod-shim include "$dir/"
	[ -z "${COVERAGE:-}" ] || cp -u tests/vm/debug/coverage.c "$dir/kmod-shim/"
	headers=$VM_BUILD/$kernel/root/usr/src/linux-headers-$(kernel_release "$kernel")
	mapfile -t flags < <(kernel_flags "$headers")
	if command -v sparse >/dev/null; then
		flags+=(C=2 CF=-D__CHECK_ENDIAN__)
		# Linux 6.1 does not tell sparse which of PREEMPT_RT's functions take a lock.
		[ "$kernel" != 6.1-rt ] || flags+=("CF=-D__CHECK_ENDIAN__ -Wno-context")
	else
		echo "SKIP vm $kernel: module checked by sparse: no sparse"
	fi
	make -s -C "$headers" M="$dir/kmod-shim" W=1 ${DEBUG:+SHIM_DEBUG=y} ${COVERAGE:+SHIM_COVERAGE=y} \
		"${flags[@]}" modules >"$dir/log" 2>&1 && ! own_warnings "$dir/log" && return 0
	cat "$dir/log"
	rm -f "$dir"/kmod-shim/*.o # otherwise the next run would compile nothing and find no warning
	return 1
}

# Unpacks rmnet of the kernel's source into a directory: of the debug kernel's own, otherwise out of
# Debian's package, whose scripts are kept for tests/checkpatch.sh.
unpack_rmnet() { # kernel dir
	local kernel=$1 dir=$2 suite source path=drivers/net/ethernet/qualcomm/rmnet
	if [ "$kernel" = kasan ]; then
		cp "$VM_BUILD/kasan/$DEBUG_SOURCE/$path"/* "$dir/"
		# rmnet walks this list with rtnl held, too, and does not tell lockdep so.
		sed -i 's/\(hlist_for_each_entry_rcu(ep, .*, hlnode\)) {/\1, lockdep_rtnl_is_held()) {/' \
			"$dir/rmnet_config.c"
		return
	fi
	source=linux-source-$(kernel_release "$kernel" | grep -oE '^[0-9]+\.[0-9]+')
	suite=$(suite_of "$kernel")
	mkdir -p "$dir/source"
	update_suite "$suite" || return 1
	(cd "$dir/source" && apt_suite "$suite" apt-get -qq download \
		"$source" >/dev/null 2>&1) ||
		{ echo "no package $source"; return 1; }
	dpkg --fsys-tarfile "$dir"/source/linux-source-*.deb |
		tar -xO "./usr/src/$source.tar.xz" |
		tar -xJ -C "$dir/source" --strip-components=1 "$source/$path" "$source/scripts"
	mv "$dir/source/$path"/* "$dir/"
	rm -rf "$VM_BUILD/$kernel/scripts"
	mv "$dir/source/scripts" "$VM_BUILD/$kernel/scripts"
	rm -rf "$dir/source"
}

# Removes the fix of CVE-2026-64550 (f0f1887a, in Linux 6.1.178 and 6.12.97) again: rmnet then trusts
# the length in a header, whatever the length of the transfer.
unfix_rmnet() { # dir
	sed -i '/^\tif (skb->len < sizeof(\*maph))$/,+1d' "$1/rmnet_map_data.c"
	sed -i 's/^\t\tif (rmnet_map_validate_packet_len(skb, port))$/\t\tif (true)/' "$1/rmnet_handlers.c"
	! grep -q 'skb->len < sizeof(\*maph)' "$1/rmnet_map_data.c" && grep -q 'if (true)' "$1/rmnet_handlers.c"
}

# rmnet is off in Debian's kernels: built from the kernel's source, with uplink aggregation on, for
# which 6.1 has no switch; with "stock" as the source has it; with "unfixed" as it was before
# CVE-2026-64550 was mended. Prints the reason on failure.
build_rmnet() { # kernel ["stock" or "unfixed"]
	local kernel=$1 dir flags headers
	dir=$VM_BUILD/$kernel/rmnet${2:+-$2}
	[ -s "$dir/rmnet.ko" ] && return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	unpack_rmnet "$kernel" "$dir" || return 1
	case ${2:-} in
	stock) ;;
	unfixed) unfix_rmnet "$dir" || { echo "this rmnet has no such mend to take away"; return 1; } ;;
	*) sed -i 's/ul_agg_config(port, 4096, 1, 800)/ul_agg_config(port, 16384, 32, 800)/' "$dir"/*.c ;;
	esac
	headers=$VM_BUILD/$kernel/root/usr/src/linux-headers-$(kernel_release "$kernel")
	mapfile -t flags < <(kernel_flags "$headers")
	make -s -C "$headers" M="$dir" CONFIG_RMNET=m "${flags[@]}" modules >"$dir/log" 2>&1 ||
		{ echo "rmnet does not build: $(tail -n1 "$dir/log")"; return 1; }
}

# Builds the USB driver that measures the transport alone, and other modules of tests.
build_bare() { # kernel
	local dir=$VM_BUILD/$1/bare flags headers
	mkdir -p "$dir"
	cp -u tests/vm/bare/* bench/vm_mark.h "$dir/"
	headers=$VM_BUILD/$1/root/usr/src/linux-headers-$(kernel_release "$1")
	mapfile -t flags < <(kernel_flags "$headers")
	make -s -C "$headers" M="$dir" "${flags[@]}" modules >"$dir/log" 2>&1 || { cat "$dir/log"; return 1; }
}

# Copies a program and the libraries it needs.
copy_program() {
	local root=$1 program=$2 lib
	install -D -m755 "$program" "$root/bin/$(basename "$program")"
	needed_by "$program" | while read -r lib; do
		[ -e "$root$lib" ] || install -D -m755 "$(realpath "$SYSROOT$lib")" "$root$lib"
	done
}

# Copies modules, unpacked, and lists them in the order of loading.
copy_modules() {
	local kernel=$1 root=$2 base release path name
	base=$VM_BUILD/$kernel/root
	release=$(kernel_release "$kernel")
	[ -e "$base/lib/modules/$release/koep.bin" ] || depmod -b "$base" "$release" 2>/dev/null
	mkdir -p "$root/ko"
	for name in $GUEST_MODULES; do
		[[ " $GUEST_WITHOUT " != *" $name "* ]] || continue
		modprobe -d "$base" -S "$release" --show-depends "$name" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
		name=$(basename "$path")
		if [ "${name%.xz}" != "$name" ]; then
			name=${name%.xz}
			xz -dc "$path" >"$root/ko/$name"
		else
			cp "$path" "$root/ko/$name"
		fi
		echo "$name"
	done >"$root/modules"
	for path in "$VM_BUILD/$kernel/${GUEST_RMNET:-rmnet}/rmnet.ko" \
		"$VM_BUILD/$kernel/module/kmod-shim/qmap_shim.ko"; do
		[ -e "$path" ] || continue # not every guest needs it
		cp "$path" "$root/ko/"
		basename "$path" >>"$root/modules"
	done
	for path in "$VM_BUILD/$kernel/module/kmod-shim/qmap_usb.ko" \
		${GUEST_BARE:+"$VM_BUILD/$kernel/bare/usb_bare.ko"} \
		${GUEST_DMA:+"$VM_BUILD/$kernel/bare/usb_dma.ko"} \
		${GUEST_UNFROZEN:+"$VM_BUILD/$kernel/bare/unfrozen.ko"}; do
		if [ -e "$path" ] && grep -qx cdc-wdm.ko "$root/modules"; then
			cp "$path" "$root/ko/"
			basename "$path" >>"$root/modules"
		fi
	done
}

# make_image KERNEL OUT COMMAND FILE...: an initramfs; programs with libraries, other files to /, and
# the contents of the directory $GUEST_TREE.
make_image() {
	local kernel=$1 out=$2 command=$3 root file
	shift 3
	root=$VM_BUILD/$kernel/initramfs
	rm -rf "$root"
	mkdir -p "$root"/{bin,sbin,proc,sys,dev,tmp,etc,run}
	cp "$(guest_file busybox)" "$root/bin/busybox"
	busybox --list | grep -vx busybox | xargs -I{} ln -sfn busybox "$root/bin/{}"
	for file in "$(guest_file ip)" "$(guest_file tc)" "$(guest_file ethtool)" "$@"; do
		if is_program "$file"; then
			rm -f "$root/bin/$(basename "$file")"
			copy_program "$root" "$file"
		else
			cp "$file" "$root/"
		fi
	done
	[ -z "${GUEST_TREE:-}" ] || cp -a "$GUEST_TREE/." "$root/"
	copy_modules "$kernel" "$root"
	install -m755 tests/vm/guest.sh "$root/init"
	echo "$command" >"$root/command"
	# The same files make the same image: the instruction count of a guest includes unpacking it.
	(cd "$root" && find . -exec touch -hd @0 {} + && find . | LC_ALL=C sort |
		cpio -o -H newc --quiet --reproducible | gzip -1n) >"$out"
}

# The device of KVM; a test names another.
KVM_DEVICE=${KVM_DEVICE:-/dev/kvm}

# A device node that exists may refuse to be opened (a container without the permission), and one that
# opens may boot nothing (nested virtualisation that the host does not permit).
kvm_opens() {
	[ -e "$KVM_DEVICE" ] && (: <>"$KVM_DEVICE") 2>/dev/null
}

kvm_boots() { # kernel
	kvm_opens || return 1
	timeout "${KVM_LIMIT:-60}" qemu-system-x86_64 -accel kvm -cpu host -m 256 \
		-nographic -no-reboot -kernel "$(kernel_image "$1")" \
		-append "console=ttyS0 panic=-1" </dev/null 2>/dev/null | grep -q "Linux version"
}

# Prints KVM if it boots a kernel, otherwise TCG with one host thread for all CPUs: with one thread
# each, QEMU 7.2 lets a CPU run into the breakpoint that the kernel sets before it patches code which
# that CPU runs (6.12, bpf_dispatcher_xdp_func(), "Oops: int3"), after the kernel has removed it again.
#
# The choice is kept until this machine restarts; "kvm" is only valid while the device opens.
accelerator() { # kernel
	local file=$VM_BUILD/accel boot='' choice='' now
	[ -z "$SYSROOT" ] || { echo tcg,thread=single; return 0; } # a guest of another architecture
	now=$(cat /proc/sys/kernel/random/boot_id)
	[ ! -s "$file" ] || read -r boot choice <"$file" || :
	[ "$choice" != kvm ] || kvm_opens || choice=''
	if [ "$boot" != "$now" ] || [ -z "$choice" ]; then
		choice=tcg,thread=single
		if kvm_boots "$1"; then
			choice=kvm
		fi
		echo "$now $choice" >"$file"
	fi
	echo "$choice"
}

# keep_console LOG PID: copies a guest's console to LOG until the guest ends. It ends a guest that has been
# silent for DEADLINE seconds. A limit for all of its tests would be one for the speed of this machine.
keep_console() {
	local line status=0
	while [ "$status" = 0 ]; do
		IFS= read -r -t "$DEADLINE" line
		status=$?
		[ "$status:$line" = 1: ] || printf '%s\n' "${line//$'\r'/}"
	done >"$1"
	[ "$status" -le 128 ] || kill -KILL "$2"
}

# run_guest KERNEL IMAGE LOG: boots, waits for the end without the lock of take_turns(), prints the results
# with the kernel's name.
run_guest() {
	local kernel=$1 image=$2 log=$3 accel cpu=${CPU:-$GUEST_CPU} name pid
	name="${SYSROOT:+$ARCH }$1"
	accel=${ACCEL:-$(accelerator "$kernel")}
	[ "$accel" != kvm ] || cpu=host
	[ -z "${turn:-}" ] || flock -u "$turn"
	# shellcheck disable=SC2086 # QEMU_OPTIONS is a list
	{
		echo "$BASHPID"
		exec "${QEMU[@]}" -accel "$accel" -cpu $cpu -m "${MEMORY:-$GUEST_MEMORY}" \
			${QEMU_OPTIONS:-$GUEST_SMP} -nographic -no-reboot -nic none \
			-kernel "$(kernel_image "$kernel")" \
			-initrd "$image" -append "console=$CONSOLE quiet panic=-1 oops=panic $GUEST_CMDLINE ${CMDLINE:-}" \
			</dev/null 2>&1
	} | { read -r pid && keep_console "$log" "$pid"; }
	[ -z "${turn:-}" ] || flock "$turn"
	grep -aE '^(PASS|FAIL|SKIP|DATA) ' "$log" | sed -E "s/^([A-Z]+) /\1 vm $name: /"
	if ! grep -aq '^GUEST-STATUS' "$log"; then
		echo "FAIL vm $name: the guest died or hung; the end of its console:"
		tail -n 40 "$log"
		return 1
	fi
	if ! grep -aqE '^(PASS|FAIL|SKIP|DATA) |^{"case"' "$log"; then
		echo "FAIL vm $name: the guest ran no test"
		return 1
	fi
	grep -aq '^GUEST-STATUS 0' "$log" && return 0
	grep -avE '^(PASS|SKIP|DATA) ' "$log" | tail -n 60
	return 1
}
