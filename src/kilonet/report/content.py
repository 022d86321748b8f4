"""From the record of a search to the page about it; nothing else is read."""

from kilonet.evidence import SearchRecord
from kilonet.report import method, tables, verdict
from kilonet.report.blocks import Page
from kilonet.report.words import clean, short


def page_of(record: SearchRecord) -> Page:
    """Everything that a page says, in its order."""
    source = record.data.get("source")
    headline = verdict.headline(record)
    return Page(
        title=f"{headline}{f' – {short(source)}' if source else ''}",
        headline=headline,
        lead=verdict.lead(record),
        verdict=[clean(text) for text in record.verdict],
        sections=[*verdict.notes(record), verdict.sureness(record), tables.architectures(record)],
        more=[
            *tables.errors(record), *tables.learning(record), method.done(record), *method.again(record),
            method.glossary(record),
        ],
    )  # fmt: skip
