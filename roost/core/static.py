"""Static files under names that change with their content, so that browsers can keep them; what is
served of our own scripts and sheets is without the words that are for their readers."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# No file of ours has any of these at the beginning of a line within a string; test_static.py looks.
BLOCK = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n?", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^[ \t]*//.*\n?", re.MULTILINE)
INDENT = re.compile(r"^\s+", re.MULTILINE)
# What a block does nothing about, anywhere in a line; likewise.
EMPTY = re.compile(r"\{ /\*[^*\n]*\*/ \}")


def short_sheet(text: str) -> str:
    """A sheet without the comments that have lines of their own, and without indents."""
    return INDENT.sub("", BLOCK.sub("", text))


def short_script(text: str) -> str:
    """A module, likewise, and with nothing in its empty blocks."""
    return short_sheet(EMPTY.sub("{}", LINE.sub("", text)))


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, with the imports of ES modules rewritten too."""

    support_js_module_import_aggregation = True

    shortened: dict[str, Callable[[str], str]] = {".js": short_script, ".css": short_sheet}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._urls: dict[str, str] = {}

    def url(self, name: str | None, force: bool = False) -> str:
        """The address of a file; looked up once, for it can only change with a new start."""
        if name is None or force:
            return str(super().url(name, force))
        if name not in self._urls:
            self._urls[name] = str(super().url(name))
        return self._urls[name]

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str | None, Any]]:
        """Take comments and indents out of what was collected before names and sizes are made of
        it. A file that says of itself that it is short already (htmx.min.js) stays as it is."""
        if dry_run:
            return
        collected = {name: self._shorten(name) or source for name, source in paths.items()}
        yield from super().post_process(collected, dry_run=dry_run, **options)

    def _shorten(self, name: str) -> tuple[Storage, str] | None:
        """Where the short file is, as `post_process` is told of files; None for any other."""
        for ending, shorten in self.shortened.items():
            if name.endswith(ending) and not name.endswith(f".min{ending}"):
                with self.open(name) as file:
                    text = file.read().decode()
                self.delete(name)
                self.save(name, ContentFile(shorten(text).encode()))
                return self, name
        return None
