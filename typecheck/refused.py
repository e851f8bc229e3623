"""What no application may write: one misuse a line, refused by each of five type checkers.

A line that ends in `# refused: N …` is an error to every checker, and no other line is one.
`EXCEPTIONS` in check.py lists which checker does not refuse which N, with the reason.
"""
# fmt: off

from __future__ import annotations

from typing import assert_never

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

import igniter_connectors
from igniter_connectors import (
    ActionCall,
    ActionFailed,
    AtConfig,
    Connector,
    ConnectorManager,
    Connectors,
    Event,
    HttpRequest,
    Keyring,
    MemoryStore,
    OAuthProvider,
    Principal,
    Problem,
    Scope,
    Scoped,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
    discover_provider,
    http_action,
    problem_of,
    value_or_raise,
)
from igniter_connectors.container import Container
from igniter_connectors.events import Connected, Disconnected
from igniter_connectors.problems import CallProblem, NotConnected
from igniter_connectors.providers import google
from igniter_connectors.stores import Store
from igniter_connectors.typing import Definition
from igniter_connectors.webhooks import STRIPE, HmacScheme
from typecheck.accepted import (
    Card,
    ChatClient,
    ChatConfig,
    ForgeConfig,
    Joined,
    Left,
    Organization,
    Queued,
    Recorder,
    Said,
    Say,
    Star,
    System,
    any_webhook,
    chat,
    chat_webhook,
    check_chat,
    connectors,
    echo,
    forge,
    keyring,
    members,
    on_any,
    on_connected,
    open_client,
    provider,
    registered,
    say,
    star,
    take,
)


class User(Scope, frozen=True, tag="user"):
    """A kind that the manager was not given."""


class MailConfig(msgspec.Struct, frozen=True):
    """The config of a connector that the manager was not given."""


plain_chat = Connector.create("x").with_config(ChatConfig)
plain_forge = Connector.create("x").with_config(ForgeConfig)
plain_mail = Connector.create("x").with_config(MailConfig)
mail = Connector.create("mail").with_config(MailConfig).with_oauth(provider).build()
config = ChatConfig(Secret("t"), "42")
empty = ConnectorManager.create().add_scope(Organization)
acme = connectors.scope(Organization("acme"))
at_chat = acme.at(chat)
at_forge = acme.at(forge)


# --- tenants and addresses ------------------------------------------------------------


def addresses(wide: Scoped[ChatConfig | ForgeConfig | MailConfig]) -> None:
    connectors.scope(User("u"))  # refused: 1 a kind that is not registered
    connectors.scope(Organization())  # refused: 2 no identity
    connectors.scope(Organization(7))  # refused: 3 an identity of another type
    connectors.scope(Organization)  # refused: 4 the kind, not a tenant
    connectors.scope("organization")  # refused: 5 a string
    acme.at(mail)  # refused: 6 a connector that is not registered
    acme.at("chat")  # refused: 7 a string
    acme.at(plain_chat)  # refused: 8 a builder
    acme.at(forge, "work")  # refused: 9 an account by position
    connectors.at(chat)  # refused: 10 no tenant
    connectors.tenant("organization", "acme").at(chat)  # refused: 11 a Result used as the tenant
    acme.at(connectors.find("chat"))  # refused: 12 a Result used as the connector
    Organization("acme").identity = "other"  # refused: 13 a tenant does not change
    addresses(acme)  # refused: 14 a tenant of fewer connectors
    fewer_kinds(connectors)  # refused: 15 a manager of fewer kinds


def fewer_kinds(some: Connectors[ChatConfig, Organization | System | User]) -> None:
    some.scope(User("u")).at(forge)  # refused: 16 a connector that this manager need not have


# --- connections ----------------------------------------------------------------------


