#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of qmap-bench as one HTML file with plots, and as a Markdown table.

    report.py --html FILE --markdown FILE|- RESULTS...
    report.py --picture FILE.svg RESULTS...

Plots are SVG written here: they need nothing but a browser. Paths differ by pattern, marker, dash
and a word, never by colour alone. If a result was measured more than once, the last one counts. Marks behind a
figure tell its faults: see MARKS.
"""
import argparse
import html
import json
import math
import sys
import time

PATHS = ["shim", "xdp", "rmnet", "qmimux", "rmnet-observed", "qmimux-observed", "usb"]
FILLS = ["#1b4f72", "#d68910", "#7d7d7d", "#b03a2e", "#1e8449", "#6c3483", "#117a8b"]
DASHES = ["", "8 4", "2 3", "10 3 2 3", "5 2", "1 2", "12 4"]
PERCENTILES = ("p50", "p90", "p99", "p100")
WIDTH, HEIGHT = 900, 380
LEFT, RIGHT, TOP, BOTTOM = 80, 150, 34, 60
PLOT_W, PLOT_H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


MARKS = (("*", "one round: its noise is not known"),
         ("\u2020", "measured at another commit, or on another machine, than the last result"),
         ("\u2021", "packets were lost: worthless"))


def origin(r):
    return r.get("commit"), r.get("cpu")


def mark(results, last):
    for r in results:
        faults = (r.get("rounds", 1) == 1, origin(r) != origin(last), r.get("lost", 0) != 0)
        r["marks"] = "".join(m for (m, _), fault in zip(MARKS, faults) if fault)
    return results


def read(files):
    """The last result of each name, unit and, for guests, kernel; in order of first appearance."""
    results, r = {}, None
    for name in files:
        with open(name, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if not line.strip():
                    continue
                try:
                    r = json.loads(line)
                    key = (r["name"], r["unit"], r["kernel"] if "case" in r else "")
                    float(r["value"])
                except (ValueError, KeyError, TypeError) as e:
                    sys.exit(f"{name}:{number}: not a result: {e}")
                results[key] = r
    return mark(list(results.values()), r)


def text(s):
    return html.escape(str(s), quote=True)


def short(value):
    """Three significant digits, without an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - int(math.floor(math.log10(abs(value)))))
    return f"{value:,.{digits}f}"


def figure(r):
    return short(r["value"]) + r["marks"]


def legend(results):
    """The marks that are used, each with its meaning."""
    used = "".join(r["marks"] for r in results)
    return [f"{m} {meaning}" for m, meaning in MARKS if m in used]


# ---- axes ----


def ticks(top):
    """About five round numbers from 0 to at least `top`."""
    step = 10 ** math.floor(math.log10(top / 5)) if top > 0 else 1
    for factor in (1, 2, 5, 10):
        if top / (step * factor) <= 6:
            step *= factor
            break
    return [i * step for i in range(math.ceil(top / step - 1e-9) + 1)]


