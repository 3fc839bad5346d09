"""Every page and state that people meet, and a practice made for it: seeded on the demo.

`seeded.seed()` runs in a process of its own on the demo's data; `STATES` name what it has made.
"""

from __future__ import annotations

from tests.support.looks.office import OFFICE
from tests.support.looks.portal import PORTAL

STATES = PORTAL + OFFICE