async def connections() -> None:
    await at_chat.connect(ForgeConfig())  # refused: 17 another connector's config
    await at_chat.connect({"bot_token": "t"})  # refused: 18 a dict
    await at_chat.connect(ChatConfig)  # refused: 19 the type, not a config
    ChatConfig("t", "42")  # refused: 20 a plain string for a secret
    await at_chat.update(ForgeConfig())  # refused: 21 another connector's config
    await at_chat.update(config, version="1")  # refused: 22 a version of another type
    await at_chat.update(config, 1)  # refused: 23 a version by position
    await at_forge.connect(ForgeConfig())  # refused: 24 connect where OAuth authorizes
    await at_chat.authorize(config, subject="u")  # refused: 25 authorize without OAuth
    await at_chat.authorize_replacing_account(config, subject="u")  # refused: 26 the same
    await at_forge.authorize(subject="u")  # refused: 27 no config
    await at_forge.authorize(ForgeConfig())  # refused: 28 no subject
    await at_forge.authorize(ForgeConfig(), "u")  # refused: 29 a subject by position
    await at_forge.authorize(config, subject="u")  # refused: 30 another connector's config
    await at_chat.create_webhook(signing_secret="whsec_…")  # refused: 31 a plain string for a secret
    await at_chat.replace_webhook_secret("id", "whsec_…")  # refused: 32 a plain string for a secret
    at_chat.seal_config(ForgeConfig())  # refused: 33 another connector's config
    at_chat.open_config("00")  # refused: 34 a plain string for a sealed config
    at_chat.disconnect()  # refused: 35 await forgotten


# --- actions --------------------------------------------------------------------------


async def other_output(call: ActionCall[ChatConfig, object, Say]) -> Result[Queued, ActionFailed]:
    return Success(Queued(1))


async def bare_output(call: ActionCall[ChatConfig, object, Say]) -> Said:
    return Said(1)


def not_async(call: ActionCall[ChatConfig, object, Say]) -> Result[Said, ActionFailed]:
    return Success(Said(1))


async def other_input(call: ActionCall[ChatConfig, object, Star]) -> Result[Said, ActionFailed]:
    return Success(Said(1))


async def no_argument() -> Result[Said, ActionFailed]:
    return Success(Said(1))


async def alien_problem(call: ActionCall[ChatConfig, object, Say]) -> Result[Said, ValueError]:
    return Success(Said(1))


async def other_problem(call: ActionCall[ChatConfig, object, Say]) -> Result[Said, WebhookFailed]:
    return Success(Said(1))


async def actions() -> None:
    at_forge.action(say)  # refused: 36 another connector's action
    at_chat.action("say")  # refused: 37 a string
    at_chat.action(take)  # refused: 38 a handler that is no action
    await at_chat.action(say).call(Star("x"))  # refused: 39 another action's input
    await at_chat.action(say).call({"text": "x"})  # refused: 40 a dict
    await at_chat.action(say).call()  # refused: 41 no input
    at_chat.action(say).call(Say("x"))  # refused: 42 await forgotten
    value_or_raise(await at_chat.action(members).call(Say("x"))).number  # refused: 43 another output
    chat.actions["say"] = say  # refused: 44 assignment to what is frozen
    acme.at(value_or_raise(connectors.find("chat"))).action(say)  # refused: 45 a connector found by a string
    connectors.action(chat, star)  # refused: 46 another connector's action
    connectors.action(mail, echo)  # refused: 47 a connector that is not registered
    connectors.action("chat", say)  # refused: 48 a string
    await connectors.action(chat, say).call(Star("x"))  # refused: 49 another action's input
    action("k", input=Say, output=Said)(other_output)  # refused: 50 another output
    action("k", input=Say, output=Said)(bare_output)  # refused: 51 no Result
    action("k", input=Say, output=Said)(not_async)  # refused: 52 not async
    action("k", input=Say, output=Said)(other_input)  # refused: 53 another input
    action("k", input=Say, output=Said)(no_argument)  # refused: 54 no argument
    action("k", input=Say, output=Said)(alien_problem)  # refused: 55 a value that is not a problem
    action("k", input=Say, output=Said)(other_problem)  # refused: 56 a problem no handler has
    action("k", input=dict[str, str], output=Said)  # refused: 57 an input that is no Struct
    action("k", input=Say)  # refused: 58 no output
    action("k", Say, Said)  # refused: 59 types by position


# --- connectors -----------------------------------------------------------------------


