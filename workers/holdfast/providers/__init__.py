"""Providers: one port, one adapter over the official SDKs. It translates and measures; it decides nothing."""
