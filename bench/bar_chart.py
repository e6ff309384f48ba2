"""Bars beside each other as SVG, by hand: a picture for a results file."""
from xml.sax.saxutils import escape

WIDTH, NAMES, FIGURES = 760, 170, 80  # of the picture, of the column of names, of that of figures
BAR, GAP, TITLE = 18, 6, 34           # heights
OURS, OTHERS, LIMIT = "#1b7f5c", "#7a8fb3", "#b0b0b0"


def colour(name):
    if name == "carers-api":
        return OURS
    return LIMIT if name.startswith("pgbench") else OTHERS


def panel(title, bars, top):
    """The lines of one panel, each bar a name, a value and its text; and where the next begins. Every panel has its own scale."""
    longest = max(value for _, value, _ in bars) or 1
    room = WIDTH - NAMES - FIGURES - 20
    lines, y = [f'<text x="10" y="{top + 20}" font-weight="bold">{escape(title)}</text>'], top + TITLE
    for name, value, text in bars:
        width = round(room * value / longest, 1)
        lines += [f'<text x="{NAMES - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>',
                  f'<rect x="{NAMES}" y="{y}" width="{width}" height="{BAR}" fill="{colour(name)}"/>',
                  f'<text x="{NAMES + width + 6}" y="{y + 13}">{escape(text)}</text>']
        y += BAR + GAP
    return lines, y + GAP


def svg(panels):
    """`panels`: titles, each with its bars."""
    lines, y = [], 0
    for title, bars in panels:
        more, y = panel(title, bars, y)
        lines += more
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="13">',
                      f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>', *lines, "</svg>"]) + "\n"
