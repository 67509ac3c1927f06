"""``holdfast config``: is the configuration right, and what does it say."""

from holdfast.cli.command import Noun
from holdfast.cli.context import settings
from holdfast.cli.show import show
from holdfast.cli.tables import draw_config, draw_config_check

group = Noun("The configuration: check, show.")


@group.command(remote=False)
def check() -> None:
    """Check the configuration. Every error at once, with file, line and key; exit status 78."""
    from holdfast.cli.config_view import checked

    show(checked(settings()), draw_config_check)


@group.command("show", remote=False)
def show_config() -> None:
    """Show what is configured, defaults filled in. Secrets are shown as references."""
    from holdfast.cli.config_view import config_view

    show(config_view(settings()), draw_config)
