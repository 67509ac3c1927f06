"""What a provider's refusal means: the whole body is read, its codes are looked up, its wording is a hint.

The code decides before the status does: one 429 means "slow down", another "pay".
"""

from holdfast.wire.faults.read_fault import read_bad_answer, read_fault, refuses, request_id

__all__ = ["read_bad_answer", "read_fault", "refuses", "request_id"]
