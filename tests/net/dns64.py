#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A DNS server for tests: dns64.py ADDRESS FILE

Answers AAAA questions for ipv4only.arpa as the first word of FILE says, which is read anew for each:
an IPv6 address (TTL 1), "none" (no such record), "servfail", "silent".
"""
import socket
import struct
import sys


def answer(query, word):
    head, question = query[:2], query[12:]
    if word == "servfail":
        return head + b"\x81\x82" + query[4:6] + bytes(6) + question
    if word == "none":
        return head + b"\x81\x80" + query[4:6] + bytes(6) + question
    record = b"\xc0\x0c" + struct.pack(">HHIH", 28, 1, 1, 16)
    record += socket.inet_pton(socket.AF_INET6, word)
    return head + b"\x81\x80" + query[4:6] + b"\0\1\0\0\0\0" + question + record


def main():
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    print("ready", flush=True)
    while True:
        query, client = server.recvfrom(512)
        with open(sys.argv[2], encoding="ascii") as file:
            word = file.read().split()[0]
        print(f"asked by {client[0]}", flush=True)
        if word != "silent":
            server.sendto(answer(query, word), client)


main()