def decades(low, high):
    """1, 2 and 5 times powers of ten, from at most `low` to at least `high`; only the powers if there are many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = [f * 10.0 ** e for e in range(first, last + 1) for f in (1, 2, 5)]
    below, above = max(t for t in every if t <= low * 1.001), min(t for t in every if t >= high * 0.999)
    steps = [t for t in every if below <= t <= above]
    return steps if len(steps) <= 9 else [10.0 ** e for e in range(first, last + 1)]


class Svg:
    """One plot: axes, legend, marks. `title` and `desc` are for readers who cannot see it. With `low` the
    axis is logarithmic and begins there at the latest."""

    def __init__(self, number, title, unit, top, desc, low=None):
        self.number, self.title, self.desc, self.log = number, title, desc, low is not None
        self.ticks = decades(low, top) if self.log else ticks(top)
        self.parts = []
        self.y_axis(unit + (" (logarithmic)" if self.log else ""))

    def y(self, value):
        if not self.log:
            return TOP + PLOT_H * (1 - value / self.ticks[-1])
        low, high = math.log(self.ticks[0]), math.log(self.ticks[-1])
        return TOP + PLOT_H * (1 - (math.log(max(value, self.ticks[0])) - low) / (high - low))

    def add(self, part):
        self.parts.append(part)

    def label(self, x, y, s, anchor="middle", cls="", turn=0):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{cls}"{turned}>'
                 f"{text(s)}</text>")

    def y_axis(self, unit):
        for t in self.ticks:
            self.add(f'<line class="grid" x1="{LEFT}" x2="{LEFT + PLOT_W}" y1="{self.y(t):.1f}" '
                     f'y2="{self.y(t):.1f}"/>')
            self.label(LEFT - 8, self.y(t) + 4, f"{t:,.12g}", "end")
        self.label(18, TOP + PLOT_H / 2, unit, cls="axis", turn=-90)
        self.add(f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{TOP + PLOT_H}"/>'
                 f'<line class="axis" x1="{LEFT}" x2="{LEFT + PLOT_W}" y1="{TOP + PLOT_H}" '
                 f'y2="{TOP + PLOT_H}"/>')

    def spread(self, x, low, high):
        y1, y2 = self.y(max(low, 0)), self.y(min(high, self.ticks[-1]))
        self.add(f'<path class="spread" d="M{x:.1f} {y1:.1f}V{y2:.1f}M{x - 4:.1f} {y1:.1f}h8'
                 f'M{x - 4:.1f} {y2:.1f}h8"/>')

    def broken(self, x, y, width):
        """A gap across a bar that is longer than can be drawn."""
        self.add(f'<path d="M{x - 2:.1f} {y + 4:.1f}l{width + 4:.1f} -8v5l{-width - 4:.1f} 8z" fill="#fff" '
                 f'stroke="#000"/>')

    def pattern(self, i):
        """Hatches that differ by direction and width."""
        fill, pid = FILLS[i % len(FILLS)], f"p{self.number}-{i}"
        body = [f'<rect width="10" height="10" fill="{fill}"/>',
                f'<rect width="10" height="10" fill="#fff"/><path d="M0 10L10 0M-2 2L2 -2M8 12L12 8" '
                f'stroke="{fill}" stroke-width="3"/>',
                f'<rect width="10" height="10" fill="#fff"/><circle cx="5" cy="5" r="2.6" fill="{fill}"/>',
                f'<rect width="10" height="10" fill="#fff"/><path d="M0 5H10M5 0V10" stroke="{fill}" '
                f'stroke-width="2"/>',
                f'<rect width="10" height="10" fill="#fff"/><path d="M0 5H10" stroke="{fill}" '
                f'stroke-width="4"/>',
                f'<rect width="10" height="10" fill="#fff"/><path d="M5 0V10" stroke="{fill}" '
                f'stroke-width="4"/>'][i % 6]
        self.add(f'<defs><pattern id="{pid}" width="10" height="10" '
                 f'patternUnits="userSpaceOnUse">{body}</pattern></defs>')
        return f"url(#{pid})"

    def finish(self):
        return (f'<svg class="plot" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
                f'height="{HEIGHT}" xmlns="http://www.w3.org/2000/svg"><title>{text(self.title)}'
                f"</title><desc>{text(self.desc)}</desc>{''.join(self.parts)}</svg>")


def marker(i, x, y):
    fill = FILLS[i % len(FILLS)]
    shape = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"',
             f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"',
             f'<path d="M{x:.1f} {y - 6:.1f}l6 11h-12z"',
             f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z"',
             f'<path d="M{x:.1f} {y + 6:.1f}l6 -11h-12z"',
             f'<path d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10" stroke="{fill}" stroke-width="3"'][i % 6]
    return f'{shape} fill="{fill}" class="mark"/>'


def top_of(groups):
    """The end of the axis: xdp's many copies would flatten all others, so its bars may be cut off."""
    tops = {s: max(g[s]["value"] + g[s].get("spread", 0) for _, g in groups if s in g)
            for s in {s for _, g in groups for s in g}}
    others = [t for s, t in tops.items() if s != "xdp"]
    cut = "xdp" in tops and others and tops["xdp"] > 2 * max(others)
    return max(others) * 1.25 if cut else max(tops.values())


