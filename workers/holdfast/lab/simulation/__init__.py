"""The simulation: the real policy in virtual time, with a seed."""
