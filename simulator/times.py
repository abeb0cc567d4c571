"""Moments as Azure's services print them. All take seconds since the epoch."""

from datetime import UTC, datetime


def utc_z(moment: float) -> str:
    """`2026-11-02T09:00:00.1234560Z`: seven decimals, as Microsoft.Authorization writes."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def utc_offset(moment: float) -> str:
    """`2026-11-02T09:00:00.1234560+00:00`, as Microsoft.Compute writes."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0+00:00"