def bars(number, title, unit, groups, series):
    """groups: [(name, {series: result})]. One bar each, its spread, its number."""
    top = top_of(groups)
    svg = Svg(number, title, unit, top * 1.12,
              "; ".join(f"{n}: " + ", ".join(f"{s} {figure(r)}" for s, r in g.items())
                        for n, g in groups))
    fills = {s: svg.pattern(i) for i, s in enumerate(series)}
    group_w = PLOT_W / len(groups)
    bar_w = min(44, group_w * 0.84 / len(series))
    size = "small" if bar_w < 38 else ""
    for k, (name, group) in enumerate(groups):
        present = [s for s in series if s in group]
        x = LEFT + group_w * (k + 0.5) - bar_w * len(present) / 2
        for s in present:
            r = group[s]
            cut = r["value"] > svg.ticks[-1]
            y = TOP + 26 if cut else svg.y(max(r["value"], 0))
            svg.add(f'<rect class="mark bar" x="{x:.1f}" y="{y:.1f}" width="{bar_w - 2:.1f}" '
                    f'height="{max(TOP + PLOT_H - y, 0.5):.1f}" fill="{fills[s]}" stroke="#000">'
                    f"<title>{text(name)}, {text(s)}: {figure(r)} {text(unit)}</title></rect>")
            if cut:
                svg.broken(x, y + 14, bar_w - 2)
            else:
                svg.spread(x + bar_w / 2, r["value"] - r.get("spread", 0),
                           r["value"] + r.get("spread", 0))
            above = y - 6 if cut else svg.y(max(r["value"] + r.get("spread", 0), 0)) - 6
            svg.label(x + bar_w / 2 + (3 if size else 0), above, figure(r),
                      "start" if size else "middle", size, -60 if size else 0)
            x += bar_w
        wide = group_w < 9 * len(name) * 0.75
        svg.label(LEFT + group_w * (k + 0.5), TOP + PLOT_H + 16, name, "end" if wide else "middle",
                  "group", -25 if wide else 0)
    for i, s in enumerate(series):
        y = TOP + 10 + 22 * i
        svg.add(f'<rect x="{LEFT + PLOT_W + 14}" y="{y - 11}" width="20" height="14" '
                f'fill="{fills[s]}" stroke="#000"/>')
        svg.label(LEFT + PLOT_W + 40, y, s, "start")
    return svg.finish()


