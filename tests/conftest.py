"""What holds for every test."""

from hypothesis import HealthCheck, settings

# How long an example takes is the machine's business; a test that takes for ever has pytest's own time-out.
settings.register_profile("holdfast", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("holdfast")
