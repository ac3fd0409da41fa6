"""Operation: a backup of the scratch installation, damaged, and restored into an empty place."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batchqc.actions.backups import Source, make_backup
from batchqc.actions.doctor import examine_installation
from batchqc.cli.backup import public_files, restored_at
from batchqc.cli.doctor import examined_at
from batchqc.cli.qualification.protocol import Doing, Finding, counted, held, not_tested
from batchqc.cli.qualification.scratch import Scratch
from batchqc.core.backups import Manifest
from batchqc.core.canonical import Json
from batchqc.core.soundness import Grade
from batchqc.documents.backup_folder import listed, read_backup, the_backup
from batchqc.errors import IntegrityFailure, NotFound, StoreUnavailable

_SECRET: Final = (".p12", ".key")


@dataclass(frozen=True, slots=True)
class Backups:
    """Backups of the scratch installation, in its own folder."""

    other: Scratch

    def doings(self) -> dict[str, Doing]:
        """The checks of this section, by id."""
        return {
            "OQ-BA-01": self._made,
            "OQ-BA-02": self._damaged,
            "OQ-BA-03": self._restored,
        }

    def _made(self) -> Finding:
        place, folder = self.other.story.place, self._folder
        source = Source(place.engine, place.archive)
        public = public_files(place.settings)
        try:
            made = make_backup(
                source, place.press.seal_key(), folder=folder, public=public, now=place.now()
            )
        except StoreUnavailable as problem:
            return not_tested(f"{problem.code}: {problem.message}. {problem.hint}")
        said = self._read(made.path)
        keys = [one.name for one in folder.rglob("*") if one.suffix in _SECRET]
        observed = (
            f"Backup {said.name}: {sum(said.contents.counts.values())} rows,"
            f" {said.contents.entries} entries of the audit trail, {len(listed(made.path))} stored"
            f" files of which {len(said.lacking)} are lacking; keys in it: {len(keys)}."
        )
        return held(not said.lacking and not keys, observed, _told(said))

    def _damaged(self) -> Finding:
        def flipped(path: Path) -> None:
            data = path.read_bytes()
            place = len(data) // 2
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])

        def stored(folder: Path) -> Path:
            return next(one for one in sorted((folder / "store").rglob("*")) if one.is_file())

        try:
            chosen = the_backup(self._folder, "")
        except NotFound:
            return not_tested("There is no backup: see OQ-BA-01.")
        copy = next(chosen.glob("database.*")).name
        damages: dict[str, Callable[[Path], None]] = {
            f"{copy}, one byte": lambda folder: flipped(_in(folder, chosen) / copy),
            "manifest.json, one byte": lambda folder: flipped(
                _in(folder, chosen) / "manifest.json"
            ),
            "a stored file is gone": lambda folder: stored(folder).unlink(),
        }
        return counted([(what, "refused", self._tried(do)) for what, do in damages.items()])

    def _tried(self, damage: Callable[[Path], None]) -> str:
        folder, home = self.other.story.folder / "damaged", self.other.story.folder / "nothing"
        shutil.copytree(self._folder, folder)
        try:
            damage(folder)
            chosen = the_backup(folder, "")
            with restored_at(chosen, self._read(chosen), to=home, database=self.other.empty):
                return "restored"
        except IntegrityFailure as refusal:
            return "refused" if not home.exists() else f"restored, then {refusal.code}"
        finally:
            shutil.rmtree(folder)

    def _restored(self) -> Finding:
        try:
            chosen = the_backup(self._folder, "")
        except NotFound:
            return not_tested("There is no backup: see OQ-BA-01.")
        if self.other.lacking:
            return not_tested(
                f"There is no second database to restore into: {self.other.lacking}. Name two"
                " empty ones, each with --scratch."
            )
        manifest, story = self._read(chosen), self.other.story
        home, database = story.folder / "restored", self.other.empty
        with restored_at(chosen, manifest, to=home, database=database, now=story.clock) as place:
            found = examine_installation(examined_at(place, restored=True))
        wrong = [
            f"{one.where}: {one.what}" for one in found.findings if one.grade != Grade.HARMLESS
        ]
        observed = (
            f"Restored as its manifest says: {manifest.contents.entries} entries, head"
            f" {manifest.contents.head[:16]}…; {found.verified} of {found.certificates}"
            f" certificates verified; {len(wrong)} findings. {' '.join(wrong)}"
        )
        evidence: Json = {**_told(manifest), "findings": list[Json](wrong)}
        good = found.is_clean and found.verified == found.certificates > 0
        return held(good, observed.strip(), evidence)

    def _read(self, backup: Path) -> Manifest:
        root = self.other.story.folder / "trust" / "root.pem"
        return read_backup(backup, root_pem=root.read_bytes())

    @property
    def _folder(self) -> Path:
        return self.other.story.folder / "backups-of-it"


def _in(folder: Path, backup: Path) -> Path:
    """The same backup in a copy of the folder of the backups."""
    return folder / "backups" / backup.name


def _told(said: Manifest) -> dict[str, Json]:
    return {
        "backup": said.name, "rows": dict(said.contents.counts), "head": said.contents.head,
        "entries": said.contents.entries, "parts": dict(said.files),
    }  # fmt: skip