def curves(number, title, unit, xlabel, series):
    """series: {name: [(x, result)]}. x is spaced by its logarithm: sizes and counts double."""
    points = [p for s in series.values() for p in s]
    xs = sorted({x for x, _ in points})
    highest = max(r["value"] for _, r in points)
    lowest = min(r["value"] for _, r in points)
    svg = Svg(number, title, unit, highest * 1.08,
              "; ".join(f"{n}: " + ", ".join(f"{figure(r)} at {x:g}" for x, r in s)
                        for n, s in series.items()),
              lowest if 0 < lowest * 8 < highest else None)
    low, high = math.log(xs[0]), math.log(xs[-1])

    def at(x):
        return LEFT + 20 + (PLOT_W - 40) * ((math.log(x) - low) / (high - low) if high > low else 0.5)

    last = -100
    for x in xs:
        svg.add(f'<line class="axis" x1="{at(x):.1f}" x2="{at(x):.1f}" y1="{TOP + PLOT_H}" '
                f'y2="{TOP + PLOT_H + 5}"/>')
        if at(x) - last > 34:
            svg.label(at(x), TOP + PLOT_H + 19, f"{x:g}")
            last = at(x)
    svg.label(LEFT + PLOT_W / 2, HEIGHT - 14, xlabel, cls="axis")
    taken = []
    for i, (name, line) in enumerate(series.items()):
        line = sorted(line, key=lambda p: p[0])
        svg.add(f'<polyline class="mark line" fill="none" stroke="{FILLS[i % 6]}" stroke-width="2.5" '
                f'stroke-dasharray="{DASHES[i % 6]}" points="'
                + " ".join(f"{at(x):.1f},{svg.y(r['value']):.1f}" for x, r in line) + '"/>')
        for x, r in line:
            svg.spread(at(x), r["value"] - r.get("spread", 0), r["value"] + r.get("spread", 0))
            svg.add(marker(i, at(x), svg.y(r["value"])))
        y = svg.y(line[-1][1]["value"]) + 4
        while any(abs(y - t) < 15 for t in taken):
            y -= 4
        taken.append(y)
        svg.add(marker(i, LEFT + PLOT_W + 14, y - 4).replace(' class="mark"', ""))
        svg.label(LEFT + PLOT_W + 26, y, name, "start")
    return svg.finish()


def percentiles(number, title, unit, groups, series):
    """groups: [(name, {series: result})]. A marker at the median, a line up to the largest, ticks at 90 and
    99 of 100."""
    results = [r for _, g in groups for r in g.values()]
    svg = Svg(number, title, unit, max(r["p100"] for r in results) * 1.1,
              "; ".join(f"{n}: " + ", ".join(f"{s} " + "/".join(short(r[p]) for p in PERCENTILES)
                                             for s, r in g.items()) for n, g in groups),
              min(r["p50"] for r in results) * 0.9)
    group_w = PLOT_W / len(groups)
    for k, (name, group) in enumerate(groups):
        present = [s for s in series if s in group]
        for j, s in enumerate(present):
            r, x = group[s], LEFT + group_w * (k + (j + 1) / (len(present) + 1))
            p50, p90, p99, p100 = (svg.y(r[p]) for p in PERCENTILES)
            svg.add(f'<path class="spread" d="M{x:.1f} {p50:.1f}V{p100:.1f}M{x - 6:.1f} {p90:.1f}h12'
                    f'M{x - 9:.1f} {p99:.1f}h18"><title>{text(name)}, {text(s)}: '
                    + ", ".join(f"{p} {short(r[p])}" for p in PERCENTILES) + "</title></path>")
            svg.add(marker(series.index(s), x, p50))
        wide = group_w < 9 * len(name) * 0.75
        svg.label(LEFT + group_w * (k + 0.5), TOP + PLOT_H + 16, name, "end" if wide else "middle",
                  "group", -25 if wide else 0)
    for i, s in enumerate(series):
        svg.add(marker(i, LEFT + PLOT_W + 24, TOP + 6 + 22 * i).replace(' class="mark"', ""))
        svg.label(LEFT + PLOT_W + 40, TOP + 10 + 22 * i, s, "start")
    svg.label(LEFT + PLOT_W + 14, TOP + 10 + 22 * len(series), "mark: median", "start", "small")
    svg.label(LEFT + PLOT_W + 14, TOP + 24 + 22 * len(series), "ticks: 90, 99 %; end: all", "start", "small")
    return svg.finish()


# ---- which plots ----


def guests(results, quantity="cost"):
    """{(kernel, unit): {case: {path: result}}} of results without a factor that varies."""
    found = {}
    for r in results:
        if "case" in r and "factor" not in r and r.get("quantity", "cost") == quantity:
            found.setdefault((r["kernel"], r["unit"]), {}).setdefault(r["case"], {})[r["path"]] = r
    return found


