"""An application for `--app tests.cli.sample_app:connectors`."""

from __future__ import annotations

import os

from igniter_connectors import ConnectorManager, Settings
from tests.sample import Organization, bot

connectors = (
    ConnectorManager.create()
    .with_settings(Settings.from_environment())
    .add_scope(Organization)
    .add_connector(bot)
    .build()
)

not_a_manager = os.sep
