"""What PubMed's formats have in common: fields, and the NLM's words in them (SPEC 1).

Reading a format belongs to its own module (`pubmed_xml`, `medline`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drug_assets.terms import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The fields of a record of the NLM; `date` stays null, since `cleaning` chooses it.
FIELDS = (
    *("id", "version", "citation_status", "title", "vernacular_title"),
    *("print_date", "electronic_date", "date_revised"),
    *("journal", "journal_abbreviations", "nlm_id", "issn"),
    *("publication_types", "corrections", "trial_ids"),
)
#: The kind of reference by which old files list all that an article cites: no correction.
CITES = "Cites"
#: The data banks that register trials, as the NLM names them, folded. Its other data banks hold
#: genes, structures and data sets.
_TRIAL_REGISTRIES = frozenset(
    {
        *("anzctr", "chictr", "clinicaltrials.gov", "cris", "ctis", "ctri", "drks", "eudract"),
        *("iran registry of clinical trials", "irct", "isrctn", "itmctr", "japiccti", "jmacct"),
        *("jprn", "jrct", "kct", "lbctr", "ntr", "pactr", "rebec", "repec", "rpcec", "slctr"),
        *("tctr", "umin ctr", "umin-ctr"),
    }
)


def registers_trials(data_bank: str | None) -> bool:
    """Whether a data bank is a registry of clinical trials."""
    return data_bank is not None and data_bank.strip().casefold() in _TRIAL_REGISTRIES


def join(values: Iterable[str]) -> str | None:
    """The values of a multi-valued field, without repeats; None if there are none."""
    return SEPARATOR.join(dict.fromkeys(values)) or None