async def open_wrong(_: ForgeConfig) -> ChatClient:
    return ChatClient(Secret(""))


def open_now(config: ChatConfig) -> ChatClient:
    return ChatClient(config.bot_token)


async def is_valid(config: ChatConfig) -> bool:
    return config.silent


def check_now(config: ChatConfig) -> Result[None, str]:
    return Success(None) if config.silent else Failure("no")


async def check_with_problem(config: ChatConfig) -> Result[None, Problem]:
    return Success(None) if config.silent else Failure(NotConnected("chat"))


async def use_of_calls(
    call: ActionCall[ChatConfig, object, Say], received: WebhookCall[ChatConfig, None, Joined | Left]
) -> None:
    call.context.token  # refused: 60 a context that was not asked for
    call.config.repository  # refused: 61 a field that the config has not
    call.access_token.value  # refused: 62 no access token ruled out
    call.input.text = ""  # refused: 63 an input does not change
    call.failed(NotConnected("chat"))  # refused: 64 a problem for a reason
    received.payload.since  # refused: 65 a field that one of two payloads has
    received.context.token  # refused: 66 a context where none is made


def definitions() -> None:
    Connector("x")  # refused: 67 no create
    Connector.create("x").build()  # refused: 68 no config
    Connector.create("x").add_action(star)  # refused: 69 an action before the config
    Connector.create("x").with_webhook(any_webhook)  # refused: 70 a webhook before the config
    Connector.create("x").with_config(str)  # refused: 71 a config that is no Struct
    Connector.create("x").with_config(config)  # refused: 72 a config, not its type
    plain_chat.with_config(ForgeConfig)  # refused: 73 config twice
    plain_forge.add_action(members)  # refused: 74 an action for another config
    plain_chat.add_action(say)  # refused: 75 an action without its context
    plain_chat.add_action(take)  # refused: 76 a handler that is no action
    plain_chat.on_context(open_wrong)  # refused: 77 a hook for another config
    plain_chat.on_context(open_now)  # refused: 78 a hook that is not async
    plain_chat.add_action(members).on_context(open_client)  # refused: 79 the context after an action
    plain_chat.with_webhook(any_webhook).on_context(open_client)  # refused: 80 the context after a webhook
    plain_chat.on_context(open_client).on_context(open_client)  # refused: 81 the context twice
    plain_chat.on_validate(is_valid)  # refused: 82 a check that returns a bool
    plain_chat.on_validate(check_now)  # refused: 83 a check that is not async
    plain_chat.on_validate(check_with_problem)  # refused: 84 a check whose failure is no string
    plain_forge.on_validate(check_chat)  # refused: 85 a check of another config
    plain_chat.with_metadata({"name": "Chat"})  # refused: 86 metadata that is no Struct
    plain_chat.with_metadata(Card)  # refused: 87 the type, not metadata
    plain_chat.with_default_config(ForgeConfig())  # refused: 88 another config's default
    plain_chat.with_default_config({"chat": "42"})  # refused: 89 a dict
    plain_forge.with_oauth(provider).with_oauth(provider)  # refused: 90 two providers
    plain_forge.with_oauth("https://forge.example")  # refused: 91 a string
    OAuthProvider(authorization_url="https://a", token_url="https://t")  # refused: 92 no client
    OAuthProvider("https://a", "https://t", "client")  # refused: 93 URLs by position
    OAuthProvider(authorization_url="https://a", token_url="https://t", client_id="c", client_secret="s")  # refused: 94 a plain string for a secret
    OAuthProvider(authorization_url="https://a", token_url="https://t", client_id="c", oauth_scopes="repo")  # refused: 95 a string for several scopes
    provider.client_secret = None  # refused: 96 a provider does not change
    chat.key = "x"  # refused: 97 a connector does not change
    chat.add_action(members)  # refused: 98 an action for what is built


# --- webhooks -------------------------------------------------------------------------


async def take_star(call: WebhookCall[ChatConfig, ChatClient, Star]) -> Result[None, WebhookFailed]:
    return Success(None)


