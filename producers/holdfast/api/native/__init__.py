"""Holdfast's own API, ``/api/v1``: one file per resource, and what each takes and answers as its document shows it."""
