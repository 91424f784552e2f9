"""Values worked out when they are first asked for, and kept with their object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazily(Generic[T]):
    """As `functools.cached_property`, without its lock.

    Until Python 3.12 that one holds a lock for all instances of a class while it works something out. A job that gives
    its turn away in there would keep it, and whoever got the turn would wait for it.
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> lazily[T]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...
    def __get__(self, instance: object | None, owner: type[Any]) -> lazily[T] | T:
        if instance is None:
            return self
        # Found there by Python itself from now on: this has no __set__.
        value = instance.__dict__[self._name] = self._work_out(instance)
        return value