def factors(results):
    """{(kernel, unit, factor, case): {path: [(x, result)]}} of costs with one factor varied."""
    found = {}
    for r in results:
        if r.get("quantity", "cost") == "cost" and "factor" in r and \
                isinstance(r.get("x"), (int, float)) and r["x"] > 0:
            key = (where(r), r["unit"], r["factor"], r.get("direction", "downlink"))
            found.setdefault(key, {}).setdefault(r["path"], []).append((r["x"], r))
    return {k: v for k, v in found.items() if len({x for s in v.values() for x, _ in s}) > 1}


def where(result):
    """The kernel measured; in a guest it is not the machine's own."""
    return result["kernel"] + (" in a guest" if "case" in result else "")


def order(paths):
    return [p for p in PATHS if p in paths] + sorted(p for p in paths if p not in PATHS)


def per_packet(unit):
    return {"insns": "instructions per packet", "ns": "ns per packet"}.get(unit, unit)


def chunks(items, n):
    return [items[i:i + n] for i in range(0, len(items), n)]


QUANTITIES = (
    ("cost", "bars", "Cost by data path"),
    ("latency", "percentiles", "Latency added, from the write of an aggregate to the port (uplink: from send() "
     "to the modem)"),
    ("coalescing", "bars", "Packets in one that the stack sees (uplink: in one transfer)"),
    ("memory", "bars", "Memory charged for a packet"))


def guest_plots(results):
    for quantity, kind, title in QUANTITIES:
        for (kernel, unit), cases in guests(results, quantity).items():
            cases = {c: {p: r for p, r in g.items() if r["value"] > 0} for c, g in cases.items()}
            for part in chunks([(c, g) for c, g in cases.items() if g], 6):
                series = order({p for _, g in part for p in g})
                label = per_packet(unit) if quantity == "cost" else unit
                yield (kind, f"{title}, {kernel} in a guest", label, part, series)


def factor_plots(results):
    for (kernel, unit, factor, what), series in factors(results).items():
        lines = {p: series[p] for p in order(series)}
        yield ("curves", f"{what}: cost over {factor}, {kernel}", per_packet(unit), factor, lines)


def host_groups(results, prefix, split):
    """[(group, {series: result})] of results called prefix...; split(rest) is (group, series)."""
    groups = {}
    for r in results:
        if r["name"].startswith(prefix):
            names = split(r["name"][len(prefix):])
            if names:
                groups.setdefault(names[0], {})[names[1]] = r
    return list(groups.items())


def program_names(rest):
    prog, version, mix = rest.split(".", 2)
    return (mix, version) if prog == "qmap_shim_rx" else None


def split_names(rest):
    prog, version, mix = rest.split(".", 2)
    return (mix, version) if prog == "qmap_split" else None


def modem_names(*wanted):
    def names(rest):
        path, test, *more = rest.split(".")
        return (f"{test}.{more[0]}", path) if more and more[0] in wanted else None
    return names


def host_plots(results):
    for prefix, title, unit, split in (
            ("programs.run.", "qmap_split by BPF_PROG_RUN", "ns per frame", split_names),
            ("programs.run.", "qmap_shim_rx by BPF_PROG_RUN", "ns per frame", program_names),
            ("modem.", "A modem's trunk: IP packets", "Mbit/s", modem_names("down", "up")),
            ("modem.", "A modem's trunk: CPU time, that of the load included", "ms per Gbit",
             modem_names("cpu_per_gbit", "generator", "softirq")),
            ("demo.", "TCP and UDP (300 Mbit/s offered) through modem, qmapd and one of four PDNs",
             "Mbit/s", lambda rest: tuple(rest.split(".", 1))),
            ("system.throughput.", "iperf3 through software modem and qmapd, four PDNs", "Mbit/s",
             lambda rest: tuple(rest.split(".", 1)) if "." in rest else (rest, "throughput"))):
        groups = host_groups(results, prefix, split)
        if groups:
            series = list(dict.fromkeys(s for _, g in groups for s in g))
            yield ("bars", title, unit, groups, series)


