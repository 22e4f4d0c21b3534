#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A router for tests: router.py DEV PREFIX CODE LIFETIME

Answers each router solicitation on DEV, which carries IP without a link layer, by an advertisement with
a PREF64 option (RFC 8781) and no default route.
"""
import socket
import struct
import sys

IPV6 = 0x86DD
ICMPV6 = 58
SOLICITATION = 133
SOURCE = socket.inet_pton(socket.AF_INET6, "fe80::1")
ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")


def checksum(icmp):
    data = SOURCE + ALL_NODES + struct.pack(">II", len(icmp), ICMPV6) + icmp
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def advertisement(prefix, code, lifetime):
    icmp = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 0, 0, 0)
    icmp += struct.pack(">BBH", 38, 2, lifetime & ~7 | code)
    icmp += socket.inet_pton(socket.AF_INET6, prefix)[:12]
    icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
    return struct.pack(">IHBB", 6 << 28, len(icmp), ICMPV6, 255) + SOURCE + ALL_NODES + icmp


def main():
    dev, prefix, code, lifetime = sys.argv[1:]
    packet = advertisement(prefix, int(code), int(lifetime))
    link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV6))
    link.bind((dev, IPV6))
    print("ready", flush=True)
    while True:
        asked, where = link.recvfrom(2048)
        if where[2] == socket.PACKET_OUTGOING or len(asked) < 48:
            continue
        if asked[6] == ICMPV6 and asked[7] == 255 and asked[40] == SOLICITATION:
            print("asked", flush=True)
            link.sendto(packet, (dev, IPV6))


main()
