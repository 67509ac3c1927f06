"""The one-page report of a run: the ledger equation, the picture, what had to hold and did, what to look at next."""

from collections.abc import Iterable, Sequence
from html import escape

from holdfast.lab.report.run_picture import picture
from holdfast.lab.report.run_record import Check, RunRecord, turns

ENDS = ("succeeded", "dead", "cancelled", "expired")
HEADS = ("", "what had to hold", "figures")

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 16px/1.55 ui-sans-serif, system-ui, sans-serif; max-width: 60rem; margin: 2.5rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; }} h2 {{ font-size: 1.15rem; margin-top: 2.2rem; }}
svg {{ width: 100%; height: auto; border-radius: 6px; }}
.equation {{ font: 1.05rem/1.7 ui-monospace, monospace; padding: .8rem 1rem;
  border-left: 4px solid #12936f; overflow-x: auto; }}
.equation.broken {{ border-color: #e03131; }}
table {{ border-collapse: collapse; width: 100%; font-size: .95rem; }}
td, th {{ text-align: left; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid #8884; vertical-align: top; }}
td:first-child {{ white-space: nowrap; }} code {{ font: .92em ui-monospace, monospace; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{lead}</p>
"""
PAGE = (
    HEAD
    + """{equation}
{picture}
<h2>What had to hold</h2>
{checks}
<h2>What happened, second by second</h2>
{events}
<h2>Files</h2>
{files}
</body>
</html>
"""
)


def equation(run: RunRecord) -> str:
    """The ledger equation, as `holdfast ledger` prints it.

    accepted = succeeded + dead + cancelled + expired + live
    """
    right = " + ".join([*(f"{run.ended.get(end, 0):,} {end}" for end in ENDS), f"{run.live:,} live"])
    return f"{run.accepted:,} accepted {'=' if run.balanced else '≠'} {right}"


def equation_line(words: str, *, balanced: bool) -> str:
    """A ledger equation as a line of HTML."""
    return f'<p class="equation{"" if balanced else " broken"}">{escape(words)}</p>'


def events(run: RunRecord) -> list[tuple[str, str]]:
    """The turns of the run in order: (time, sentence)."""
    told = [(0.0, f"{run.accepted:,} jobs accepted")]
    for phase in run.phases:
        told += [(phase.begins, f"begins: {phase.name}"), (phase.ends, f"ends: {phase.name}")]
    told += [(move.at, f"breaker of {move.route}: {move.state.replace('_', ' ')}") for move in turns(run.moves)]
    told.append((run.seconds, "last job done" if not run.live else f"{run.live} jobs were still live"))
    return [(f"{at:.1f} s", sentence) for at, sentence in sorted(told, key=lambda event: event[0])]


def markdown(run: RunRecord, picture_file: str) -> str:
    """The report as Markdown, beside its picture."""
    lines = [f"# {run.title}", "", run.lead, "", f"    {equation(run)}", ""]
    lines += [f"![{run.title}]({picture_file})", "", "## What had to hold", ""]
    lines += _markdown_table(HEADS, map(_check_row, run.checks))
    lines += ["", "## What happened, second by second", "", *_markdown_table(("at", "what"), events(run))]
    lines += ["", "## Files", "", *_markdown_table(("file", "what is in it"), _files(run))]
    return "\n".join(lines) + "\n"


def page(run: RunRecord) -> str:
    """The report as one self-contained page of HTML, its picture inside."""
    return PAGE.format(
        title=escape(run.title),
        lead=escape(run.lead),
        equation=equation_line(equation(run), balanced=run.balanced),
        picture=picture(run, heading=False),
        checks=html_table(HEADS, map(_check_row, run.checks)),
        events=html_table(("at", "what"), events(run)),
        files=html_table(("file", "what is in it"), _files(run)),
    )


def _check_row(check: Check) -> tuple[str, str, str]:
    figures = ", ".join(f"{name.replace('_', ' ')} {_figure(value)}" for name, value in check.figures.items())
    missed = "✗ BROKEN" if check.is_promise else "~ missed"
    return ("✓ holds" if check.holds else missed, check.sentence, figures)


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _files(run: RunRecord) -> Sequence[tuple[str, str]]:
    return [(f"{name}", what) for name, what in run.files.items()]


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    return [*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)]
