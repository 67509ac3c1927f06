"""Loggers of modules that run in other programs too: silent there until the program asks for Holdfast's lines."""

import logging

# Python writes warnings that nobody handles to stderr, in the middle of whatever the program prints.
logging.getLogger("holdfast").addHandler(logging.NullHandler())


def library_logger(module: str) -> logging.Logger:
    """Return the logger of a module."""
    return logging.getLogger(module)
