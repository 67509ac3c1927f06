"""Pieces of pictures: SVG as text. Pure, and without a style of its own."""
