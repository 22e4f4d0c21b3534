#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts words in comments that make English hard to read (doc/style.md, "Comments").

Prints, for each folder and for the whole tree, how often they occur in 1,000 words of comment, and
how many of 100 comments begin with a word that leaves the subject out. Fails where a folder exceeds
a limit; README and manuals are a folder, too.

usage: comment-english.py [FILE...]    the named files, which count as one folder
       comment-english.py -v           also prints the lines that are over a limit
"""
import ast
import collections
import io
import os
import re
import subprocess
import sys
import tokenize

# Word, and the most of it in 1,000 words of comment.
LIMITS = {
    "what": (re.compile(r"\bwhat(?:ever)?\b", re.I), 2),
    "told": (re.compile(r"\btold\b", re.I), 0.3),
    "somebody": (re.compile(r"\b(?:some|no|every|any)(?:body|one)\b|\bwhoever\b", re.I), 0.3),
}
FRAGMENT = re.compile(r"(?:What|Who|Of|Those|None|Else)\b")

C_TOKEN = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


def c_comments(text):
    for m in C_TOKEN.finditer(text):
        if m.group()[0] == "/":
            yield m.start(), re.sub(r"^\s*\*+ ?", "", m.group().strip("/*"), flags=re.M)


def hash_comments(text):
    """Shell and make: a block of lines is one comment."""
    for m in re.finditer(r"(?m)(?:^[ \t]*#(?!!).*\n?)+|(?<=[\w;\"')}{] )# .*$", text):
        yield m.start(), re.sub(r"^\s*#+ ?", "", m.group(), flags=re.M)


def python_comments(text):
    for t in tokenize.generate_tokens(io.StringIO(text).readline):
        if t.type == tokenize.COMMENT and not t.string.startswith("#!"):
            yield 0, t.string.lstrip("# ")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)):
            yield 0, ast.get_docstring(node) or ""


PARSERS = [
    ((".c", ".h"), c_comments),
    (".py", python_comments),
    ((".sh", "Makefile", ".ci/run"), hash_comments),
    ((".md", ".rst"), lambda text: [(0, text)]),
]


def comments(path):
    """(line, text) of each comment of a file, the licence left out."""
    parse = next((p for ends, p in PARSERS if path.endswith(ends)), None)
    if not parse:
        return
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for at, comment in parse(text):
        comment = re.sub(r"SPDX-License-Identifier:.*", "", comment).strip()
        if comment:
            yield text.count("\n", 0, at) + 1, comment


def folder(path):
    if path.endswith((".md", ".rst")):
        return "documents"
    parts = path.split("/")
    deep = parts[0] in ("daemon", "tests") and len(parts) > 2
    return "/".join(parts[:2]) if deep else parts[0]


class Count:
    def __init__(self):
        self.words = self.comments = self.fragments = 0
        self.hits = collections.Counter()

    def add(self, comment):
        self.words += len(comment.split())
        self.comments += 1
        self.fragments += bool(FRAGMENT.match(comment))
        for name, (pattern, _) in LIMITS.items():
            self.hits[name] += len(pattern.findall(comment))

    def rate(self, name):
        return 1000 * self.hits[name] / self.words if self.words else 0

    def over(self, exact):
        """Names of the limits exceeded; a small folder may have one occurrence."""
        return [name for name, (_, most) in LIMITS.items()
                if self.rate(name) > most and (exact or self.hits[name] > 1)]


def print_line(name, count):
    rates = " ".join("%8.1f" % count.rate(n) for n in LIMITS)
    print("%-18s %7d %s %9.1f" % (name, count.words, rates,
                                  100 * count.fragments / max(count.comments, 1)))


def main(args):
    verbose = "-v" in args
    files = [a for a in args if a != "-v"]
    named = bool(files)
    if not named:
        os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
        files = subprocess.check_output(["git", "ls-files"], text=True).split("\n")
    counts, tree = collections.defaultdict(Count), Count()
    for path in files:
        if not path or not os.path.isfile(path):
            continue
        where = "named files" if named else folder(path)
        for line, comment in comments(path):
            counts[where].add(comment)
            if where != "documents":
                tree.add(comment)
            if verbose and any(p.search(comment) for p, _ in LIMITS.values()):
                print("%s:%d: %s" % (path, line, " ".join(comment.split())))

    print("%-18s %7s %s %9s" % ("per 1,000 words", "words",
                                " ".join("%8s" % n for n in LIMITS), "fragments"))
    for name in sorted(counts):
        print_line(name, counts[name])
    print_line("tree", tree)
    bad = 0
    for name, count in sorted(counts.items()):
        for word in count.over(exact=named):
            print("%s: %.1f of \"%s\", at most %g" % (name, count.rate(word), word, LIMITS[word][1]))
            bad = 1
    if not named:
        bad = bad or bool(tree.over(exact=True))
    return bad


sys.exit(main(sys.argv[1:]))
