"""Fetch the IDE's third-party files at pinned versions and write their sums: run by a maintainer, needs npm.

    python adgraph/static/vendor.py

The result is committed, so that neither installing, nor testing, nor running adgraph needs npm or a network. A test
compares the files with `manifest.json`; `git diff` shows what a new version changes.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).parent / "graphiql"


class Vendored(NamedTuple):
    """One file: the package and version it comes from, where it is in there, and its name here."""

    package: str
    source: str
    name: str


VENDORED = (
    # The last GraphiQL with a build that is one script, and the last React with one.
    Vendored("graphiql@4.1.2", "graphiql.min.js", "graphiql.min.js"),
    Vendored("graphiql@4.1.2", "graphiql.min.css", "graphiql.min.css"),
    Vendored("graphiql@4.1.2", "LICENSE", "graphiql.LICENSE.txt"),
    Vendored("react@18.3.1", "umd/react.production.min.js", "react.production.min.js"),
    Vendored("react@18.3.1", "LICENSE", "react.LICENSE.txt"),
    Vendored("react-dom@18.3.1", "umd/react-dom.production.min.js", "react-dom.production.min.js"),
    Vendored("@graphiql/plugin-explorer@4.0.6", "dist/index.umd.js", "explorer.umd.js"),
    Vendored("@graphiql/plugin-explorer@4.0.6", "dist/style.css", "explorer.css"),
    # The plug-in's package has no licence text of its own; it wraps this one.
    Vendored("graphiql-explorer@0.9.0", "LICENSE", "explorer.LICENSE.txt"),
    # graphiql.min.css carries two fonts; these are only their licences.
    Vendored("@fontsource/roboto@5.0.8", "LICENSE", "roboto.LICENSE.txt"),
    Vendored("@fontsource/fira-code@5.3.0", "LICENSE", "fira-code.LICENSE.txt"),
)


def unpacked(package: str, folder: Path) -> Path:
    """The folder of one package's files, fetched by the npm client as it is set up here."""
    target = folder / package.replace("/", "+")
    if not target.exists():
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package]
        archive = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]  # noqa: S603
        with tarfile.open(folder / archive) as packed:
            packed.extractall(target, filter="data")
    return target / "package"


def main() -> None:
    """Replace what is in `graphiql/`."""
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.iterdir():
        old.unlink()
    manifest: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package, source, name in VENDORED:
            content = (unpacked(package, Path(folder)) / source).read_bytes()
            (TARGET / name).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            manifest[name] = {"package": package, "file": source, "sha256": digest}
    (TARGET / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
