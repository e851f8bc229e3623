"""A string that shows only through `reveal()`."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn, Self, final, overload

from typing_extensions import deprecated

REDACTED: Final = "Secret('…')"


@final
class Secret:
    """A string that shows only through `reveal()`: the one door, and the one word to grep for.

    It is redacted in `repr`, logs and tracebacks, compares in constant time, does not
    change, is not pickled, and refuses to be formatted, since a token that silently
    became the text `Secret('…')` is a fault found too late.
    """

    __slots__ = ("_value",)
    _value: str

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError("a Secret holds a str")
        _set_value(self, value)

    def reveal(self) -> str:
        """The string itself. Whoever calls this answers for where it goes."""
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


# The slot's own setter: what `__setattr__` above refuses to everybody else.
_set_value = Secret.__dict__["_value"].__set__
_new = object.__new__


def decode_secret(kind: type, value: object) -> Secret:
    """msgspec's `dec_hook`: wraps the strings of fields typed `Secret`.

    Raises:
        NotImplementedError: a type that msgspec does not know and that is not `Secret`.
        TypeError: a value that is no string; the text holds no part of it.
    """
    if kind is not Secret:
        raise NotImplementedError(kind)
    if type(value) is str:
        # Without `__init__`, whose check was just made: every secret of every call passes here.
        secret = _new(Secret)
        _set_value(secret, value)
        return secret
    if isinstance(value, Secret):
        return value
    raise TypeError("a secret is a string")


def reveal_to_seal(value: object) -> str:
    """msgspec's `enc_hook` for bytes that go straight into an envelope, and nowhere else."""
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value))
