"""What is collected, written as the files that translators work on."""

from collections.abc import Iterable
from io import BytesIO

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po

from server.languages.collecting import Found

_HEADER = """\
# {title}
msgid ""
msgstr ""
"Project-Id-Version: myositis-cds\\n"
"Language: {language}\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals={forms}; plural={form};\\n"

"""


def updated(found: Iterable[Found], written: Catalog | None = None, language: str | None = None) -> Catalog:
    """What is to be translated, with the translations that there are; one whose text is gone is left out.

    Args:
        found: what was collected.
        written: the file until now, if there is one.
        language: of the file; None for the template of all languages.
    """
    catalogue = Catalog(locale=language, charset="utf-8", fuzzy=False)
    for one in found:
        identity = (one.text, one.plural) if one.plural else one.text
        before = written.get(one.text) if written else None
        kept = before if before is not None and before.id == identity else Message(identity)
        catalogue.add(
            identity,
            kept.string,
            locations=[(one.file, 0)],
            flags=kept.flags & {"fuzzy"},
            user_comments=kept.user_comments,
        )
    return catalogue


def as_po(catalogue: Catalog, title: str) -> bytes:
    """The text of a file: sorted by place, without lines and dates, so that a change shows what changed and no more.

    Args:
        catalogue: to be written.
        title: what the file says of itself.
    """
    for message in catalogue:
        message.flags &= {"fuzzy"}
    body = BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, sort_by_file=True, include_lineno=False)
    header = _HEADER.format(
        title=title,
        language=catalogue.locale_identifier or "",
        forms=catalogue.num_plurals,
        form=catalogue.plural_expr,
    )
    return header.encode() + body.getvalue()
