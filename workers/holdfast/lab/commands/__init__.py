"""The commands that the lab brings to ``holdfast``: demo, drill, sim. What is heavy is imported where it is used."""
