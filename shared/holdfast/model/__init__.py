"""Values that every part speaks: no clock, no chance, no I/O."""
