"""Pure decisions. Time, chance and what is stored are arguments; what to do next is the answer."""