async def take_joined(call: WebhookCall[ChatConfig, ChatClient, Joined]) -> Result[None, WebhookFailed]:
    return Success(None)


async def take_for_forge(call: WebhookCall[ForgeConfig, object, Joined]) -> Result[None, WebhookFailed]:
    return Success(None)


async def take_bare(call: WebhookCall[ChatConfig, ChatClient, Joined]) -> None:
    return None


async def take_value(call: WebhookCall[ChatConfig, ChatClient, Joined]) -> Result[str, WebhookFailed]:
    return Success(call.payload.member)


def take_now(call: WebhookCall[ChatConfig, ChatClient, Joined]) -> Result[None, WebhookFailed]:
    return Success(None)


async def take_action(call: ActionCall[ChatConfig, ChatClient, Joined]) -> Result[None, WebhookFailed]:
    return Success(None)


async def take_failing(call: WebhookCall[ChatConfig, ChatClient, Joined]) -> Result[None, ValueError]:
    return Success(None)


async def take_nothing() -> Result[None, WebhookFailed]:
    return Success(None)


def webhooks() -> None:
    Webhook(payload=Joined, verification=STRIPE, handler=take_star)  # refused: 99 another payload
    Webhook(payload=Joined | Left, verification=STRIPE, handler=take_joined)  # refused: 100 a part of the payload
    Webhook(payload=Joined, verification=STRIPE, handler=take_bare)  # refused: 101 no Result
    Webhook(payload=Joined, verification=STRIPE, handler=take_value)  # refused: 102 a value
    Webhook(payload=Joined, verification=STRIPE, handler=take_now)  # refused: 103 not async
    Webhook(payload=Joined, verification=STRIPE, handler=take_action)  # refused: 104 an action's handler
    Webhook(payload=Joined, verification=STRIPE, handler=take_failing)  # refused: 105 what is no problem
    Webhook(payload=Joined, verification=STRIPE, handler=take_nothing)  # refused: 106 no argument
    Webhook(payload=Joined, handler=take_joined)  # refused: 107 no verification
    Webhook(payload=Joined, verification=None, handler=take_joined)  # refused: 108 no verification, said aloud
    Webhook(payload=Joined, verification="hmac", handler=take_joined)  # refused: 109 a string
    Webhook(verification=STRIPE, handler=take_joined)  # refused: 110 no payload
    Webhook(payload=7, verification=STRIPE, handler=take_joined)  # refused: 111 a payload that is no type
    Webhook(payload=Joined, verification=STRIPE)  # refused: 112 no handler
    Webhook(Joined, STRIPE, take_joined)  # refused: 113 all by position
    HmacScheme(header="X", algorithm="md5")  # refused: 114 an algorithm that is not offered
    plain_chat.with_webhook(chat_webhook)  # refused: 115 a webhook without its context
    plain_forge.with_webhook(any_webhook)  # refused: 116 a webhook for another config
    plain_chat.with_webhook(Webhook(payload=Joined, verification=STRIPE, handler=take_joined))  # refused: 117 without its context, made in place
    plain_chat.with_webhook(Webhook(payload=Joined, verification=STRIPE, handler=take_for_forge))  # refused: 118 for another config, made in place
    plain_chat.with_webhook(take_joined)  # refused: 119 a handler that is no webhook
    chat_webhook.body_limit_bytes = 1  # refused: 120 a webhook does not change


# --- the manager ----------------------------------------------------------------------


async def on_disconnected(event: Disconnected) -> None: ...


def on_connected_now(event: Connected) -> None: ...


