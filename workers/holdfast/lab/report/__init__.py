"""What a run looked like: its record, its page and its picture."""
