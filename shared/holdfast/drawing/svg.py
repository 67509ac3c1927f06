"""Small pieces of SVG: numbers, elements and scales. Text is escaped; figures are rounded to a tenth of a pixel."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)  # what a step may begin with
CLOCK = (  # seconds that a clock or a calendar would mark
    *(1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900),
    *(1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400),
)


def number(value: float) -> str:
    """Write a coordinate.

    >>> number(12.04), number(3.0)
    ('12', '3')
    """
    return f"{value:.1f}".removesuffix(".0")


def rect(x: float, y: float, width: float, height: float, style: str, *, title: str = "") -> str:
    corners = f'x="{number(x)}" y="{number(y)}" width="{number(max(0, width))}" height="{number(max(0, height))}"'
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect class="{style}" {corners}>{inside}</rect>' if inside else f'<rect class="{style}" {corners}/>'


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<path class="{style}" d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"/>'


def text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    placed = f'x="{number(x)}" y="{number(y)}"'
    named = f' class="{style}"' if style else ""
    turned = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f"<text{named} {placed}{turned}>{escape(words)}</text>"


def runs(x: float, y: float, words: Iterable[tuple[str, str]], anchor: str = "start") -> str:
    """One line of text in several styles: ``words`` are (style, text)."""
    inside = "".join(f'<tspan class="{style}">{escape(word)}</tspan>' for style, word in words)
    return f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}" xml:space="preserve">{inside}</text>'


def area(upper: Iterable[tuple[float, float]], lower: Iterable[tuple[float, float]], style: str) -> str:
    """The surface between two lines that run from left to right."""
    points = [*upper, *reversed(list(lower))]
    return f'<path class="{style}" d="{_path(points)}Z"/>'


def polyline(points: Iterable[tuple[float, float]], style: str) -> str:
    return f'<path class="{style}" d="{_path(list(points))}"/>'


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


@dataclass(frozen=True, slots=True)
class Scale:
    """From a figure in ``0 … top`` to a coordinate between ``begin`` and ``end``."""

    top: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        return self.begin + (self.end - self.begin) * value / self.top

    def ticks(self, most: int) -> list[float]:
        """At most ``most`` round figures from 0 up to the top.

        >>> Scale(1000, 0, 100).ticks(5)
        [0.0, 250.0, 500.0, 750.0, 1000.0]
        """
        return self._every(round_step(self.top / (most - 1)))

    def clock_ticks(self, most: int) -> list[float]:
        """The same for seconds."""
        wanted = self.top / (most - 1)
        return self._every(next((step for step in CLOCK if step >= wanted), round_step(wanted)))

    def _every(self, step: float) -> list[float]:
        return [step * place for place in range(int(self.top / step) + 1)]


def round_step(wanted: float) -> float:
    """The smallest round step that is no smaller than ``wanted``, and at least 1: jobs and calls are whole."""
    size = 10.0 ** floor(log10(max(wanted, 1)))
    return next(step * size for step in ROUND if step * size >= wanted)


def round_top(value: float, parts: int) -> float:
    """A round figure at or above ``value``, for the end of an axis of at most ``parts`` steps."""
    step = round_step(value / parts)
    return max(1, ceil(value / step)) * step
