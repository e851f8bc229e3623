"""A principal is a tenant and a person."""

from __future__ import annotations

from igniter_connectors.core.principal import Principal

from .test_scope import Organization, System


def test_a_principal_is_its_tenant_and_its_subject() -> None:
    """The same person in another tenant or kind of tenant is another principal."""
    principals = {
        Principal(Organization("1"), "ada"),
        Principal(Organization("2"), "ada"),
        Principal(System("1"), "ada"),
        Principal(Organization("1"), "bob"),
    }
    assert len(principals) == 4
    assert Principal(Organization("1"), "ada") in principals
