"""What an application may write, and the types that checkers must infer of it.

Each section is a chapter of the public API. Nothing here runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Annotated, Literal, Never, Self, assert_never, assert_type

import aiosqlite
import msgspec
from dependency_injector import providers
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors import (
    AccessToken,
    Action,
    ActionCall,
    ActionFailed,
    ApiClient,
    At,
    AtConfig,
    AtOAuth,
    AuthorizationRequest,
    ConfigConnector,
    Connection,
    ConnectionSummary,
    Connector,
    ConnectorError,
    ConnectorManager,
    Connectors,
    Event,
    HttpClient,
    HttpRequest,
    HttpResponse,
    Keyring,
    MemoryStore,
    OAuthConnector,
    OAuthProvider,
    Page,
    PostgresStore,
    Principal,
    Problem,
    Scope,
    Scoped,
    Secret,
    SQLiteStore,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
    discover_provider,
    form_fields,
    http_action,
    mask,
    problem_of,
    value_or_raise,
)
from igniter_connectors.container import Container
from igniter_connectors.core.connector.validation import ValidationFault
from igniter_connectors.core.http.messages import DEADLINE, RESPONSE_LIMIT_BYTES
from igniter_connectors.core.webhook.event_type import UnknownType
from igniter_connectors.events import Connected, Disconnected, ErrorOccurred, Subscription, Updated
from igniter_connectors.problems import (
    ActionInputInvalid,
    ActionNotFound,
    ActionOutputInvalid,
    AlreadyConnected,
    ApiCallsAtLimit,
    ApiProblem,
    ApiRateLimited,
    ApiRequestRefused,
    ApiResponseTooLarge,
    ApiUnauthorized,
    ApiUnreachable,
    AuthorizeDirectlyProblem,
    AuthorizeProblem,
    CallProblem,
    ClientConnectProblem,
    ConfigInvalid,
    Conflict,
    ConnectorNotFound,
    ConnectProblem,
    DatabaseFailed,
    DecryptFailed,
    DefaultCallProblem,
    DefaultConfigRequired,
    DeviceProblem,
    DeviceStartProblem,
    Disabled,
    DisconnectProblem,
    DiscoveryFailed,
    EncryptFailed,
    EndpointProblem,
    GetProblem,
    HandlerProblem,
    IdentityMismatch,
    IdTokenInvalid,
    MissingScopes,
    NeedsReauth,
    NotConnected,
    ProviderAnswerMalformed,
    ProviderUnreachable,
    RefreshFailed,
    ReplayProblem,
    ResponseUnexpected,
    ReturnToInvalid,
    ScopeIdentifierRequired,
    ScopeInvalid,
    ScopeProblem,
    ToggleProblem,
    TokenMalformed,
    TokenRefused,
    UpdateProblem,
    UserInfoMalformed,
    WebhookNotConfigured,
    WebhookNotFound,
    WebhookSecretInvalid,
)
from igniter_connectors.stores import Store
from igniter_connectors.typing import (
    BoundAction,
    Clock,
    ConnectorBuilder,
    ConnectorDraft,
    ConnectorEntry,
    CookieAuthorization,
    DefaultAction,
    Definition,
    Entropy,
    Explanation,
    FormField,
    FoundConnector,
    Fresh,
    HasHandlers,
    HttpFailed,
    JsonValue,
    ManagerBuilder,
    Missing,
    OAuth,
    Observer,
    PendingDevice,
    Plain,
)
from igniter_connectors.webhooks import (
    GITHUB,
    LINEAR,
    META,
    MICROSOFT_GRAPH,
    SHOPIFY,
    SLACK,
    STRIPE,
    SVIX,
    TWILIO,
    ZOOM,
    AcceptUnsignedEvents,
    CustomVerification,
    Delivery,
    HmacScheme,
    Retries,
    StandardWebhooks,
    VerificationFailure,
    Verified,
    WebhookEndpoint,
    WebhookEvent,
)

# --- tenants --------------------------------------------------------------------------


class Organization(Scope, frozen=True, tag="organization"):
    """A kind whose tenants have an identity."""


class System(Scope, frozen=True, tag="system"):
    """A kind with one tenant."""

    identity: str = ""


assert_type(Organization("acme").identity, str)
assert_type(System(), System)


# --- configs, inputs, outputs ---------------------------------------------------------


class ChatConfig(msgspec.Struct, frozen=True):
    """A config with a secret."""

    bot_token: Secret
    chat: str
    silent: bool = False


class ForgeConfig(msgspec.Struct, frozen=True):
    """An empty config. Its own type still names the connector."""


class Say(msgspec.Struct, frozen=True):
    """An action's input, with a constraint."""

    text: Annotated[str, msgspec.Meta(min_length=1)]


