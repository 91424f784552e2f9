"""Scalars of our own: instants, and money that must not be rounded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as PythonDecimal
from decimal import InvalidOperation
from functools import lru_cache
from typing import Any, NewType

import strawberry

DateTime = NewType("DateTime", int)
"""In Python: milliseconds since 1970 UTC, as stored."""
Decimal = NewType("Decimal", int)
"""In Python: millionths, as stored."""
Date = NewType("Date", str)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
EARLIEST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
"""What can be written back: an offset can lead out of the calendar."""
MOST_MILLIONTHS = 2**63 - 1
"""What both databases keep in a whole number."""


def instant_text(value: Any) -> str:
    """An instant as RFC 3339 in UTC, to the millisecond.

    >>> instant_text(1577836800000)
    '2020-01-01T00:00:00.000Z'
    """
    # By hand: strftime takes three times as long, and a tree has ten thousand of these.
    days, ms = divmod(int(value), 86_400_000)
    seconds, ms = divmod(ms, 1_000)
    minutes, seconds = divmod(seconds, 60)
    return f"{_day_text(days)}T{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{ms:03d}Z"


@lru_cache(maxsize=4_096)
def _day_text(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days)).isoformat()


def _instant(text: Any) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError("A DateTime is written like 2026-01-31T12:00:00Z.") from None
    if moment.tzinfo is None:
        raise ValueError("A DateTime needs its time zone, for example 2026-01-31T12:00:00Z.")
    milliseconds = (moment - EPOCH) // MILLISECOND
    if not EARLIEST <= milliseconds <= LATEST:
        raise ValueError("A DateTime lies between the years 1 and 9999 in UTC.")
    return milliseconds


def decimal_text(value: Any) -> str:
    """Millionths as a decimal number without exponent.

    >>> decimal_text(12500000)
    '12.5'
    """
    whole = PythonDecimal(int(value)) / 1_000_000
    return f"{whole:f}".rstrip("0").rstrip(".") if "." in f"{whole:f}" else f"{whole:f}"


def _millionths(text: Any) -> int:
    try:
        number = PythonDecimal(str(text))
    except InvalidOperation:
        raise ValueError('A Decimal is written like "12.50".') from None
    # Compared before it is multiplied: 1E999999 would be a number of a million digits.
    if not number.is_finite() or abs(number) > MOST_MILLIONTHS // 1_000_000:
        raise ValueError(f"A Decimal lies between -{MOST_MILLIONTHS // 1_000_000} and {MOST_MILLIONTHS // 1_000_000}.")
    millionths = number.scaleb(6)
    if millionths != millionths.to_integral_value():
        raise ValueError("A Decimal has at most six digits after the point.")
    return int(millionths)


def _date(text: Any) -> str:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except (TypeError, ValueError):
        day = None
    # strptime also takes 2026-1-31; a day is written in one way only.
    if day is None or day != text:
        raise ValueError("A Date is written like 2026-01-31.")
    return day


SCALARS: dict[Any, Any] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC, as RFC 3339 has it: `2026-01-31T12:00:00.000Z`.",
        serialize=instant_text,
        parse_value=_instant,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number, written as text so that nothing rounds it: `"12.50"`.',
        serialize=decimal_text,
        parse_value=_millionths,
    ),
    Date: strawberry.scalar(name="Date", description="A day in UTC: `2026-01-31`.", serialize=str, parse_value=_date),
}
