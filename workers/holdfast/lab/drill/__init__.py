"""The drill: outages as scripts, run in virtual time under a seed, through the real policy."""
