"""When a refused client is paused, and who tries it first afterwards."""

from __future__ import annotations

from igniter_connectors.core.oauth.client_pause import PAUSE_SECONDS, PROBE_SECONDS, ClientPauses

CLIENT = ("https://p.example/t", "app", None, None)
OTHER = ("https://p.example/t", "other", None, None)
A, B, C, D = (("organization", name) for name in "abcd")


def refuse(pauses: ClientPauses, tenant: tuple[str, str], now: float) -> None:
    """A response that may refuse the client or the grant."""
    pauses.refused(CLIENT, tenant, "unauthorized_client", is_clear=False, now=now)


def test_an_unclear_response_to_one_tenant_does_not_pause_the_client() -> None:
    """However often this tenant gets it."""
    pauses = ClientPauses()
    for now in range(100):
        refuse(pauses, A, now)
        assert not pauses.wait(CLIENT, A, now=now)
        assert not pauses.wait(CLIENT, B, now=now)


def test_three_tenants_in_a_row_pause_the_client() -> None:
    """A success in between starts the count again; another client is not affected."""
    pauses = ClientPauses()
    refuse(pauses, A, 0)
    refuse(pauses, B, 0)
    pauses.accepted(CLIENT, C)
    refuse(pauses, A, 0)
    refuse(pauses, B, 0)
    assert not pauses.wait(CLIENT, D, now=0)
    refuse(pauses, C, 0)
    assert pauses.wait(CLIENT, D, now=0) == PAUSE_SECONDS
    assert not pauses.wait(OTHER, D, now=0)


def test_another_error_starts_the_count_again() -> None:
    """Only the same answer counts."""
    pauses = ClientPauses()
    refuse(pauses, A, 0)
    refuse(pauses, B, 0)
    pauses.refused(CLIENT, C, "other", is_clear=False, now=0)
    assert not pauses.wait(CLIENT, D, now=0)


def test_a_clear_response_pauses_the_client_at_once() -> None:
    """After the pause one request is sent, and not for the tenant that was refused."""
    pauses = ClientPauses()
    pauses.refused(CLIENT, A, "invalid_client", is_clear=True, now=0)
    assert pauses.wait(CLIENT, B, now=PAUSE_SECONDS - 1) == 1
    assert not pauses.wait(CLIENT, B, now=PAUSE_SECONDS)
    assert pauses.wait(CLIENT, A, now=PAUSE_SECONDS) == PROBE_SECONDS
    pauses.begin(CLIENT, B, now=PAUSE_SECONDS)
    assert pauses.wait(CLIENT, C, now=PAUSE_SECONDS) == PROBE_SECONDS
    assert not pauses.wait(CLIENT, B, now=PAUSE_SECONDS)
    pauses.refused(CLIENT, B, "invalid_client", is_clear=True, now=PAUSE_SECONDS + 1)
    assert pauses.wait(CLIENT, C, now=PAUSE_SECONDS + 1) == PAUSE_SECONDS
    pauses.accepted(CLIENT, C)
    assert not pauses.wait(CLIENT, D, now=PAUSE_SECONDS + 1)


def test_a_refused_tenant_that_is_alone_is_tried_too() -> None:
    """A test request without a response does not block the client either."""
    pauses = ClientPauses()
    pauses.refused(CLIENT, A, "invalid_client", is_clear=True, now=0)
    after = PAUSE_SECONDS + PROBE_SECONDS
    assert not pauses.wait(CLIENT, A, now=after)
    pauses.begin(CLIENT, A, now=after)
    assert not pauses.wait(CLIENT, B, now=after + PROBE_SECONDS)


def test_a_tenant_that_others_contradicted_does_not_pause_the_client_again() -> None:
    """Its clear response counts as an unclear one until it succeeds itself."""
    pauses = ClientPauses()
    pauses.refused(CLIENT, A, "invalid_client", is_clear=True, now=0)
    pauses.accepted(CLIENT, B)
    pauses.refused(CLIENT, A, "invalid_client", is_clear=True, now=80)
    assert not pauses.wait(CLIENT, B, now=80)
    pauses.accepted(CLIENT, A)
    pauses.refused(CLIENT, A, "invalid_client", is_clear=True, now=90)
    assert pauses.wait(CLIENT, B, now=90)
