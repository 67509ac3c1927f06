"""The command line: ``holdfast …``, one file per noun.

``main.py`` puts the nouns together, ``command.py`` gives every command its common options and turns errors into exit
statuses, ``show.py`` prints. Everything heavy is imported inside functions, so that ``--help`` is quick.
"""
