#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts how finely C code is cut into functions (doc/style.md, "Files and functions").

Prints for each folder and for all of them: functions, their median, ninetieth and longest length in
lines from head to brace, and in percent
  one        functions with one statement; of all functions
  wrappers   those of them that call another function; of all functions
  short      static functions of at most nine lines with one call; of all static functions
A function whose address is taken (a callback, a member of an ops struct) is neither wrapper nor short,
because no caller could take its place; nor is an accessor a wrapper: its statement calls nothing, or it is
public and reaches into a struct that its file keeps private.
Fails where all folders together exceed a limit.

usage: function-figures.py [FILE...]    the named files instead of all of daemon/
       function-figures.py -v           also lists the wrappers and the short ones
"""
import collections
import os
import re
import subprocess
import sys

LIMITS = {"wrappers": 4, "short": 6}
SHORT = 9

NOISE = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "TAILQ_FOREACH", "LIST_FOREACH"}

Function = collections.namedtuple("Function", "path line name static lines head body")


def plain(text):
    """Comments and strings emptied; the number of lines stays."""
    return NOISE.sub(lambda m: re.sub(r"[^\n]", "", m.group()) or m.group()[0] * 2, text)


def functions(path, text):
    """Relies on clang-format: the braces of a function stand in the first column."""
    lines = text.split("\n")
    start = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            head = start - 1
            while head > 0 and re.match(r"\s", lines[head]):
                head -= 1
            name = re.search(r"(\w+)\s*\(", lines[head])
            if name:
                yield Function(path, head + 1, name.group(1), lines[head].startswith("static"),
                               i - head + 1, " ".join(lines[head:start]), "\n".join(lines[start + 1:i]))
            start = None


def calls(body):
    return [name for name in re.findall(r"(\w+)\s*\(", body) if name not in KEYWORDS]


def has_one_statement(f):
    return f.body.count(";") == 1 and "{" not in f.body


def is_accessor(f, text):
    """Does public @f reach into a struct that only its file defines?"""
    return not f.static and any(
        re.search(r"\b%s->" % name, f.body) and re.search(r"(?m)^struct %s \{" % struct, text)
        for struct, name in re.findall(r"struct (\w+) \*(\w+)", f.head))


def uses(text):
    """By name: direct calls, the definition among them, and other uses."""
    called = collections.Counter(re.findall(r"\b(\w+)\s*\(", text))
    named = collections.Counter(re.findall(r"\b\w+\b", text))
    return called, named - called


def measure(texts):
    """(all functions, those with one statement, wrappers, short ones)"""
    everywhere = uses("\n".join(texts.values()))[1]
    found, one, wrappers, short = [], [], [], []
    for path, text in texts.items():
        called, otherwise = uses(text)
        for f in functions(path, text):
            found.append(f)
            if has_one_statement(f):
                one.append(f)
            if (otherwise if f.static else everywhere)[f.name]:
                continue
            if has_one_statement(f) and calls(f.body) and not is_accessor(f, text):
                wrappers.append(f)
            if f.static and f.lines <= SHORT and called[f.name] == 2:
                short.append(f)
    return found, one, wrappers, short


def percent(part, whole):
    return 100 * len(part) / max(len(whole), 1)


def report(name, found, one, wrappers, short):
    """Prints a line; returns the shares in percent."""
    lines = sorted(f.lines for f in found) or [0]
    shares = {"one": percent(one, found), "wrappers": percent(wrappers, found),
              "short": percent(short, [f for f in found if f.static])}
    print(f"{name:<20}{len(found):>10}{lines[len(lines) // 2]:>8}{lines[len(lines) * 9 // 10]:>6}"
          f"{lines[-1]:>9}" + "".join(f"{share:>10.1f}" for share in shares.values()))
    return shares


def folder(f):
    return os.path.dirname(f.path)


def main(args):
    verbose = "-v" in args
    paths = [a for a in args if a != "-v"] or subprocess.run(
        ["git", "ls-files", "daemon/*.c"], check=True, capture_output=True, text=True).stdout.split()
    texts = {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            texts[path] = plain(f.read())
    kinds = measure(texts)
    print(f"{'folder':<20}{'functions':>10}{'median':>8}{'p90':>6}{'longest':>9}"
          f"{'one':>10}{'wrappers':>10}{'short':>10}")
    for name in sorted({folder(f) for f in kinds[0]}):
        report(name, *([f for f in kind if folder(f) == name] for kind in kinds))
    shares = report("all", *kinds)
    if verbose:
        for kind, found in zip(("wrapper", "short"), kinds[2:]):
            for f in found:
                print(f"{f.path}:{f.line}: {kind}: {f.name}")
    over = [name for name, most in LIMITS.items() if shares[name] > most]
    for name in over:
        print(f"{name}: {shares[name]:.1f} %, at most {LIMITS[name]} %")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
