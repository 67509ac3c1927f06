"""Drills in real time: a real pool against simulated providers, on a clock that may run faster."""
