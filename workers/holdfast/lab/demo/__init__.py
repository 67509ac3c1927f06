"""The demo: a batch, an outage in the middle of it, the detour, the recovery, and a report."""