def managers(store: Store) -> None:
    registered.build()  # refused: 121 no database, no encryption
    registered.with_database(store).build()  # refused: 122 no encryption
    registered.with_encryption(keyring).build()  # refused: 123 no database
    registered.with_database(Recorder())  # refused: 124 not a store
    registered.with_database(MemoryStore)  # refused: 125 the type, not a store
    registered.with_database("connectors.db")  # refused: 126 a path
    registered.with_encryption("a secret of thirty-two characters")  # refused: 127 a string for a keyring
    registered.with_encryption(Keyring.generate())  # refused: 128 a secret for a keyring
    Keyring.from_secret(b"a secret of thirty-two characters")  # refused: 129 bytes
    registered.with_http(store)  # refused: 130 not an HTTP client
    registered.with_clock(store)  # refused: 131 not a clock
    registered.with_entropy(store)  # refused: 132 not a random source
    registered.with_telemetry(on_any)  # refused: 133 a function for an observer
    registered.with_logger("app")  # refused: 134 a logger's name
    registered.with_base_url(443)  # refused: 135 not a URL
    registered.add_connector(plain_mail)  # refused: 136 not built
    registered.add_connector("mail")  # refused: 137 a string
    registered.add_scope(Organization("acme"))  # refused: 138 a tenant, not a kind
    registered.add_scope(MailConfig)  # refused: 139 a type that is no kind of tenant
    registered.on_connect(on_disconnected)  # refused: 140 a handler of another event
    registered.on_connect(on_connected_now)  # refused: 141 a handler that is not async
    registered.on_disconnect(on_connected)  # refused: 142 a handler of another event
    registered.on_error(on_connected)  # refused: 143 a handler of another event
    registered.on(Disconnected, on_connected)  # refused: 144 a handler of another event
    registered.on(Event, on_connected)  # refused: 145 a handler of some events for all
    registered.on(Organization, on_any)  # refused: 146 a type that is no event
    connectors.subscribe(on_connected)  # refused: 147 a handler of some events for all
    acme.subscribe(on_connected)  # refused: 148 the same, for a tenant
    ConnectorManager.create().with_database(store).with_encryption(keyring).build().scope(Organization("a"))  # refused: 149 none registered
    connectors.add_connector(mail)  # refused: 150 a connector for what is built


async def requests() -> None:
    await connectors.handle("/oauth/callback")  # refused: 151 a string
    await connectors.handle(HttpRequest("GET", "/"), principal="user-7")  # refused: 152 a string for a principal
    await connectors.handle(HttpRequest("GET", "/"), Principal(System(), "u"))  # refused: 153 a principal by position
    HttpRequest("GET", "/", {"Cookie": "a=b"})  # refused: 154 a dict for headers
    Principal("organization:acme", "u")  # refused: 155 a string for a tenant
    await acme.list(10)  # refused: 156 a limit by position


# --- values and problems --------------------------------------------------------------


async def values(result: Result[Said | Queued, CallProblem]) -> None:
    found = await at_chat.get()
    found.config  # refused: 157 a Result used as its value
    found.unwrap().config = config  # refused: 158 assignment to what is frozen
    len(found.unwrap().config.bot_token)  # refused: 159 a secret used as a string
    token: str = found.unwrap().config.bot_token  # refused: 160 likewise
    "Bearer " + found.unwrap().config.bot_token  # refused: 161 likewise
    OAuthProvider(authorization_url="https://a", token_url="https://t", client_id=config.bot_token)  # refused: 162 likewise
    igniter_connectors.Conector  # refused: 163 a name that is not public
    at_chat.get().unwrap()  # refused: 164 await forgotten
    result.unwrap().number  # refused: 165 one of two outputs taken for granted
    result.failure().retry_at  # refused: 166 one of many problems taken for granted
    problem_of(result).code  # refused: 167 no problem ruled out
    problem_of(found.unwrap())  # refused: 168 a value for a Result
    value_or_raise(at_chat.get())  # refused: 169 await forgotten
    await at_chat.disable()  # refused: 170 a Result ignored
    await at_chat.action(members).call(Say("x"))  # refused: 171 the same
    if not is_successful(found):
        problem = found.failure()
        match problem:
            case NotConnected():
                pass
            case _:
                assert_never(problem)  # refused: 172 a match that leaves problems out


# --- calling an API -------------------------------------------------------------------


