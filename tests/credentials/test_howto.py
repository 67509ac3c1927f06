"""The page for operators is right: what it shows can be loaded."""

import re
from pathlib import Path

import pytest

from holdfast.config import load

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "credentials.md"
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_of_the_page_is_a_configuration(tmp_path, block):
    file = tmp_path / "holdfast.toml"
    file.write_text(block)
    (provider,) = load(file, {}).providers.values()
    assert provider.credentials
