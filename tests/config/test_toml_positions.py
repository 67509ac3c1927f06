"""Every key of a TOML text is found on the line where it stands."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from holdfast.config.toml_positions import key_lines, line_of

TEXT = '''\
# a comment with [a.header] = 1
top = "a # text ] }"
[a]          # one
b.c = 1

"quoted.key" = """
[not.a.table]
x = 1
"""
list = [   # of things
  1,
  { inner = [ "x",
    'y]' ], other = 2 },
]
[[a.rows]]
name = 'first'
[a.rows.deep]
er = true
[[a.rows]]
name = 'second'
'''

PLACES = {
    ("top",): 2,
    ("a",): 3,
    ("a", "b", "c"): 4,
    ("a", "quoted.key"): 6,
    ("a", "list"): 10,
    ("a", "list", 0): 11,
    ("a", "list", 1, "inner"): 12,
    ("a", "list", 1, "inner", 1): 13,
    ("a", "list", 1, "other"): 13,
    ("a", "rows"): 15,
    ("a", "rows", 0, "name"): 16,
    ("a", "rows", 0, "deep", "er"): 18,
    ("a", "rows", 1): 19,
    ("a", "rows", 1, "name"): 20,
}


def test_each_kind_of_key_is_found() -> None:
    tomllib.loads(TEXT)
    lines = key_lines(TEXT)
    assert {path: lines.get(path) for path in PLACES} == PLACES


def test_a_key_that_is_missing_is_placed_at_the_table_around_it() -> None:
    lines = key_lines("[a]\nb = 1\n[a.c]\n")
    assert line_of(lines, ("a", "c", "d", 3)) == 3
    assert line_of(lines, ("z",)) is None


def as_list(parts: list) -> tuple[str, dict]:
    """TOML text of a list, one element a line, and on which line (from 0) each path in it stands."""
    text, places = "[ # things\n", {}
    for index, (part, inner) in enumerate(parts):
        line = text.count("\n")
        places[(index,)] = line
        places |= {(index, *path): line + offset for path, offset in inner.items()}
        text += f"  {part},  # element {index}\n"
    return text + "]", places


def as_table(parts: dict) -> tuple[str, dict]:
    text, places = "{ ", {}
    for n, (key, (part, inner)) in enumerate(parts.items()):
        line = text.count("\n")
        name = key.strip("\"'")
        places[(name,)] = line
        places |= {(name, *path): line + offset for path, offset in inner.items()}
        text += (", " if n else "") + f"{key} = {part}"
    return text + " }", places


scalars = st.sampled_from(["1", "-2.5e3", "true", '"a]b"', "'c}d#'", "1979-05-27T07:32:00Z", '"""\nx\n"""', "''''a'''"])
elements = st.recursive(
    scalars.map(lambda text: (text, {})),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(as_list),
        st.dictionaries(st.sampled_from(["k", '"q.r"', "'s t'"]), inner, max_size=3).map(as_table),
    ),
    max_leaves=8,
)


@given(st.lists(elements, max_size=5))
def test_keys_are_found_in_any_nesting_of_lists_and_inline_tables(parts: list) -> None:
    text, expected = "", {}
    for n, (part, inner) in enumerate(parts):
        line = text.count("\n") + 1
        expected[(f"key{n}",)] = line
        expected |= {(f"key{n}", *path): line + offset for path, offset in inner.items()}
        text += f"key{n} = {part}\n\n"
    tomllib.loads(text)
    assert key_lines(text) == expected


@given(st.text(alphabet="ab=[]{}\"'#,.\n 1\\", max_size=60))
def test_no_text_makes_the_scanner_stand_still(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line in key_lines(text).values())
