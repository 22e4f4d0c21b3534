#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Synthetic results of every kind that a report shows, for testing the report.
set -u

machine='"kernel": "6.1.0", "cpu": "a CPU", "cpus": 2, "governor": "none", "commit": "0", "time": 1700000000, "rounds": 3,
	"versions": {"qmap": "0", "libbpf": "v1", "clang": "14"}'
line() { # members
	echo "{$(tr -d '\n' <<<"$*, $machine")}"
}
vm() { # case path value members
	line "\"name\": \"vm.$1.$2\", \"case\": \"$1\", \"path\": \"$2\", \"unit\": \"insns\", \"method\": \"icount\",
		\"value\": $3${4:-}"
}

# Each with a fault: of another commit, of one round, with packets lost.
machine=${machine/'"commit": "0"'/'"commit": "old"'} vm old shim 1
vm old rmnet 1000
machine=${machine/'"rounds": 3'/'"rounds": 1'} vm once rmnet 1000
vm once shim 1100
vm leaky rmnet 1000 ', "lost": 0'
vm leaky shim 1 ', "lost": 7'

i=1
for path in shim xdp rmnet qmimux; do
	line "\"name\": \"vm.tcp-socket-v5.$path.latency\", \"case\": \"tcp-socket-v5\", \"path\": \"$path\",
		\"quantity\": \"latency\", \"unit\": \"ns\", \"method\": \"icount\", \"value\": $((i * 9000)),
		\"p50\": $((i * 9000)), \"p90\": $((i * 9500)), \"p99\": $((i * 20000)), \"p100\": $((i * 90000))"
	line "\"name\": \"vm.tcp-socket-v5.$path.coalescing\", \"case\": \"tcp-socket-v5\", \"path\": \"$path\",
		\"quantity\": \"coalescing\", \"unit\": \"packets/skb\", \"method\": \"icount\", \"value\": 2$i"
	line "\"name\": \"vm.far.$path\", \"case\": \"far\", \"path\": \"$path\", \"unit\": \"insns\",
		\"method\": \"icount\", \"value\": $([ $path = xdp ] && echo 90000 || echo $((i * 300))), \"spread\": 9"
	for case in tcp-socket-v5 udp-drop "odd <&> \\\"name\\\""; do
		line "\"name\": \"vm.$case.$path\", \"case\": \"$case\", \"path\": \"$path\", \"unit\": \"insns\",
			\"method\": \"icount\", \"value\": $((i * 300)), \"spread\": $((i * 10)), \"base\": 100,
			\"ratio_to_rmnet\": 0.$i"
	done
	for x in 40 100 576 1400 1500; do
		line "\"name\": \"grid.$path.$x\", \"case\": \"grid\", \"path\": \"$path\", \"unit\": \"insns\",
			\"method\": \"icount\", \"factor\": \"packet size\", \"x\": $x, \"value\": $((i * x + 700)),
			\"spread\": 20"
	done
	for case in usb-{tcp-socket-v5,tcp-socket,ul-single}; do
		line "\"name\": \"vm.$case.$path\", \"case\": \"$case\", \"path\": \"$path\", \"unit\": \"insns\",
			\"method\": \"icount\", \"value\": $((i * 700)), \"emulator\": \"QEMU\""
	done
	i=$((i + 1))
done
for version in v1 v4 v5; do
	line "\"name\": \"programs.run.qmap_split.$version.21x40\", \"unit\": \"ns/frame\",
		\"method\": \"BPF_PROG_RUN\", \"value\": 7.5, \"spread\": 0.1"
	line "\"name\": \"programs.run.qmap_shim_rx.$version.21x40\", \"unit\": \"ns/frame\",
		\"method\": \"BPF_PROG_RUN\", \"value\": 11.25, \"spread\": 0"
done
line "\"name\": \"demo.tcp.down\", \"unit\": \"Mbit/s\", \"method\": \"wall\", \"value\": 0"
line "\"name\": \"demo.tcp.up\", \"unit\": \"Mbit/s\", \"method\": \"wall\", \"value\": 2700, \"spread\": 90"
