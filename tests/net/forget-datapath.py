#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""forget-datapath.py PIN: empties the name of the data path in a pinned struct qmap_meta (include/qmap/abi.h),
whose value is too large for the command line of bpftool(8)."""
import ctypes
import os
import platform
import struct
import sys

NR_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
LOOKUP, UPDATE, OBJ_GET, OBJ_INFO = 1, 2, 7, 15
DATAPATH = slice(24, 40)
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    attr = ctypes.create_string_buffer(attr, 128)
    result = libc.syscall(NR_BPF, command, attr, 128)
    if result < 0:
        sys.exit("bpf command %d: %s" % (command, os.strerror(ctypes.get_errno())))
    return result


path = ctypes.create_string_buffer(sys.argv[1].encode())
fd = bpf(OBJ_GET, struct.pack("Q", ctypes.addressof(path)))
info = ctypes.create_string_buffer(80)  # struct bpf_map_info: type, id, key_size, value_size
bpf(OBJ_INFO, struct.pack("IIQ", fd, 80, ctypes.addressof(info)))
key = ctypes.create_string_buffer(4)
value = ctypes.create_string_buffer(struct.unpack_from("I", info, 12)[0])
element = struct.pack("IxxxxQQQ", fd, ctypes.addressof(key), ctypes.addressof(value), 0)
bpf(LOOKUP, element)
value[DATAPATH] = bytes(16)
bpf(UPDATE, element)
