"""Settings from the environment. The error for an invalid value does not repeat it."""

from __future__ import annotations

import pytest

from igniter_connectors import Keyring, PostgresStore, Secret, Settings, SQLiteStore, WrongWiring

# Not generated: it is part of the names of tests, which must be the same in every process.
SECRET = "XcR-M11GElFCekb7ioxF0QszHihSOfABNWkOp7DEGvo"


def test_everything_is_read() -> None:
    """Previous secrets are separated by commas or spaces; the base path follows the URL."""
    old = Keyring.generate().reveal()
    settings = Settings.from_environment(
        {
            "IGNITER_SECRET": SECRET,
            "IGNITER_SECRET_PREVIOUS": f" {old}, {old} ",
            "DATABASE_URL": "sqlite:///file.db",
            "IGNITER_BASE_URL": "https://app.example.com/",
            "IGNITER_BASE_PATH": "/integrations/",
        }
    )
    assert settings.secret == Secret(SECRET)
    assert settings.previous_secrets == (Secret(old), Secret(old))
    assert str(settings.base_url) == "https://app.example.com/integrations"
    assert isinstance(settings.store(), SQLiteStore)
    assert "2 keys" in repr(settings.keyring())
    assert SECRET not in repr(settings)


def test_a_postgresql_url_names_a_postgres_store() -> None:
    """Any URL that libpq reads; nothing is connected yet."""
    for url in ("postgresql://u:p@h/db", "postgres://h/db", "postgresql:///db?host=/run"):
        store = Settings.from_environment({"DATABASE_URL": url}).store()
        assert isinstance(store, PostgresStore)


@pytest.mark.parametrize(
    "secret",
    [
        f"{SECRET},",
        f",{SECRET}",
        f"{SECRET} ",
        f" {SECRET}",
        f"{SECRET}\n",
        f"a,{SECRET}",
        f"\t{SECRET}",
    ],
)
def test_a_secret_that_cannot_become_a_previous_one_is_refused_at_once(secret: str) -> None:
    """The list of previous secrets is split at commas and white space: it would be another key."""
    with pytest.raises(WrongWiring, match=r"comma or white space|not printable") as told:
        Settings.from_environment({"IGNITER_SECRET": secret}).keyring()
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("secret", [SECRET, "ä" * 20 + SECRET, f"{SECRET}=+/;:'\"\\"])
def test_the_same_text_is_the_same_key_as_secret_and_as_previous_secret(secret: str) -> None:
    """After a rotation the old rows still open."""
    before = Settings.from_environment({"IGNITER_SECRET": secret}).keyring()
    environment = {"IGNITER_SECRET": SECRET + "2", "IGNITER_SECRET_PREVIOUS": secret}
    after = Settings.from_environment(environment).keyring()
    assert after.find(before.sealing_key.id) is not None


def test_nothing_is_needed_until_it_is_used() -> None:
    """An empty environment is valid; a missing setting is reported when it is needed."""
    empty = Settings.from_environment({})
    assert empty == Settings()
    with pytest.raises(WrongWiring, match="generate-secret"):
        empty.keyring()
    with pytest.raises(WrongWiring, match="DATABASE_URL"):
        empty.store()


@pytest.mark.parametrize(
    "url",
    ["mysql://user:hunter2@host/db", "sqlite://file.db", "sqlite:///", "hunter2", "sqlite:", "://"],
)
def test_a_wrong_database_url_is_told_without_its_password(url: str) -> None:
    """The message names the setting and the rule."""
    with pytest.raises(WrongWiring, match="DATABASE_URL") as told:
        Settings.from_environment({"DATABASE_URL": url}).store()
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["http://app.example.com", "app.example.com", "https://u:p@h", "https://h?x"]
)
def test_a_wrong_base_url_is_told(url: str) -> None:
    """Plain http is allowed on a loopback host only."""
    with pytest.raises(WrongWiring, match="IGNITER_BASE_URL"):
        Settings.from_environment({"IGNITER_BASE_URL": url})


def test_the_process_s_environment_is_read_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No other module of the library reads the environment."""
    monkeypatch.setenv("IGNITER_SECRET", SECRET)
    assert Settings.from_environment().secret == Secret(SECRET)
