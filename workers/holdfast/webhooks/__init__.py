"""Sends webhooks: signed as Standard Webhooks are, to no address that the configuration does not allow."""