class Said(msgspec.Struct, frozen=True, tag="said"):
    """One of two outputs."""

    number: int


class Queued(msgspec.Struct, frozen=True, tag="queued"):
    """The other output."""

    position: int


class Star(msgspec.Struct, frozen=True):
    """Another action's input."""

    repository: str


# --- actions --------------------------------------------------------------------------


class ChatClient:
    """A context that is entered before a call and left after it."""

    def __init__(self, token: Secret) -> None:
        self.token: Secret = token

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace


async def open_client(config: ChatConfig) -> ChatClient:
    return ChatClient(config.bot_token)


@action("say", input=Say, output=Said | Queued)
async def say(call: ActionCall[ChatConfig, ChatClient, Say]) -> Result[Said | Queued, ActionFailed]:
    assert_type(call.input, Say)
    assert_type(call.config, ChatConfig)
    assert_type(call.context, ChatClient)
    assert_type(call.tenant, Scope | None)
    assert_type(call.access_token, AccessToken | None)
    assert_type(call.failed("no such chat"), Result[Never, ActionFailed])
    if call.config.silent:
        return call.failed("the chat is silent", retry_at=datetime.fromtimestamp(0, UTC))
    assert_type(call.http, ApiClient)
    answer = await call.http.post("/say", json=call.input, idempotency_key="one")
    assert_type(answer, Result[HttpResponse, ApiProblem])
    if not is_successful(answer):
        match answer.failure():
            case ApiRateLimited(retry_at=retry_at):
                return call.failed("busy", retry_at=retry_at)
            case problem:
                return call.failed(problem.message)
    assert_type(answer.unwrap().decode(Said), Result[Said, ResponseUnexpected])
    assert_type(
        answer.unwrap().decode(list[Said], statuses=(200,)), Result[list[Said], ResponseUnexpected]
    )
    found = await call.http.get("/says", query={"page": 2, "tag": ["a", "b"], "all": True})
    assert_type(found, Result[HttpResponse, ApiProblem])
    for asking in (
        call.http.put("/says/1", form={"text": "x"}, limit_bytes=1 << 24),
        call.http.patch("/says/1", body=b"x", headers={"Content-Type": "text/plain"}),
        call.http.delete("/says/1", deadline=timedelta(minutes=1)),
        call.http.request("HEAD", "/says/1"),
    ):
        assert_type(await asking, Result[HttpResponse, ApiProblem])
    elsewhere = await call.http.send_anywhere_without_token(
        HttpRequest("GET", "https://other.example/")
    )
    assert_type(
        elsewhere,
        Result[
            HttpResponse,
            ApiRequestRefused | ApiUnreachable | ApiCallsAtLimit | ApiResponseTooLarge,
        ],
    )
    return Success(Said(1))


@action("pass_on", input=Say, output=Said)
async def pass_on(call: ActionCall[ChatConfig, object, Say]) -> Result[Said, HandlerProblem]:
    """Problems of `call.http`, of a response and of another action go on to the caller as they are."""
    answer = await call.http.post("/say", json=call.input)
    if not is_successful(answer):
        return Failure(answer.failure())
    if not call.input.text:
        return Failure((await connectors.action(chat, members).call(call.input)).failure())
    said = answer.unwrap().decode(Said)
    return said if is_successful(said) else Failure(said.failure())


@action("pass_on_some", input=Say, output=Said)
async def pass_on_some(
    call: ActionCall[ChatConfig, object, Say],
) -> Result[Said, ApiProblem | ActionFailed]:
    """A handler may name only the problems that it returns."""
    answer = await call.http.post("/say", json=call.input)
    if not is_successful(answer):
        return Failure(answer.failure())
    return call.failed("nothing came back")


async def take_and_pass_on(
    call: WebhookCall[ChatConfig, object, object],
) -> Result[None, Problem]:
    """A webhook's handler passes on any problem."""
    answer = await call.http.get("/says")
    if not is_successful(answer):
        return Failure(answer.failure())
    got = await connectors.scope(Organization("acme")).at(chat).get()
    if not is_successful(got):
        return Failure(got.failure())
    return call.failed("busy", retry_at=datetime.fromtimestamp(0, UTC))


@action("say_at_once", input=Say, output=Said | Queued)
async def say_at_once(
    call: ActionCall[ChatConfig, ChatClient, Say],
) -> Result[Said, ActionFailed]:
    """Returns less than its output allows."""
    return Success(Said(len(call.input.text)))


@http_action("members", input=Say, output=list[str])
async def members(call: ActionCall[ChatConfig, object, Say]) -> Result[list[str], ActionFailed]:
    """Needs no context, so it accepts any."""
    return Success([call.config.chat])