async def calls_an_api(call: ActionCall[ChatConfig, object, Say], request: HttpRequest) -> None:
    await call.http.send(request)  # refused: 173 another origin by a short name
    await call.http.send_anywhere_without_token("https://other.example/")  # refused: 174 a string for a request
    await call.http.get("/says", json={})  # refused: 175 a body with GET
    await call.http.get("/says", {"page": 2})  # refused: 176 a query by position
    await call.http.get("/says", query={"key": call.config.bot_token})  # refused: 177 a secret in a query
    await call.http.get("/says", headers={"X-Key": call.config.bot_token})  # refused: 178 a secret for a header's text
    await call.http.post("/says", body="text")  # refused: 179 text for bytes
    await call.http.put("/says", idempotency_key="one")  # refused: 180 a key that changes nothing
    await call.http.get("/says", deadline=30)  # refused: 181 a number for a time
    await call.http.get("/says")  # refused: 182 a Result ignored
    call.http.get("/says").unwrap()  # refused: 183 await forgotten
    answer = await call.http.get("/says")
    answer.unwrap().decode(Said).number  # refused: 184 a Result used as its value
    answer.failure().retry_at  # refused: 185 one of many problems taken for granted
    call.http = call.http  # refused: 186 assignment to what is frozen
    plain_chat.with_api()  # refused: 187 no address
    plain_chat.with_api("https://api.example", "X-Key")  # refused: 188 a header by position


# --- without our routes ---------------------------------------------------------------


async def without_our_routes() -> None:
    await at_chat.authorize_device(config)  # refused: 189 a device without OAuth
    await at_forge.authorize_device(config)  # refused: 190 another connector's config
    await at_chat.connect_as_client(config)  # refused: 191 a client's own name without OAuth
    await at_forge.authorize_without_browser_binding(ForgeConfig())  # refused: 192 no subject
    begun = value_or_raise(await at_forge.authorize_with_cookie(ForgeConfig(), subject="u"))
    header: str = begun.set_cookie  # refused: 193 a secret used as a string


# --- OAuth scopes ---------------------------------------------------------------------


async def oauth_scopes() -> None:
    action("x", input=Say, output=Said, oauth_scopes="repo")  # refused: 194 a string for a set of strings
    http_action("x", input=Say, output=Said, oauth_scopes="repo")  # refused: 195 the same
    await at_forge.authorize(ForgeConfig(), subject="u", oauth_scopes="repo")  # refused: 196 the same
    await at_forge.authorize_device(ForgeConfig(), oauth_scopes="repo")  # refused: 197 the same
    await discover_provider("https://a.example", client_id="c", oauth_scopes="openid")  # refused: 198 the same
    google.provider(client_id="c", oauth_scopes="openid")  # refused: 199 the same
    OAuthProvider(authorization_url="https://a", token_url="https://t", client_id="c", oauth_scopes="repo")  # refused: 200 the same


# --- secrets --------------------------------------------------------------------------


def secrets() -> None:
    config.bot_token == "x"  # refused: 201 a secret compared with a string, which is always False
    if config.bot_token == config.chat:  # refused: 202 the same
        pass


# --- many connectors, and an own container ---------------------------------------------


def many(store: Store) -> None:
    registered.add_connectors()  # refused: 203 no connector
    registered.add_connectors(plain_mail)  # refused: 204 not built
    registered.add_connectors(mail, "mail")  # refused: 205 a string
    registered.add_connectors(mail, mail, mail, mail, mail, mail, mail, mail, mail)  # refused: 206 nine at once
    empty.add_connectors(mail, chat).with_database(store).with_encryption(keyring).build().scope(Organization("a")).at(forge)  # refused: 207 a connector that is not among them
    registered.with_container(MemoryStore)  # refused: 208 no container
    registered.with_container(Container()).build()  # refused: 209 an instance
    registered.with_container(Container).build()  # refused: 210 no encryption


# --- helpers over any connector -------------------------------------------------------


def any_context(at: AtConfig[ChatConfig, object], definition: Definition[ChatConfig, object, ChatConfig]) -> None:
    at.action(say)  # refused: 211 an action that needs a context
    other_context(definition)  # refused: 212 any context, where a certain one is needed


def other_context(definition: Definition[ChatConfig, ChatClient, ChatConfig]) -> None:
    pass


# --- problems -------------------------------------------------------------------------


class OwnProblem(NotConnected, frozen=True):  # refused: 213 a subclass of a problem, which is final
    pass
