"""The English catalogue has every text of the pages, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from babel.messages.pofile import read_po

from field_client.texts import KIND_NAMES, TEXTS
from server.dashboard.wording import WORDS
from server.quotas.rules import STATES
from sync.verdict import Decision, OutcomeState
from tests.architecture.sources import ROOT

CATALOGUE = ROOT / "server/translations/en/LC_MESSAGES/messages.po"


def extracted(folder: Path) -> set[str]:
    target = folder / "messages.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract"]
    command += ["-F", str(ROOT / "server/translations/babel.cfg"), "-o", str(target), str(ROOT / "server")]
    subprocess.run(command, check=True, cwd=ROOT, timeout=60)
    return _ids(catalogue(target))


def catalogue(path: Path):
    with path.open("rb") as source:
        return read_po(source)


def _ids(messages) -> set[str]:
    return {
        message.id if isinstance(message.id, str) else message.id[0] for message in messages if message.id
    }


def test_every_text_has_its_english_one_and_no_other(tmp_path):
    assert extracted(tmp_path) == _ids(catalogue(CATALOGUE))


def test_translations_are_complete_and_keep_their_placeholders():
    for message in catalogue(CATALOGUE):
        if not message.id:
            continue
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        source = message.id if isinstance(message.id, str) else message.id[0]
        for text in texts:
            assert text, source
            assert set(re.findall(r"%\((\w+)\)", text)) == set(re.findall(r"%\((\w+)\)", source)), source


def test_every_state_that_pages_show_has_a_word():
    assert {str(each) for each in (*Decision, *OutcomeState)} | set(STATES) <= set(WORDS)


def test_pages_and_desk_client_have_one_word_for_one_thing():
    for kind, words in KIND_NAMES.items():
        assert _spoken(WORDS[kind]) == _spoken(words), kind
    for state in {str(each) for each in (*Decision, *OutcomeState)}:
        assert _spoken(WORDS[state]) == _spoken(TEXTS[f"state_{state}"]), state


def _spoken(words: tuple[str, str]) -> list[str]:
    return [word.casefold() for word in words]
