"""Splits a config into a public and a secret part for storage, and joins them again."""

from __future__ import annotations

from typing import Any, Final, Generic, final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connector.form_fields import FormField, form_fields
from igniter_connectors.core.connector.masking import MASK, secret_fields
from igniter_connectors.core.connector.validation import (
    ValidationFault,
    decode_json,
    encode_json,
    encode_json_to_seal,
    validate,
)
from igniter_connectors.core.redaction import secrets_in
from igniter_connectors.core.secret import Secret, decode_secret

Conf = TypeVar("Conf", bound=msgspec.Struct)

_IS_MASK: Final = "is a mask; leave it out to keep the secret"
_NOT_STORABLE: Final = ValidationFault("$", "holds a value that JSON cannot carry")


class ConfigParts(msgspec.Struct, frozen=True):
    """A config as two JSON objects: one is stored in clear, the other is sealed."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return "ConfigParts(…)"


@final
class ConfigSchema(Generic[Conf]):
    """A config type with what storing and showing it needs, computed once.

    Raises:
        WrongWiring: the type cannot be stored (`masking.secret_fields`).
    """

    __slots__ = ("_decode", "fields", "kind", "secret_names")

    def __init__(self, kind: type[Conf]) -> None:
        self.kind: type[Conf] = kind
        self.secret_names: frozenset[str] = secret_fields(kind)
        self.fields: tuple[FormField, ...] = form_fields(kind)
        self._decode = msgspec.json.Decoder(kind, dec_hook=decode_secret).decode

    def validate(self, config: Conf) -> Result[Conf, ValidationFault]:
        """Checks a config. msgspec does not check a struct that was made in Python.

        A mask in place of a secret is a fault, as in `parse`.
        """
        return validate(config, self.kind).bind(self._without_mask)

    def parse(self, raw: bytes) -> Result[Conf, ValidationFault]:
        """Decodes and checks a config from JSON. A mask in place of a secret is a fault."""
        masked = self._mask_in(raw)
        return Failure(masked) if masked is not None else decode_json(raw, self.kind)

    def merge(self, config: Conf, raw: bytes) -> Result[Conf, ValidationFault]:
        """Replaces the top-level fields that a JSON object contains, and keeps the others."""
        changes = decode_json(raw, dict[str, msgspec.Raw])
        if not is_successful(changes):
            return Failure(changes.failure())
        masked = self._mask_in(raw)
        if masked is not None:
            return Failure(masked)
        # Merged as JSON, so that each field is decoded as in a whole config.
        known = encode_json_to_seal(config).bind(
            lambda encoded: decode_json(encoded, dict[str, msgspec.Raw])
        )
        if not is_successful(known):
            return Failure(known.failure())
        merged = {**known.unwrap(), **changes.unwrap()}
        return decode_json(msgspec.json.encode(merged), self.kind)

    def _without_mask(self, config: Conf) -> Result[Conf, ValidationFault]:
        names = zip(config.__struct_fields__, config.__struct_encode_fields__, strict=True)
        for attribute, name in names:
            if name in self.secret_names:
                secrets = secrets_in(getattr(config, attribute))
                if any(MASK in secret.reveal() for secret in secrets):
                    return Failure(ValidationFault(f"$.{name}", _IS_MASK))
        return Success(config)

    def _mask_in(self, raw: bytes) -> ValidationFault | None:
        fields = decode_json(raw, dict[str, msgspec.Raw])
        if not is_successful(fields):
            return None
        for name in sorted(self.secret_names & fields.unwrap().keys()):
            part = decode_json(bytes(fields.unwrap()[name]), Any)
            if is_successful(part) and MASK in str(part.unwrap()):
                return ValidationFault(f"$.{name}", _IS_MASK)
        return None

    def split(self, config: Conf) -> Result[ConfigParts, ValidationFault]:
        """The two objects to store. Each top-level field is in one of them.

        It is a fault if reading them back would give another config: NaN, a number that JSON
        cannot represent, or a `Secret` in a field of another type.
        """
        fields: dict[str, object] = msgspec.to_builtins(config, builtin_types=(Secret,))
        public = {name: fields[name] for name in fields if name not in self.secret_names}
        secret = {name: fields[name] for name in fields if name in self.secret_names}
        in_clear, to_seal = encode_json(public), encode_json_to_seal(secret)
        if not is_successful(in_clear):
            return Failure(in_clear.failure())
        if not is_successful(to_seal):
            return Failure(to_seal.failure())
        parts = ConfigParts(in_clear.unwrap(), to_seal.unwrap())
        try:
            back = self.join(parts.public, parts.secret)
            # Compared as plain data, because a type may have no equality of its own.
            is_same = msgspec.to_builtins(back, builtin_types=(Secret,)) == fields
        except (msgspec.DecodeError, UnicodeDecodeError):
            is_same = False
        return Success(parts) if is_same else Failure(_NOT_STORABLE)

    def join(self, public: bytes, secret: bytes) -> Conf:
        """The config of two stored objects, decoded as one object in one pass.

        Raises:
            msgspec.ValidationError: the config type changed, and the stored config does not fit.
            msgspec.DecodeError: the stored bytes are not JSON.
        """
        # `}` of the first and `{` of the second become a comma, which makes one JSON object.
        if public != b"{}" and secret != b"{}":
            return self._decode(b",".join((public[:-1], secret[1:])))
        return self._decode(public if secret == b"{}" else secret)
