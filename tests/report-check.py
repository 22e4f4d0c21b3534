#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks a report of qmap-bench as its reader sees it.

    report-check.py structure FILE.html   SVG parsed: every plot has marks, words and room for them
    report-check.py picture FILE.svg      the same of a picture, which stands alone and says of which run it is
    report-check.py pixels FILE.html      opened in headless Chromium, its screenshot looked at

Prints each fault and exits with 1; with 77 if there is no Chromium.
"""
import html.parser
import json
import math
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
import xml.etree.ElementTree as ET

NS = "{http://www.w3.org/2000/svg}"


def fail(why):
    print(f"report: {why}", file=sys.stderr)
    sys.exit(1)


def plots(page):
    found = re.findall(r"<svg class=\"plot\".*?</svg>", page, re.S)
    if not found:
        fail("no plots")
    return [ET.fromstring(p) for p in found]


def numbers(element):
    """Every coordinate of a mark."""
    text = " ".join(element.get(a, "") for a in ("x", "y", "cx", "cy", "width", "height", "points"))
    return [float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?|nan|inf", text)]


def check_plot(svg):
    title = svg.findtext(f"{NS}title")
    marks = [e for e in svg.iter() if "mark" in e.get("class", "").split()]
    words = [e.text or "" for e in svg.iter(f"{NS}text")]
    if not title or not svg.findtext(f"{NS}desc"):
        fail("a plot says nothing to who cannot see it")
    if not marks:
        fail(f"{title}: empty axes")
    for n in (n for m in marks for n in numbers(m)):
        if not math.isfinite(n) or not 0 <= n <= 900:
            fail(f"{title}: a mark outside, {n}")
    if not any(e.get("class") == "axis" for e in svg.iter(f"{NS}text")):
        fail(f"{title}: an axis without a unit")
    if sum(bool(re.fullmatch(r"[\d,.]+", w)) for w in words) < 3:
        fail(f"{title}: an axis without numbers")
    check_without_colour(svg, title, marks)


def check_without_colour(svg, title, marks):
    """Bars differ by pattern, lines by dashes; and a legend names them all."""
    bars = {m.get("fill") for m in marks if "bar" in m.get("class").split()}
    lines = [m.get("stroke-dasharray") for m in marks if "line" in m.get("class").split()]
    if not all(f.startswith("url(#") for f in bars):
        fail(f"{title}: bars that differ by colour alone")
    if len(set(lines)) != len(lines):
        fail(f"{title}: lines that differ by colour alone")
    patterns = {f"url(#{p.get('id')})" for p in svg.iter(f"{NS}pattern")}
    if not bars <= patterns:
        fail(f"{title}: a pattern that does not exist")
    drawn = [re.sub("#[0-9a-f]{3,6}", "", ET.tostring(p, "unicode").split(">", 1)[1])
             for p in svg.iter(f"{NS}pattern")]
    if len(set(drawn)) != len(drawn):
        fail(f"{title}: patterns that differ by colour alone")


class Links(html.parser.HTMLParser):
    """URLs that a page would fetch."""

    def __init__(self):
        super().__init__()
        self.outside = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.outside.append(value)


def structure(page):
    links = Links()
    links.feed(page)
    if links.outside or "@import" in page or "url(http" in page:
        fail(f"the page is not self-contained: {links.outside}")
    for svg in plots(page):
        check_plot(svg)
    if 'id="method"' not in page:
        fail("nothing about the method")
    check_marks(page)


def check_marks(page):
    """Every mark has its meaning."""
    meanings = re.search(r'<p class="marks">(.*?)</p>', page, re.S)
    known = re.findall(r"(?:^|<br>)(\S) ", meanings.group(1) if meanings else "")
    used = "".join(re.findall(r"<td>[\d,.]+([^\d,.<]*)</td>", page))
    if set(used) != set(known):
        fail(f"marks without a meaning: {used}, {known}")


def picture(page):
    svg = ET.fromstring(page)
    found = [e for e in svg.iter(f"{NS}svg") if e.get("class") == "plot"]
    if len(found) != 1:
        fail(f"{len(found)} plots in a picture")
    check_plot(found[0])
    if len(page) > 100_000 or re.search(r"<script|href=|url\((?!#)|@import", page):
        fail("not small, or not self-contained")
    words = " ".join(e.text or "" for e in svg.findall(f"{NS}text"))
    for wanted in ("Linux ", "QEMU", "commit ", "round", "subtracted", "not cycles"):
        if wanted not in words:
            fail(f'nothing about "{wanted.strip()}" of the run')
    if re.search(r"dirty|unknown", words):
        fail(f"of no commit: {words}")


# ---- pixels ----

# Runs in a copy of the page: where the plots are on the screen.
PROBE = """<script>addEventListener('load', () => { document.documentElement.setAttribute('data-plots',
JSON.stringify([...document.querySelectorAll('svg.plot')].map(s => { const r = s.getBoundingClientRect();
return {title: s.querySelector('title').textContent, x: r.x, y: r.y + scrollY, w: r.width, h: r.height,
marks: [...s.querySelectorAll('.mark')].filter(m => { const b = m.getBoundingClientRect();
return b.width > 0 && b.height > 0 }).length} }))) })</script>"""


def chromium(browser, *args):
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                           *args], capture_output=True, text=True, timeout=90, check=False)
    if done.returncode:
        fail(f"{browser}: {done.stderr[-500:]}")
    return done.stdout


def unfilter(kind, line, above, step):
    """One row of a PNG (RFC 2083, section 6)."""
    for i, value in enumerate(line):
        a = line[i - step] if i >= step else 0
        b = above[i]
        c = above[i - step] if i >= step else 0
        if kind == 4:
            p = a + b - c
            a = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        line[i] = (value + (0, a, b, (a + b) // 2, a)[kind]) & 255
    return line


def read_png(name):
    """Rows of pixels, bytes of one pixel."""
    with open(name, "rb") as f:
        data = f.read()
    at, body, width, step = 8, b"", 0, 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, _, depth, colour = struct.unpack(">IIBB", chunk[:10])
            step = {2: 3, 6: 4}[colour]
            assert depth == 8
        elif kind == b"IDAT":
            body += chunk
        at += 12 + size
    raw, rows, above = zlib.decompress(body), [], bytes(width * step)
    for i in range(0, len(raw), width * step + 1):
        line = bytearray(raw[i + 1:i + 1 + width * step])
        above = unfilter(raw[i], line, above, step) if raw[i] else line
        rows.append(above)
    return rows, step


def inked(rows, step, x0, y0, x1, y1):
    """Share of the columns with a colour other than white and the light grid."""
    columns = 0
    for x in range(int(x0), int(x1)):
        columns += any(min(rows[y][x * step:x * step + 3]) < 180 for y in range(int(y0), int(y1)))
    return columns / (x1 - x0)


def pixels(page):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        print("SKIP report: no chromium")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as d:
        copy, shot = d + "/copy.html", d + "/shot.png"
        with open(copy, "w", encoding="utf-8") as f:
            f.write(page.replace("</body>", PROBE + "</body>"))
        dom = chromium(browser, "--window-size=980,1000", "--dump-dom", f"file://{copy}")
        seen = json.loads(html.unescape(re.search(r'data-plots="([^"]*)"', dom).group(1)))
        if len(seen) != len(plots(page)):
            fail(f"{len(plots(page))} plots, {len(seen)} on the screen")
        height = int(max(p["y"] + p["h"] for p in seen)) + 20
        chromium(browser, f"--window-size=980,{height}", f"--screenshot={shot}", f"file://{copy}")
        rows, step = read_png(shot)
    for p in seen:
        # inside the axes, the line of the x axis left out
        share = inked(rows, step, p["x"] + 90, p["y"] + 36, p["x"] + p["w"] - 152, p["y"] + p["h"] - 64)
        if not p["marks"] or share < 0.02:
            fail(f"{p['title']}: nothing is seen between the axes ({share:.3f})")
        print(f"seen: {p['title']}: {p['marks']} marks, ink in {share * 100:.0f} % of the columns")


def main():
    checks = {"structure": structure, "picture": picture, "pixels": pixels}
    if len(sys.argv) != 3 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    with open(sys.argv[2], encoding="utf-8") as f:
        checks[sys.argv[1]](f.read())


if __name__ == "__main__":
    main()