def draw(results):
    plots = [*guest_plots(results), *factor_plots(results), *host_plots(results)]
    out = []
    for number, (kind, title, unit, a, b) in enumerate(plots):
        svg = {"bars": bars, "curves": curves, "percentiles": percentiles}[kind](number, title, unit, a, b)
        out.append(f"<figure><figcaption>{text(title)}</figcaption>{svg}</figure>")
    return out


# ---- the first sentence ----


def against_rmnet(cases, path):
    """[(ratio, case)] where both are of one origin and lost nothing; the smallest first."""
    pairs = [(g[path], g["rmnet"], case) for case, g in cases.items() if path in g and "rmnet" in g]
    return sorted((a["value"] / b["value"], case) for a, b, case in pairs
                  if b["value"] > 0 and origin(a) == origin(b) and not a.get("lost") and not b.get("lost"))


def lead(results):
    """Compares the paths of qmap with the kernel's: the worst case, too."""
    found = []
    for (kernel, unit), cases in guests(results).items():
        for path in ("shim", "usb", "xdp") if unit == "insns" else ():
            ratios = against_rmnet(cases, path)
            if ratios:
                (low, best), (high, worst) = ratios[0], ratios[-1]
                found.append(f"{path} takes fewer instructions for a packet than rmnet in "
                             f"{sum(r < 1 for r, _ in ratios)} of {len(ratios)} cases on Linux {kernel} in a guest: "
                             f"{low:.2f} ({best}) to {high:.2f} times as many ({worst}).")
    return found or ["None of these results compares a data path of qmap with rmnet."]


# ---- the picture of README ----

PICTURE = (("usb-tcp-socket-v5", "TCP to a socket"), ("usb-tcp-socket", "the same, QMAP v1"),
           ("usb-ul-single", "UDP sent"))


def picture(results):
    """One plot as a file of its own, with what a reader must know of the run beside it."""
    found = [(name, group[case]) for group in guests(results).values() for case, name in PICTURE if case in group]
    if len(found) != len(PICTURE):
        sys.exit("the picture wants one run of " + " ".join(c for c, _ in PICTURE))
    used = [r for _, g in found for r in g.values()]
    if any(r.get("lost") for r in used):
        sys.exit("packets were lost: " + " ".join(r["name"] for r in used if r.get("lost")))
    if len({origin(r) for r in used}) > 1:
        sys.exit("the picture wants results of one commit on one machine")
    for r in used:
        r["marks"] = ""  # the notes say it
    first = used[0]
    title = "Instructions that a packet costs, by data path: less is better"
    plot = bars(0, title, "instructions per packet", found, order({p for _, g in found for p in g}))
    emulator = first["emulator"].split(" (")[0].replace("emulator version ", "")
    notes = (f"Emulated modem on USB, Linux {first['kernel']}, {emulator}; qmap at commit "
             f"{first['commit']}, {rounds_of(used)}.",
             "TCP: 21 x 1400 B in a transfer, from its end to the socket. UDP: datagrams of 1400 B, from send() to "
             "the transfer. What the",
             "same load costs with a driver that does nothing is subtracted. Guest instructions by -icount, not cycles. "
             "qmimux knows",
             "QMAP v1 alone; rmnet and qmimux are the kernel's own. A bar with a gap is cut off, its number is not.")
    lines = "".join(f'<text x="20" y="{HEIGHT + 60 + 18 * i}">{text(n)}</text>' for i, n in enumerate(notes))
    style = STYLE[STYLE.index("svg text {"):]
    plot = plot.replace("<svg ", '<svg y="36" ', 1)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 124}" width="{WIDTH}" '
            f'height="{HEIGHT + 124}"><style>{style}</style><rect width="100%" height="100%" fill="#fff"/>'
            f'<text x="20" y="26" style="font: bold 16px sans-serif">{text(title)}</text>'
            f"{plot}{lines}</svg>\n")