@action("star", input=Star, output=None)
async def star(call: ActionCall[ForgeConfig, object, Star]) -> Result[None, ActionFailed]:
    if call.access_token is None:
        return call.failed("no token")
    assert_type(call.access_token.authorization_header(), tuple[str, str])
    return Success(None)


@action("echo", input=Say, output=dict[str, int])
async def echo(
    call: ActionCall[msgspec.Struct, object, Say],
) -> Result[dict[str, int], ActionFailed]:
    """Reads no config, so every connector can add it."""
    return Success({call.input.text: 1})


class Service:
    """A handler may be a method of an application's object."""

    def __init__(self, limit: int) -> None:
        self.limit: int = limit

    async def count(self, call: ActionCall[ChatConfig, object, Say]) -> Result[int, ActionFailed]:
        return Success(self.limit) if call.input.text else call.failed("nothing said")


count = action("count", input=Say, output=int)(Service(3).count)
assert_type(count, Action[ChatConfig, object, Say, int])
assert_type(say, Action[ChatConfig, ChatClient, Say, Said | Queued])
assert_type(say_at_once, Action[ChatConfig, ChatClient, Say, Said | Queued])
assert_type(pass_on, Action[ChatConfig, object, Say, Said])
assert_type(pass_on_some, Action[ChatConfig, object, Say, Said])
assert_type(members, Action[ChatConfig, object, Say, list[str]])
assert_type(star, Action[ForgeConfig, object, Star, None])
assert_type(echo, Action[msgspec.Struct, object, Say, dict[str, int]])


# --- webhooks -------------------------------------------------------------------------


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """One type of payload."""

    member: str


class Left(msgspec.Struct, frozen=True, tag="left"):
    """The other type."""

    member: str
    since: int


async def take(
    call: WebhookCall[ChatConfig, ChatClient, Joined | Left],
) -> Result[None, WebhookFailed]:
    assert_type(call.payload, Joined | Left)
    assert_type(call.config, ChatConfig)
    assert_type(call.context, ChatClient)
    assert_type(call.tenant, Scope)
    assert_type(call.event_id, str)
    match call.payload:
        case Joined(member=member):
            assert_type(member, str)
        case Left(since=since):
            assert_type(since, int)
            return call.failed("who left is not known here")
        case _:
            assert_never(call.payload)
    return Success(None)


async def take_anything(
    call: WebhookCall[ChatConfig, object, object],
) -> Result[None, WebhookFailed]:
    """Reads neither context nor payload, so it accepts any."""
    return call.failed(call.account)


chat_webhook = Webhook(payload=Joined | Left, verification=StandardWebhooks(), handler=take)
assert_type(chat_webhook, Webhook[ChatConfig, ChatClient, Joined | Left])
assert_type(
    Webhook(payload=Joined, verification=STRIPE, handler=take_anything),
    Webhook[ChatConfig, object, Joined],
)
any_webhook = Webhook(
    payload=dict[str, int], verification=AcceptUnsignedEvents(), handler=take_anything
)
own_scheme = Webhook(
    payload=Left,
    verification=HmacScheme(header="X-Chat", algorithm="sha512", tolerance=timedelta(minutes=1)),
    handler=take_anything,
    body_limit_bytes=4096,
)


def judge_password(
    request: HttpRequest, secrets: Sequence[Secret], now: datetime
) -> Result[Verified, VerificationFailure]:
    """The application's own verification."""
    password = request.header("X-Password")
    if password is None or Secret(password) not in secrets:
        return Failure(VerificationFailure("another password"))
    return Success(Verified(None, event_id_is_signed=False, signed_at=now))


by_function = Webhook(
    payload=Left,
    verification=CustomVerification(judge=judge_password, headers=("X-Password",)),
    handler=take_anything,
    dedupe_identical_bodies_for=timedelta(days=1),
)
assert_type(by_function.reader.read(b""), Left | UnknownType | ValidationFault)
passing_on = Webhook(payload=Left, verification=STRIPE, handler=take_and_pass_on)
assert_type(passing_on, Webhook[ChatConfig, object, Left])
for shipped in (SLACK, ZOOM, META, SHOPIFY, LINEAR, TWILIO, MICROSOFT_GRAPH, SVIX):
    _ = Webhook(payload=Left, verification=shipped, handler=take_anything)


# --- connectors -----------------------------------------------------------------------


class Card(msgspec.Struct, frozen=True):
    """Metadata is any struct."""

    name: str
    category: Literal["chat", "code"]


async def check_chat(config: ChatConfig) -> Result[None, str]:
    return Success(None) if config.chat.isdigit() else Failure("a chat is a number")


async def normalize(config: ChatConfig) -> Result[ChatConfig, str]:
    """Only the verdict of a check is used, not what it returns beside it."""
    return Success(config)


