"""A principal is a tenant and a person."""

from __future__ import annotations

import pytest

from igniter_connectors.core.principal import Principal
from igniter_connectors.core.problem import WrongWiring
from igniter_connectors.core.scope import Scope

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


@pytest.mark.parametrize(
    ("tenant", "subject", "says"),
    [
        (Organization("acme"), "", "subject must be the person's id as text, and is empty"),
        (Organization("acme"), " ", "subject must be the person's id as text, and is empty"),
        (Organization("acme"), None, "subject must be the person's id as text, and is NoneType"),
        (Organization("acme"), 7, "subject must be the person's id as text, and is int"),
        ("organization:acme", "u", "tenant must be a Scope, not str"),
    ],
)
def test_a_principal_names_a_tenant_and_a_person(tenant: Scope, subject: str, says: str) -> None:
    """Otherwise everybody without an id would be one person."""
    with pytest.raises(WrongWiring) as refused:
        Principal(tenant, subject)
    assert refused.value.problem.message == f"Principal: {says}"
