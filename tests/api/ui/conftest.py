import pytest

from api.keys import opened
from api.ui.browser import Browser


@pytest.fixture
def browser(settings):
    """Somebody at a browser of this machine, where no key was ever made."""
    with opened(settings) as client:
        yield Browser(client)