no_config = Connector.create("chat")
fresh = no_config.with_config(ChatConfig)
with_client = (
    fresh.with_metadata(Card("Chat", "chat")).on_validate(check_chat).on_context(open_client)
)
with_action = with_client.add_action(say)
assert_type(no_config, ConnectorDraft)
assert_type(fresh, ConnectorBuilder[ChatConfig, None, Plain, Fresh])
assert_type(with_client, ConnectorBuilder[ChatConfig, ChatClient, Plain, Fresh])
assert_type(with_action, ConnectorBuilder[ChatConfig, ChatClient, Plain, HasHandlers])

chat = (
    with_action.add_action(say_at_once)
    .add_action(members)
    .add_action(echo)
    .with_webhook(chat_webhook)
    .with_default_config(ChatConfig(Secret("t"), "1", silent=True))
    .on_validate(normalize)
    .with_metadata(Card("Chat", category="chat"))
    .build()
)
provider = OAuthProvider(
    authorization_url="https://forge.example/authorize",
    token_url="https://forge.example/token",
    client_id="client",
    client_secret=Secret("hush"),
    oauth_scopes=("repo", "user"),
)
forge = (
    Connector.create("forge")
    .with_config(ForgeConfig)
    .with_api("https://api.forge.example/v1", idempotency_header="Idempotency-Key")
    .add_action(star)
    .with_oauth(provider)
    .build()
)
assert_type(chat, ConfigConnector[ChatConfig, ChatClient, ChatConfig])
assert_type(forge, OAuthConnector[ForgeConfig, None, ForgeConfig])
assert_type(chat.key, str)
assert_type(chat.default_config, ChatConfig | None)
assert_type(forge.provider, OAuthProvider)
# The provider first, and a webhook beside it.
early_oauth = Connector.create("forge").with_config(ForgeConfig).with_oauth(provider)
assert_type(early_oauth, ConnectorBuilder[ForgeConfig, None, OAuth, Fresh])


async def on_push(call: WebhookCall[ForgeConfig, None, Star]) -> Result[None, WebhookFailed]:
    return Success(None) if call.payload.repository else call.failed("which?")


assert_type(
    early_oauth.with_webhook(Webhook(payload=Star, verification=GITHUB, handler=on_push)).build(),
    OAuthConnector[ForgeConfig, None, ForgeConfig],
)
# Handlers that ask for less than the connector offers.
assert_type(
    with_client.with_webhook(any_webhook).build(),
    ConfigConnector[ChatConfig, ChatClient, ChatConfig],
)
assert_type(
    fresh.add_action(members).with_webhook(own_scheme).build(),
    ConfigConnector[ChatConfig, None, ChatConfig],
)


# --- own ports ------------------------------------------------------------------------


