"""Operations as plain JSON values: what the API answers and what the command line shows with --json. Pure."""

from typing import Any

from holdfast.model.ids import public_id
from holdfast.model.iso_time import iso
from holdfast.model.records import JobFilter
from holdfast.store.micros import MICROS, to_seconds
from holdfast.store.operations import BulkAction, Operation, edit_fields, filter_fields

FEW_IDS = 20  # of a filter that names jobs


def operation_view(operation: Operation) -> dict[str, Any]:
    """One bulk action. ``jobs``: moved so far, of ``eligible``; ``per_minute`` null: as the buckets allow.

    ``export_url``: of a drain that ended, where its letters are fetched.
    """
    return {
        "operation": public_id("op", operation.id),
        "action": operation.action.value,
        "state": operation.state.value,
        "actor": operation.actor,
        "jobs": operation.jobs,
        "eligible": operation.eligible,
        "per_minute": 60 * MICROS / operation.gap if operation.gap else None,
        "edit": edit_fields(operation.edit),
        "export_url": f"/api/v1/dlq/exports/{public_id('op', operation.id)}" if _has_export(operation) else None,
        "filter": _public_filter(operation.where),
        "created_at": iso(to_seconds(operation.created_at)),
        "moved_at": iso(to_seconds(operation.moved_at)),
        "ended_at": iso(to_seconds(operation.ended_at)) if operation.ended_at else None,
        "dry_run": False,
    }


def _has_export(operation: Operation) -> bool:
    return operation.action is BulkAction.DRAIN and operation.done


def _public_filter(where: JobFilter) -> dict[str, Any]:
    """Write a filter with the ids that are told outside, and no more of them than a person reads."""
    fields = filter_fields(where)
    if where.batch is not None:
        fields["batch"] = public_id("batch", where.batch)
    if where.ids is not None:
        fields["ids"] = [public_id("job", id_) for id_ in where.ids[:FEW_IDS]]
    return fields