def rounds_of(results):
    n = {r.get("rounds", 1) for r in results}
    return "one round" if n == {1} else f"median of {min(n)} rounds"


# ---- tables ----


def circumstances(results):
    rows = []
    for key in ("kernel", "cpu", "cpus", "governor", "jit", "capabilities", "emulator", "commit"):
        values = dict.fromkeys(str(r[key]) for r in results if key in r)
        if values:
            rows.append((key, ", ".join(values)))
    for key in ("qmap", "libbpf", "clang"):
        values = dict.fromkeys(str(r["versions"][key]) for r in results
                               if isinstance(r.get("versions"), dict) and key in r["versions"])
        if values:
            rows.append((key, ", ".join(values)))
    times = [r["time"] for r in results if isinstance(r.get("time"), int)]
    if times:
        days = dict.fromkeys(time.strftime("%Y-%m-%d", time.gmtime(t)) for t in (min(times), max(times)))
        rows.append(("measured", " to ".join(days)))
    return "".join(f"<tr><th>{text(k)}</th><td>{text(v)}</td></tr>" for k, v in rows)


def result_rows(results):
    for r in results:
        cells = [r["name"], figure(r), short(r.get("spread", 0)), r["unit"],
                 r.get("rounds", 1), r.get("method", ""),
                 short(r["ratio_to_rmnet"]) if "ratio_to_rmnet" in r else "",
                 short(r["base"]) if "base" in r else "", r.get("lost", "")]
        yield "<tr>" + "".join(f"<td>{text(c)}</td>" for c in cells) + "</tr>"


def markdown(results):
    """Cases by path, for results from guests; below, the main results of this machine."""
    out = []
    for (kernel, unit), cases in guests(results).items():
        paths = order({p for g in cases.values() for p in g})
        method = next(iter(next(iter(cases.values())).values())).get("method", "")
        out.append(f"{per_packet(unit).capitalize()}, {method}, Linux {kernel}; in brackets the ratio "
                   "to rmnet in the same run:\n")
        out.append("| case | " + " | ".join(paths) + " |\n|---|" + "---|" * len(paths))
        for case, group in cases.items():
            cells = [cell(group.get(p)) for p in paths]
            out.append(f"| {case} | " + " | ".join(cells) + " |")
        out.append("")
    out += ["\\" + m + "  " for m in legend(results)] + [""]
    rest = [r for r in results if r["name"].startswith(("programs.run.", "demo.", "system."))
            and not any(v in r["name"] for v in (".v1.", ".v4.", ".ratio."))]
    if rest:
        out.append("| on this machine | median | spread | unit | method |\n|---|---|---|---|---|")
        out += [f"| {r['name']} | {figure(r)} | {short(r.get('spread', 0))} | {r['unit']} | "
                f"{r.get('method', '')} |" for r in rest]
    return "\n".join(out) + "\n"


def cell(r):
    if not r:
        return ""
    ratio = r.get("ratio_to_rmnet")
    return figure(r) + (f" ({ratio:.2f})" if ratio is not None else "")


# ---- the page ----

STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 940px; margin: 1em auto; padding: 0 1em; color: #111;
       background: #fff }
