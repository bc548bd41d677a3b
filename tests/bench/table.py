"""table.py - figures with their spread, and the targets beside them."""
import collections
import statistics

# what was measured, each time; target: ("<=" or ">=", number), or None where it only informs
Figure = collections.namedtuple("Figure", "what unit values target")
HOLDS = {"<=": lambda value, limit: value <= limit, ">=": lambda value, limit: value >= limit}


def text(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def row(figure):
    middle = statistics.median(figure.values)
    spread = (f"{text(min(figure.values))} .. {text(max(figure.values))}"
              if len(figure.values) > 1 else "")
    target = verdict = ""
    if figure.target:
        sign, limit = figure.target
        target = f"{sign} {text(limit)}"
        verdict = "yes" if HOLDS[sign](middle, limit) else "NO"
    return figure.what, text(middle), figure.unit, spread, target, verdict


def print_table(figures):
    """How many targets were missed."""
    rows = [("figure", "median", "unit", "spread", "target", "holds"), *map(row, figures)]
    print_rows(rows, {1})
    return sum(line[5] == "NO" for line in rows)


def print_rows(rows, numbers):
    """Aligned, a line under the first one; the columns in numbers are."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for place, line in enumerate(rows):
        print("  ".join(word.rjust(width) if i in numbers else word.ljust(width)
                        for i, (word, width) in enumerate(zip(line, widths))).rstrip())
        if place == 0:
            print("  ".join("-" * width for width in widths))
