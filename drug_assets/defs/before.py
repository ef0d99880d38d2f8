"""What a run takes over from the release before, if the present rules made it."""

from drug_assets import sources
from drug_assets.defs.workplace import FILES, Workplace
from drug_assets.mentions import MentionsBefore, list_searched_names
from drug_assets.storage.outputs import Outputs


def find_mentions_before(workplace: Workplace, outputs: Outputs) -> MentionsBefore | None:
    """The mentions of the release before, as far as they can be taken over; None if none can.

    Args:
        workplace: the workplace of the run.
        outputs: its outputs.
    """
    before = outputs.open_base(workplace.rules(), [FILES["mentions"], FILES["drugs"]])
    if before is None:
        return None
    searched = [list_searched_names(side.table("drugs")).collect() for side in (before, outputs)]
    if not searched[0].equals(searched[1]):
        return None
    compared = (
        (source.name, outputs.compare_pieces(source.name)) for source in sources.PUBLICATIONS
    )
    changed = {source: rows for source, rows in compared if rows is not None}
    return MentionsBefore(before.table("mentions"), changed) if changed else None
