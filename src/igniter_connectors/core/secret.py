"""A string that only `reveal()` shows."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn, Self, final, overload

from typing_extensions import deprecated

REDACTED: Final = "Secret('…')"


@final
class Secret:
    """A string that only `reveal()` shows. Search the code for that word to audit its uses.

    It is redacted in `repr`, logs and tracebacks. It compares in constant time, is immutable,
    and cannot be pickled. Formatting it raises, because a URL or header that silently contains
    the text `Secret('…')` is hard to find.
    """

    __slots__ = ("_value",)
    _value: str

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError("a Secret holds a str")
        _set_value(self, value)

    def reveal(self) -> str:
        """The string itself. The caller must keep it out of logs and messages."""
        return self._value

    def __repr__(self) -> str:
        return REDACTED

    def __format__(self, format_spec: str) -> NoReturn:
        raise TypeError("a Secret is not formatted: use .reveal(), or !r for the redacted form")

    @overload
    @deprecated("a Secret never equals a str: compare with Secret(text)")
    def __eq__(self, other: str, /) -> bool: ...
    @overload
    def __eq__(self, other: object, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine = self._value.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(mine, other._value.encode("utf-8", "surrogatepass"))

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")


# The slot's own setter, because `__setattr__` above always raises.
_set_value = Secret.__dict__["_value"].__set__
_new = object.__new__


def decode_secret(kind: type, value: object) -> Secret:
    """The `dec_hook` of msgspec that makes a `Secret` of a string.

    Raises:
        NotImplementedError: the type is not `Secret`.
        TypeError: the value is not a string. The message contains no part of it.
    """
    if kind is not Secret:
        raise NotImplementedError(kind)
    if type(value) is str:
        # Skips `__init__`, whose check was just made: this runs for every secret of every call.
        secret = _new(Secret)
        _set_value(secret, value)
        return secret
    if isinstance(value, Secret):
        return value
    raise TypeError("a secret is a string")


def reveal_to_seal(value: object) -> str:
    """The `enc_hook` of msgspec for bytes that are sealed next. Use it for nothing else."""
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value))