class Recorder:
    """Telemetry, an HTTP client, a clock and entropy, without a base class."""

    def observe(self, event: Event) -> None:
        assert_type(event.name, str)
        assert_type(event.at, datetime)

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Result[HttpResponse, HttpFailed]:
        if deadline > DEADLINE or limit_bytes == 0:
            return Failure(HttpFailed(sent=False))
        return Success(HttpResponse(200, body=request.body))

    def now(self) -> datetime:
        return datetime.fromtimestamp(0, UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        del seconds

    def octets(self, count: int) -> bytes:
        return bytes(count)

    def fraction(self) -> float:
        return 0.5


recorder = Recorder()
http: HttpClient = recorder
clock: Clock = recorder
entropy: Entropy = recorder
observer: Observer = recorder
memory: Store = MemoryStore(clock=clock)
file: Store = SQLiteStore("connectors.db")


# --- the manager ----------------------------------------------------------------------


async def on_connected(event: Connected) -> None:
    assert_type(event.connector, str)


async def on_error(event: ErrorOccurred) -> None:
    assert_type(event.frames, tuple[str, ...])


async def on_any(event: Event) -> None:
    if isinstance(event, Updated):
        assert_type(event.identity, str)


empty = ConnectorManager.create()
assert_type(empty, ManagerBuilder[Missing, Missing, Never, Never])
registered = (
    empty.add_scope(Organization).add_scope(System).add_connector(chat).add_connector(forge)
)
assert_type(
    registered, ManagerBuilder[Missing, Missing, ChatConfig | ForgeConfig, Organization | System]
)
keyring = Keyring.from_secret(
    Keyring.generate(), previous=["a secret of an earlier day", Secret("")]
)
ready = (
    registered.with_encryption(keyring)
    .with_database(memory)
    .with_base_url("https://app.example/integrations")
    .allow_return_to("https://www.app.example/done", "https://other.example/")
    .with_logger(logging.getLogger("app"))
    .with_telemetry(recorder)
    .with_http(http)
    .with_clock(clock)
    .with_entropy(entropy)
    .on_connect(on_connected)
    .on_connect(on_any)
    .on_disconnect(on_any)
    .on_error(on_error)
    .on(Connected, on_connected)
    .on(Disconnected, on_any)
    .on(Event, on_any)
)
assert_type(ready, ManagerBuilder[Store, Keyring, ChatConfig | ForgeConfig, Organization | System])
connectors = ready.build()
assert_type(connectors, Connectors[ChatConfig | ForgeConfig, Organization | System])
assert_type(
    registered.with_database(MemoryStore()).with_encryption(keyring).build(),
    Connectors[ChatConfig | ForgeConfig, Organization | System],
)


# --- tenants of a manager -------------------------------------------------------------


async def needs_forge(tenant: Scoped[ForgeConfig]) -> None:
    assert_type(tenant.at(forge), AtOAuth[ForgeConfig, None])


def needs_organizations(some: Connectors[ChatConfig, Organization]) -> Scoped[ChatConfig]:
    return some.scope(Organization("acme"))


async def one_tenant() -> None:
    async with connectors as opened:
        assert_type(opened, Connectors[ChatConfig | ForgeConfig, Organization | System])
    acme = connectors.scope(Organization("acme"))
    assert_type(acme, Scoped[ChatConfig | ForgeConfig])
    assert_type(connectors.scope(System()), Scoped[ChatConfig | ForgeConfig])
    # A tenant, and a manager, of more than is asked for.
    await needs_forge(acme)
    assert_type(needs_organizations(connectors), Scoped[ChatConfig])
    assert_type(acme.at(chat), AtConfig[ChatConfig, ChatClient])
    assert_type(acme.at(forge, account="work"), AtOAuth[ForgeConfig, None])
    assert_type(await acme.list(limit=10), Result[Page[ConnectionSummary], DatabaseFailed])
    assert_type(await acme.count(), Result[int, DatabaseFailed])


# --- one tenant at one connector ------------------------------------------------------


def log(result: Result[object, Problem]) -> None:
    problem = problem_of(result)
    assert_type(problem, Problem | None)
    if problem is not None:
        assert_type((problem.code, problem.message), tuple[str, str])


async def at_a_config_connector(at: AtConfig[ChatConfig, ChatClient]) -> None:
    config = ChatConfig(Secret("t"), chat="42")
    connected = await at.connect(config)
    assert_type(connected, Result[Connection[ChatConfig], ConnectProblem])
    assert_type(value_or_raise(connected).config.bot_token.reveal(), str)
    found = await at.get()
    assert_type(found, Result[Connection[ChatConfig], GetProblem])
    if is_successful(found):
        assert_type(found.unwrap().config, ChatConfig)
        updated = await at.update(config, version=found.unwrap().version)
        assert_type(updated, Result[Connection[ChatConfig], UpdateProblem])
    assert_type(await at.enable(), Result[None, ToggleProblem])
    assert_type(await at.disable(), Result[None, ToggleProblem])
    assert_type(await at.disconnect(), Result[None, DisconnectProblem])
    assert_type(await at.explain(), Result[Explanation, DatabaseFailed])
    sealed = at.seal_config(config)
    assert_type(sealed, Result[Secret, ConfigInvalid | EncryptFailed])
    assert_type(
        at.open_config(value_or_raise(sealed)), Result[ChatConfig, ConfigInvalid | DecryptFailed]
    )
    # What one operation returns passes where more problems are possible.
    log(connected)
    log(await at.disconnect())


async def by_its_issuer() -> None:
    found = await discover_provider("https://login.example", client_id="c", oauth_scopes=("a",))
    assert_type(found, Result[OAuthProvider, DiscoveryFailed])
    assert_type(
        Connector.create("x").with_config(ForgeConfig).with_oauth(value_or_raise(found)).build(),
        OAuthConnector[ForgeConfig, None, ForgeConfig],
    )


async def at_an_oauth_connector(at: AtOAuth[ForgeConfig, None]) -> None:
    begun = await at.authorize(ForgeConfig(), subject="user-7", return_to="/settings")
    assert_type(begun, Result[AuthorizationRequest, AuthorizeProblem])
    assert_type(value_or_raise(begun).url, str)
    assert_type(value_or_raise(begun).expires_in, timedelta)
    assert_type(
        await at.authorize_replacing_account(ForgeConfig(), subject="user-7"),
        Result[AuthorizationRequest, AuthorizeProblem],
    )
    with_cookie = await at.authorize_with_cookie(ForgeConfig(), subject="user-7")
    assert_type(with_cookie, Result[CookieAuthorization, AuthorizeDirectlyProblem])
    assert_type(value_or_raise(with_cookie).set_cookie, Secret)
    assert_type(
        await at.authorize_without_browser_binding(ForgeConfig(), subject="cli"),
        Result[AuthorizationRequest, AuthorizeDirectlyProblem],
    )
    device = await at.authorize_device(ForgeConfig(), oauth_scopes=["read"])
    assert_type(device, Result[PendingDevice[ForgeConfig], DeviceStartProblem])
    assert_type(value_or_raise(device).verification_uri_complete, str | None)
    assert_type(
        await at.authorize_device_replacing_account(ForgeConfig(), oauth_scopes=["read"]),
        Result[PendingDevice[ForgeConfig], DeviceStartProblem],
    )
    assert_type(
        await value_or_raise(device).finished(),
        Result[Connection[ForgeConfig], DeviceProblem],
    )
    assert_type(
        await at.connect_as_client(ForgeConfig()),
        Result[Connection[ForgeConfig], ClientConnectProblem],
    )
    found = value_or_raise(await at.get())
    if found.authorization is not None and found.authorization.account is not None:
        assert_type(found.authorization.account.subject, str)


async def webhooks_of(at: AtConfig[ChatConfig, ChatClient]) -> None:
    made = await at.create_webhook()
    assert_type(made, Result[WebhookEndpoint, EndpointProblem])
    assert_type(
        await at.create_webhook(signing_secret=Secret("whsec_…")),
        Result[WebhookEndpoint, EndpointProblem],
    )
    endpoint = value_or_raise(made)
    assert_type(endpoint.signing_secret, Secret)
    assert_type(
        await at.replace_webhook_secret(endpoint.id, Secret("whsec_…")),
        Result[None, EndpointProblem | WebhookNotFound],
    )
    assert_type(
        await at.webhooks.rotate(endpoint.id, overlap=timedelta(days=1)),
        Result[WebhookEndpoint, EndpointProblem | WebhookNotFound],
    )
    assert_type(await at.webhooks.list(state="dead"), Result[Page[WebhookEvent], DatabaseFailed])
    assert_type(await at.webhooks.replay("id"), Result[None, ReplayProblem])
    assert_type(await at.webhooks.check_replay("id"), Result[WebhookEvent, ReplayProblem])


own_file = SQLiteStore("connectors.db")
own_database = PostgresStore("postgresql://localhost/app")


async def once(call: WebhookCall[ChatConfig, ChatClient, Joined]) -> Result[None, WebhookFailed]:
    assert_type(call.received_at, datetime)
    assert_type(call.delivery, Delivery)
    async with own_database.transaction(call) as connection:
        cursor = await connection.execute("INSERT INTO invoices VALUES (%s)", (call.event_id,))
        assert_type(cursor.rowcount, int)
    async with own_file.transaction(call) as file:
        assert_type(file, aiosqlite.Connection)
    return Success(None)


def sender_of(joined: Joined) -> str:
    return str(joined)


ordered = Webhook(
    payload=Joined,
    verification=STRIPE,
    handler=once,
    order_key=sender_of,
    when_disabled="drop",
    retries=Retries(attempts=3),
)
assert_type(ordered, Webhook[ChatConfig, ChatClient, Joined])


# --- own functions over any connector -------------------------------------------------

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def is_connected(tenant: Scoped[Conf], connector: ConfigConnector[Conf, Ctx, Conf]) -> bool:
    return is_successful(await tenant.at(connector).get())


async def members_of(at: At[ChatConfig, object]) -> list[str]:
    """Calls an action that needs no context, so it asks for none."""
    return value_or_raise(await at.action(members).call(Say("who")))


def age_of(connection: Connection[msgspec.Struct]) -> timedelta:
    return connection.updated_at - connection.created_at


async def over_any(tenant: Scoped[ChatConfig], at: AtConfig[ChatConfig, ChatClient]) -> None:
    assert_type(await is_connected(tenant, chat), bool)
    assert_type(await members_of(at), list[str])
    assert_type(age_of(value_or_raise(await at.get())), timedelta)


# --- calling actions ------------------------------------------------------------------


async def call_actions(at: AtConfig[ChatConfig, ChatClient]) -> Said | Queued:
    assert_type(at.action(say), BoundAction[Say, Said | Queued])
    assert_type(at.action(members), BoundAction[Say, list[str]])
    assert_type(at.action(echo), BoundAction[Say, dict[str, int]])
    sent = await at.action(say).call(Say("hello"))
    assert_type(sent, Result[Said | Queued, CallProblem])
    if is_successful(sent):
        assert_type(sent.unwrap(), Said | Queued)
    else:
        assert_type(sent.failure(), CallProblem)
    return value_or_raise(sent)


async def call_at_once(at: AtConfig[ChatConfig, ChatClient]) -> None:
    async with asyncio.TaskGroup() as group:
        one = group.create_task(at.action(members).call(Say("a")))
        other = group.create_task(at.action(say).call(Say("b")))
    assert_type(one.result(), Result[list[str], CallProblem])
    assert_type(other.result(), Result[Said | Queued, CallProblem])
    assert_type(
        await asyncio.gather(at.action(members).call(Say("c")), at.get()),
        tuple[Result[list[str], CallProblem], Result[Connection[ChatConfig], GetProblem]],
    )


async def default_actions() -> None:
    assert_type(connectors.action(chat, members), DefaultAction[Say, list[str]])
    assert_type(
        await connectors.action(chat, say).call(Say("hello")),
        Result[Said | Queued, DefaultCallProblem],
    )


# --- problems, each in a match that leaves none out -----------------------------------


def explain_call(result: Result[object, CallProblem]) -> str | datetime | None:
    problem = problem_of(result)
    assert_type(problem, CallProblem | None)
    match problem:
        case None:
            return None
        case NotConnected(account=text) | ActionNotFound(action=text) | NeedsReauth(reason=text):
            assert_type(text, str)
            return text
        case ActionFailed(retry_at=instant) | RefreshFailed(retry_at=instant):
            assert_type(instant, datetime | None)
            return instant
        case ConfigInvalid() | ActionInputInvalid() | ActionOutputInvalid():
            assert_type(problem, ConfigInvalid | ActionInputInvalid | ActionOutputInvalid)
            return problem.path
        case MissingScopes(upgrade_url=text):
            assert_type(text, str)
            return text
        case Disabled() | DecryptFailed() | DatabaseFailed() | DefaultConfigRequired():
            return problem.message
        case ApiRateLimited(retry_at=instant):
            assert_type(instant, datetime)
            return instant
        case ApiRequestRefused() | ApiUnreachable() | ApiUnauthorized() | ApiResponseTooLarge():
            return problem.message
        case ApiCallsAtLimit():
            return problem.message
        case ResponseUnexpected():
            return problem.reason
        case _:
            assert_never(problem)


def explain_get(result: Result[Connection[ChatConfig], GetProblem]) -> str | ChatConfig:
    if is_successful(result):
        return result.unwrap().config
    problem = result.failure()
    match problem:
        case NotConnected() | DecryptFailed() | DatabaseFailed():
            return problem.code
        case ConfigInvalid(path=path):
            return path
        case _:
            assert_never(problem)


def explain_connect(problem: ConnectProblem) -> str:
    match problem:
        case AlreadyConnected(account=text) | ConfigInvalid(reason=text):
            return text
        case EncryptFailed() | DecryptFailed() | DatabaseFailed():
            return problem.message
        case _:
            assert_never(problem)


def explain_update(problem: UpdateProblem) -> int | None:
    match problem:
        case Conflict(current_version=version):
            return version
        case (
            NotConnected() | ConfigInvalid() | EncryptFailed() | DecryptFailed() | DatabaseFailed()
        ):
            return None
        case _:
            assert_never(problem)


def explain_authorize(problem: AuthorizeProblem) -> None:
    match problem:
        case ConfigInvalid() | EncryptFailed() | ReturnToInvalid() | DatabaseFailed():
            return
        case _:
            assert_never(problem)


def explain_device(problem: DeviceProblem | DeviceStartProblem | ClientConnectProblem) -> str:
    match problem:
        case TokenRefused(error=error):
            return error
        case TokenMalformed() | ProviderUnreachable() | ProviderAnswerMalformed():
            return problem.connector
        case UserInfoMalformed() | IdTokenInvalid() | IdentityMismatch() | Conflict():
            return problem.connector
        case ConfigInvalid() | EncryptFailed() | DecryptFailed():
            return problem.connector
        case DatabaseFailed():
            return ""
        case _:
            assert_never(problem)


def explain_toggle(problem: ToggleProblem | DisconnectProblem) -> None:
    match problem:
        case NotConnected() | DatabaseFailed():
            return
        case _:
            assert_never(problem)


def explain_endpoint(problem: EndpointProblem) -> None:
    match problem:
        case NotConnected() | WebhookNotConfigured() | WebhookSecretInvalid():
            assert_type(problem.connector, str)
        case EncryptFailed() | DatabaseFailed():
            return
        case _:
            assert_never(problem)


def explain_default(problem: DefaultCallProblem) -> None:
    match problem:
        case DefaultConfigRequired() | ActionNotFound() | ActionFailed():
            return
        case _:
            assert_type(explain_call(Failure(problem)), str | datetime | None)


def explain_scope(problem: ScopeProblem) -> str:
    match problem:
        case ScopeInvalid() | ScopeIdentifierRequired():
            return problem.scope
        case _:
            assert_never(problem)


async def with_exceptions(at: AtConfig[ChatConfig, ChatClient]) -> None:
    try:
        assert_type(value_or_raise(await at.get()), Connection[ChatConfig])
    except ConnectorError as error:
        assert_type(error.problem, Problem)


# --- where only strings are at hand ---------------------------------------------------


async def by_strings(kind: str, identity: str, key: str) -> None:
    tenant = connectors.tenant(kind, identity)
    assert_type(tenant, Result[Scoped[ChatConfig | ForgeConfig], ScopeProblem])
    connector = connectors.find(key)
    assert_type(connector, Result[FoundConnector, ConnectorNotFound])
    at = value_or_raise(tenant).at(value_or_raise(connector))
    assert_type(at, AtConfig[msgspec.Struct, object] | AtOAuth[msgspec.Struct, object])
    assert_type(await at.get(), Result[Connection[msgspec.Struct], GetProblem])
    assert_type(await at.disconnect(), Result[None, DisconnectProblem])
    assert_type(mask(value_or_raise(await at.get()).config), dict[str, JsonValue])
    if isinstance(at, AtOAuth):
        await needs_any(at)
    assert_type(
        await connectors.get(key), Result[ConnectorEntry, ConnectorNotFound | DatabaseFailed]
    )
    assert_type(await connectors.list(), Result[Page[ConnectorEntry], DatabaseFailed])


async def needs_any(at: AtOAuth[msgspec.Struct, object]) -> None:
    assert_type(await at.explain(), Result[Explanation, DatabaseFailed])


async def in_a_route(request: HttpRequest) -> HttpResponse:
    if request.header("Cookie") is None:
        return await connectors.handle(request)
    return await connectors.handle(request, principal=Principal(Organization("acme"), "user-7"))


# --- events ---------------------------------------------------------------------------


def follow(tenant: Scoped[ChatConfig]) -> None:
    assert_type(connectors.subscribe(on_any), Subscription)
    tenant.subscribe(on_any).cancel()


# --- form fields ----------------------------------------------------------------------

assert_type(form_fields(ChatConfig), tuple[FormField, ...])
assert_type(form_fields(ChatConfig)[0].options, tuple[str | int, ...])


# --- many connectors, and an own container ---------------------------------------------


class SystemTime:
    """A clock."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(0, UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class OwnContainer(Container):
    """Replaces two ports."""

    clock: providers.Provider[Clock] = providers.Singleton(SystemTime)
    store: providers.Provider[Store] = providers.Singleton(MemoryStore)


both = (
    ConnectorManager.create()
    .with_encryption(keyring)
    .with_container(OwnContainer)
    .add_scope(Organization)
    .add_connectors(chat, forge)
    .build()
)
assert_type(both, Connectors[ChatConfig | ForgeConfig, Organization])
assert_type(both.scope(Organization("a")).at(chat), AtConfig[ChatConfig, ChatClient])
assert_type(both.scope(Organization("a")).at(forge), AtOAuth[ForgeConfig, None])


# --- helpers over any connector -------------------------------------------------------


def key_of(definition: Definition[msgspec.Struct, object, Never]) -> str:
    """Reads nothing that depends on the type parameters."""
    return definition.key


def silent(at: AtConfig[ChatConfig, object]) -> BoundAction[Say, list[str]]:
    """An action that needs no context, of a connector with any context."""
    return at.action(members)


def either(
    connector: ConfigConnector[ChatConfig, object, ChatConfig]
    | OAuthConnector[ForgeConfig, object, ForgeConfig],
) -> str:
    """A connector of either kind."""
    return connector.key


assert_type(silent(both.scope(Organization("a")).at(chat)), BoundAction[Say, list[str]])
assert_type([either(chat), either(forge)], list[str])


# --- OAuth scopes ---------------------------------------------------------------------


@action("a", input=Say, output=Said, oauth_scopes=["repo"])
async def with_list(call: ActionCall[ForgeConfig, object, Say]) -> Result[Said, ActionFailed]:
    return Success(Said(1))


@action("b", input=Say, output=Said, oauth_scopes=("repo", "user"))
async def with_tuple(call: ActionCall[ForgeConfig, object, Say]) -> Result[Said, ActionFailed]:
    return Success(Said(1))


@action("c", input=Say, output=Said, oauth_scopes=frozenset({"repo"}))
async def with_set(call: ActionCall[ForgeConfig, object, Say]) -> Result[Said, ActionFailed]:
    return Success(Said(1))


# --- secrets --------------------------------------------------------------------------


def same(secret: Secret, text: str, anything: object) -> bool:
    """Two secrets can be compared, and a secret with a value of unknown type."""
    return secret == Secret(text) or secret == anything
