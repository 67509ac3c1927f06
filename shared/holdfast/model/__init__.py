"""Values that every part of the house speaks: no clock, no chance, no I/O."""
