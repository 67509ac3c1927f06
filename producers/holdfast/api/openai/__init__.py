"""``/v1`` as the SDKs of OpenAI call it: calls that wait, files, and batches of their lines."""
