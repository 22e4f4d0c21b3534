#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profile.py COUNTS CONSOLE NAME: the functions of a guest that took most instructions for a packet.

COUNTS is the file of bench/plugin/profile.c, CONSOLE the guest's output: for the n-th pair of marks the
n-th line "MARK NAME PACKETS", before it the gzipped /proc/kallsyms in base64 in lines "SYMBOLS TEXT"."""
import base64
import bisect
import collections
import gzip
import sys

USER = 1 << 47
SHOWN = 40


def last_of(console, name):
    """Index of the last pair of marks of that name, its packets, the symbols at that time."""
    found, pairs, symbols = None, 0, ""
    for line in open(console, errors="replace"):
        words = line.split()
        if line.startswith("SYMBOLS "):
            symbols += words[1]
        elif line.startswith("MARK "):
            if words[1] == name:
                found = pairs, int(words[2]), symbols
            pairs += 1
            symbols = ""
    if not found:
        sys.exit("%s: %s was not measured" % (console, name))
    return found


def functions(symbols):
    """Addresses and names, sorted."""
    table = []
    for line in gzip.decompress(base64.b64decode(symbols)).decode().splitlines():
        address, kind, name = line.split(None, 2)
        if kind in "tTwW":
            table.append((int(address, 16), name.replace("\t", " ")))
    return sorted(table)


def main():
    counts, console, name = sys.argv[1:]
    pair, packets, symbols = last_of(console, name)
    table = functions(symbols)
    starts = [address for address, _ in table]
    cost = collections.Counter()
    for line in open(counts).read().split("\n\n")[pair].splitlines():
        address, n = line.split()
        address = int(address, 16)
        at = "(user space)" if address < USER else table[bisect.bisect(starts, address) - 1][1]
        cost[at] += int(n)
    print("%10.1f %s, generator included" % (sum(cost.values()) / packets, name))
    for at, n in cost.most_common(SHOWN):
        print("%10.1f   %s" % (n / packets, at))


main()
