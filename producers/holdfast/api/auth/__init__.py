"""Who a request comes from, and what it may do: keys, sessions, hosts, refusals and their log."""
