"""The Litestar plugin: needs `igniter-connectors[web]`."""

try:
    import litestar as _litestar
except ImportError as _error:
    raise ImportError(
        "the web plugin needs litestar: pip install 'igniter-connectors[web]'"
    ) from _error

from igniter_connectors.core.principal import Permit, Principal
from igniter_connectors.web.permissions import PrincipalOf
from igniter_connectors.web.plugin import ConnectorsPlugin

__all__ = ["ConnectorsPlugin", "Permit", "Principal", "PrincipalOf"]

del _litestar
