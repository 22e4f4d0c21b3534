#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""doc/shim-page.py include/qmap/shim.h: qmap-shim(4) as reStructuredText, made of the header.

The header is the one place where the ABI is described. Its first comment becomes the text: underlined
titles its sections, indented lines literal blocks; the declarations behind it stand at the end.
"""

import re
import sys

HEAD = """\
.. SPDX-License-Identifier: GPL-2.0-or-later

===========
 qmap-shim
===========

------------------------------------------------------------------
kernel modules that split QMAP aggregates, qmap_shim and qmap_usb
------------------------------------------------------------------

:Manual section: 4
:Manual group: qmap

SYNOPSIS
========

| **modprobe qmap_shim**
| **modprobe qmap_usb**
| **#include <qmap/shim.h>**

qmapd makes these devices itself (**--datapath shim** and **usb** of **qmapctl**\\(8)); this page is for other
programs. iproute2 does not know the attributes: a port, which needs a number, is made by netlink.

DESCRIPTION
===========
"""

SEE = """
SEE ALSO
========

**qmapctl**\\(8), **qmapd**\\(8), **qmap**\\(7), **ip-link**\\(8), **ethtool**\\(8)
"""


def escape(line):
    """A line of prose: `words` are literal, and nothing else is markup."""
    parts = line.split("`")
    if len(parts) % 2 == 0:
        sys.exit("shim-page.py: a literal must not go on in the next line: " + line)
    for i, part in enumerate(parts):
        parts[i] = "``" + part + "``" if i % 2 else re.sub(r"[*|\\_]", r"\\\g<0>", part)
    return "".join(parts)


def page(header):
    start = header.index("/*\n") + 3
    end = header.index("*/", start)
    lines = [re.sub(r"^ \* ?", "", line) for line in header[start:end].splitlines()]
    out, literal = [], False
    title = lines.pop(0)  # "ABI and manual of the kernel shim."
    for i, line in enumerate(lines):
        following = lines[i + 1] if i + 1 < len(lines) else ""
        if following and not following.strip("-") and line:
            out += ["", line.upper(), "=" * len(line)]
            literal = False
        elif line and not line.strip("-"):
            continue
        elif line.startswith("  "):
            if not literal:
                out += ["", "::", ""]
            literal = True
            out.append("    " + line)
        elif not line.strip():
            out.append("")
        else:
            if literal:
                out.append("")
            literal = False
            out.append(escape(line))
    declarations = header[end + 2:]
    declarations = declarations[declarations.index("/* The module only"):declarations.index("_Static_assert")]
    out += ["", "DECLARATIONS", "============", "", "::", ""]
    out += ["    " + line.expandtabs() if line else "" for line in declarations.strip().splitlines()]
    return HEAD + "\n" + title + "\n" + "\n".join(out) + "\n" + SEE


print(page(open(sys.argv[1], encoding="utf-8").read()), end="")
