"""``/v1`` as the SDKs of Anthropic call it: messages that wait, their tokens counted, and batches of them."""
