"""Spans of OpenTelemetry: what they are called, when they are made, and where they go. Nobody traces by default."""
