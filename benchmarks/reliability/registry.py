"""All figures by name."""

from benchmarks.reliability.callback_mutations import callback_mutations
from benchmarks.reliability.canaries import canaries
from benchmarks.reliability.closing import closing
from benchmarks.reliability.commit_unknown import commit_unknown
from benchmarks.reliability.corrupt_row import corrupt_row
from benchmarks.reliability.cross_tenant import cross_tenant
from benchmarks.reliability.database_down import database_down
from benchmarks.reliability.dead_grant import ACTIONS, dead_grant_in
from benchmarks.reliability.envelope import envelope
from benchmarks.reliability.figure import Measurement
from benchmarks.reliability.fuzz_signatures import fuzz_signatures
from benchmarks.reliability.impatient import impatient
from benchmarks.reliability.inbox_once import inbox_once
from benchmarks.reliability.kill_inbox import kill_inbox
from benchmarks.reliability.kill_refresh import TIMES, kill_refresh_times
from benchmarks.reliability.late_commit import late_commit
from benchmarks.reliability.no_lost_update import WEBHOOKS, no_lost_update_in
from benchmarks.reliability.permit import permit
from benchmarks.reliability.poison import poison
from benchmarks.reliability.poison_values import poison_values
from benchmarks.reliability.random_schedules import random_schedules
from benchmarks.reliability.reauthorize_race import EACH, reauthorize_race_of
from benchmarks.reliability.redirects import redirects
from benchmarks.reliability.restart import restart
from benchmarks.reliability.return_urls import return_urls
from benchmarks.reliability.rolling_keys import rolling_keys
from benchmarks.reliability.routes import routes
from benchmarks.reliability.schemathesis_run import schemathesis_run
from benchmarks.reliability.skew import skew
from benchmarks.reliability.slow_provider import slow_provider
from benchmarks.reliability.state_once import state_once
from benchmarks.reliability.storm import CONNECTIONS, storm, storm_over
from benchmarks.reliability.tenant_hosts import tenant_hosts
from benchmarks.reliability.weather import SECONDS, weather_for
from benchmarks.reliability.zoom_oracle import zoom_oracle

FIGURES: dict[str, Measurement] = {
    "storm": storm,
    "storm-200": storm_over(CONNECTIONS),
    "slow-provider": slow_provider,
    "impatient": impatient,
    "kill-refresh": kill_refresh_times(TIMES),
    "late-commit": late_commit,
    "weather": weather_for(SECONDS),
    "dead-grant": dead_grant_in(ACTIONS),
    "reauthorize-race": reauthorize_race_of(EACH),
    "restart": restart,
    "skew": skew,
    "rolling-keys": rolling_keys,
    "no-lost-update": no_lost_update_in(WEBHOOKS),
    "callback-mutations": callback_mutations,
    "canaries": canaries,
    "closing": closing,
    "commit-unknown": commit_unknown,
    "corrupt-row": corrupt_row,
    "cross-tenant": cross_tenant,
    "database-down": database_down,
    "envelope": envelope,
    "fuzz-signatures": fuzz_signatures,
    "redirects": redirects,
    "return-urls": return_urls,
    "routes": routes,
    "state-once": state_once,
    "tenant-hosts": tenant_hosts,
    "inbox-once": inbox_once,
    "kill-inbox": kill_inbox,
    "permit": permit,
    "poison": poison,
    "poison-values": poison_values,
    "random-schedules": random_schedules,
    "schemathesis": schemathesis_run,
    "zoom-oracle": zoom_oracle,
}
