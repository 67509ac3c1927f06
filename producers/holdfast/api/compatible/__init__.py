"""What the APIs for the SDKs of OpenAI and of Anthropic share: calls that wait, and orders that become batches."""
