"""Words that were replaced: where each may no longer stand, and why a few of them stay.

A coined word means nothing else in this project, so it may stand nowhere: code, tests, benches, documentation. An
ordinary word is English, too, or a library's; it may not *name* anything in its part.
"""

from collections.abc import Mapping

COINED: Mapping[str, str] = {
    "worker": ("Footing Places Oddities Neighbours LaneBook lane_book time_box Refill Settler Calling Called Pace"),
    "lanes": "Hearing Heard Leaving News Lesson arrive.lua",
    "policy": "Conduct DOUBT is_hearsay NOT_A_WORD is_old_news hasten let_in Judged",
    "model": "OUTRUN NEEDLESS Receipt",
    "store": "hand_back Tongue",
    "wire": "dialect dialects Flavour",
    "api": "Ring Door Visit Denials NEIGHBOUR",
    "cli": "Desk OwnDesk ServerDesk",
    "client": "Owned",
    "credentials": "Shelf Keeper",
    "lab": "Upsets Cast raise_curtain",
}
"""By part: words that stand nowhere, spelled exactly so."""

ORDINARY: Mapping[str, str] = {
    "shared/holdfast/lanes": "Hints hear Reach Line condition operate put mend Seal",
    "workers/holdfast/credentials": "Seal Turn shelf keeper keepers",
    "shared/holdfast/policy": (
        "conduct Verdict LOGIN LATE NOTHING witness storm spare wears worn wearing judged Trouble standing are_out"
        " patience PATIENCE Learned"
    ),
    "shared/holdfast/model": "OURS CUT Change Answer Caller spare",
    "shared/holdfast/store": "Turn Ending letters trail pack spoken forget tidy",
    "shared/holdfast/wire": "Notes patience showing plain line dialect flavour",
    "producers/holdfast/api": "ring door guard Guard visit book denials caps patience",
    "producers/holdfast/cli": (
        "desk own_desk server_desk scene failing choice lines_in child asking running sending collecting starting"
    ),
    "producers/holdfast/client": "Drain link letters lines Order Taken owned Hear hear",
    "workers/holdfast/worker": (
        "Logins footing places oddities neighbours logins Callers Caller callers calling pace Calls settler hear heard"
    ),
    "workers/holdfast/lab": "acts attention Rig World Tally paper bars upsets world cast tally",
    "shared/holdfast/config": "settings forms lines",
}
"""By folder: words that name no class, function, constant, field or file below it."""

SERVER = "the setting that says how a server differs; a user writes it"
STORED = "what stored requests call the format of a thought"
SQL = "SQLAlchemy's word for the SQL of one database"
ALLOWED: Mapping[str, str] = {
    "shared/holdfast/store/: dialect": SQL,
    "tests/store/: dialect": SQL,
    "tests/cli/test_imports.py: dialects": SQL,
    "bench/million.py: dialect": SQL,
    "bench/many_jobs.py: dialect": SQL,
    "shared/holdfast/config/: dialect": SERVER,
    "shared/holdfast/model/route.py: dialect": SERVER,
    "workers/holdfast/providers/: dialect": SERVER,
    "shared/holdfast/telemetry/: dialect": SERVER,
    "workers/holdfast/worker/job_spans.py: dialect": SERVER,
    "tests/config/: dialect": SERVER,
    "tests/providers/: dialect": SERVER,
    "shared/holdfast/model/request.py: dialect": STORED,
    "shared/holdfast/wire/: dialect": STORED,
    "tests/wire/: dialect": STORED,
    "docs/configuration.md: dialect": SERVER,
    "docs/howto/routes.md: dialect": SERVER,
    "workers/holdfast/lab/drill/: bars": "what a scenario's file calls them",
    "workers/holdfast/lab/drill/: upsets": "what a scenario's file calls them",
}
"""``start of a path: word``, to the reason why it stays there."""