figure { margin: 1.6em 0 } figcaption { font-weight: bold; margin-bottom: .3em }
table { border-collapse: collapse; font-size: 13px } th { text-align: left }
td, th { border: 1px solid #999; padding: 2px 6px } td { font-variant-numeric: tabular-nums }
svg.plot { background: #fff; max-width: 100%; height: auto } svg text { font: 12px sans-serif }
svg text.small { font-size: 10px } svg text.axis { font-weight: bold }
svg .grid { stroke: #ddd } svg line.axis { stroke: #000 } svg .spread { stroke: #000; fill: none }
"""

METHOD = """
<h2 id="method">Method, and what these numbers are not</h2>
<ul>
<li><b>Median and spread.</b> A value is the median of its rounds; the whiskers are the median absolute
deviation. Rounds of different results are taken in turn, so that a disturbance hits all of them.</li>
<li><b>icount.</b> In guests QEMU counts guest instructions. An instruction of an emulator is not a cycle: caches,
branch prediction and memory bandwidth do not exist there, copies count one instruction per 8 bytes, and a path
that misses caches looks better than it is. Ratios between paths of the same run mean more than the numbers.</li>
<li><b>The same again.</b> Random numbers, time of day and addresses of a guest are the same at every boot, and
what the kernel leaves to threads runs before the next aggregate is made: then a boot repeats the one before, and
one round is exact, but says nothing of chance. How much a value owes to how hashes and memory happened to fall is
shown by other seeds (<code>VARY=1 bench/vm-repeat.sh</code>).</li>
<li><b>Latency.</b> Each packet carries the time at which its aggregate was written (uplink: at which it was sent),
and is looked at where it leaves the path. Under icount a nanosecond is an instruction, or a nanosecond that an
aggregator's timer waits; each downlink aggregate meets an idle path.</li>
<li><b>CPU map.</b> Where flows are steered to several CPUs the emulator still runs one CPU at a time, and its clock
goes on for all. The speed-up bound is reckoned from what the busiest CPU does.</li>
<li><b>guest clock.</b> The guest's own time. Without KVM that is the time the emulator takes, which is no
measure of a processor either; it checks that icount does not mislead.</li>
<li><b>Base.</b> What generating and injecting packets costs was measured in the same run, without any data path,
and is already subtracted where a base is shown. Where nothing is left, the value is in the table alone.</li>
<li><b>BPF_PROG_RUN.</b> The same input again and again: everything in the cache, every branch learnt. A lower
bound.</li>
<li><b>wall.</b> Elapsed time. Generator, data path and receiver share the machine's CPUs: such values compare
versions of qmap on one machine, not qmap with a modem.</li>
<li><b>Lost.</b> Packets that neither arrived nor were dropped on purpose. Anything but 0 makes a value
worthless.</li>
<li><b>Peers.</b> rmnet and qmimux are built from the source of the kernel that runs, rmnet with receive checksums
on and with uplink aggregation.</li>
<li><b>Capabilities.</b> A loader without CAP_PERFMON gets programs with Spectre masking, which are slower.</li>
</ul>
"""


def page(results):
    plots = draw(results)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>qmap: measurements</title>
<style>{STYLE}</style></head><body>
<h1>qmap: measurements</h1>
{''.join(f'<p class="lead">{text(s)}</p>' for s in lead(results))}
<p class="marks">{'<br>'.join(map(text, legend(results)))}</p>
<p>{len(results)} results. <a href="#method">How they were made, and what they are not.</a></p>
<table>{circumstances(results)}</table>
<h2>Plots</h2>
{''.join(plots)}
{METHOD}
<h2>All results</h2>
<table><tr><th>name</th><th>median</th><th>spread</th><th>unit</th><th>rounds</th><th>method</th>
<th>of rmnet</th><th>base</th><th>lost</th></tr>
{''.join(result_rows(results))}</table>
</body></html>
"""


def write(name, content):
    if name == "-":
        sys.stdout.write(content)
        return
    with open(name, "w", encoding="utf-8") as f:
        f.write(content)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--html")
    parser.add_argument("--markdown", default="-")
    parser.add_argument("--picture")
    parser.add_argument("results", nargs="+")
    args = parser.parse_args()
    results = read(args.results)
    if not results:
        sys.exit("no results in " + ", ".join(args.results))
    if args.picture:
        write(args.picture, picture(results))
    if args.html:
        write(args.html, page(results))
        write(args.markdown, markdown(results))
    if not args.picture and not args.html:
        parser.error("--html or --picture is missing")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(str(error))
