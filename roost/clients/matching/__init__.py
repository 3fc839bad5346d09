"""Who somebody may be: the evidence that two records are one person.

Rules only: nothing here reads or writes a row. `compare` weighs two people, `likely` and `Files`
rank many, `side_by_side` and `differences` show where they differ.
"""

from roost.clients.matching.evidence import Facts, Kind, Match, Reason, Speaks, compare
from roost.clients.matching.files import Files, likely
from roost.clients.matching.sides import Line, Segment, Verdict, differences, side_by_side

__all__ = [
    "Facts",
    "Files",
    "Kind",
    "Line",
    "Match",
    "Reason",
    "Segment",
    "Speaks",
    "Verdict",
    "compare",
    "differences",
    "likely",
    "side_by_side",
]
