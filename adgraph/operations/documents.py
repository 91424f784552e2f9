"""Documents that are not sent whole: persisted by clients for a while, or trusted by the operator for good.

A document is named by the SHA-256 of its text. Clients persist what they send often; it is kept in memory and may be
forgotten. Trusted documents lie in files. Where only they are run, everything else is refused before it is parsed.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from adgraph.protocol.wire import GraphQLRequest
from adgraph.settings import SettingsError

MOST_CHARACTERS = 2_000_000
"""Of all persisted documents together: some thousand of the length people write, and 8 MiB at most."""
MOST_OF_THE_STORE = 8
"""No document may take more than this part of it."""

Response = dict[str, Any]


class TrustedDocument(NamedTuple):
    """A file an operator trusts. `hash` is the SHA-256 of the file, as `sha256sum` tells it."""

    name: str
    text: str
    hash: str


def sha256_of(text: str) -> str:
    """The name of a document."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def trusted_documents(folders: Iterable[Path]) -> list[TrustedDocument]:
    """The `.graphql` files of these folders and of those in them, by name.

    Raises: SettingsError for a folder that is not there, and a file that is not UTF-8.
    """
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise SettingsError(f"ADGRAPH_DOCUMENTS_FOLDER is {str(folder)!r}, but there is no such folder.")
        for path in sorted(folder.rglob("*.graphql")):
            try:
                text = path.read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                raise SettingsError(f"The trusted document {path} is not UTF-8.") from None
            found.append(TrustedDocument(path.relative_to(folder).with_suffix("").as_posix(), text, sha256_of(text)))
    return found


class Documents:
    """Finds the document a request is about. Safe to share between threads."""

    def __init__(
        self,
        trusted: Iterable[TrustedDocument] = (),
        *,
        only_trusted: bool = False,
        refusal_of: Callable[[str], Response | None],
    ) -> None:
        """`refusal_of` parses and validates a text and says why it can never run.

        Raises: SettingsError for a trusted document that can never run.
        """
        self._only_trusted = only_trusted
        self._refusal_of = refusal_of
        self._by_text: dict[str, str] = {}
        self._by_hash: dict[str, str] = {}
        for one in trusted:
            refused = refusal_of(one.text)
            if refused is not None:
                raise SettingsError(f"The trusted document {one.name} cannot run: {refused['errors'][0]['message']}")
            bare = one.text.rstrip()
            self._by_text[bare] = one.text
            # Editors and clients differ in the white space at the end.
            self._by_hash.update({one.hash: one.text, sha256_of(bare): one.text})
        self._persisted: OrderedDict[str, str] = OrderedDict()
        self._characters = 0
        self._lock = Lock()

    def asked(self, request: GraphQLRequest) -> GraphQLRequest | Response:
        """The request with the text of its document, or the response that says why there is none."""
        found = self._trusted(request)
        if found is not None:
            return request._replace(query=found)
        if self._only_trusted:
            return _NOT_TRUSTED
        if request.document_hash is None:
            return request
        if request.query:
            return self._persist(request, request.document_hash)
        with self._lock:
            kept = self._persisted.get(request.document_hash)
            if kept is not None:
                self._persisted.move_to_end(request.document_hash)
        return _NOT_FOUND if kept is None else request._replace(query=kept)

    def _trusted(self, request: GraphQLRequest) -> str | None:
        if request.query:
            found = self._by_text.get(request.query.rstrip())
            named = request.document_hash
            return found if named is None or self._by_hash.get(named) == found else None
        return self._by_hash.get(request.document_hash or "")

    def _persist(self, request: GraphQLRequest, named: str) -> GraphQLRequest | Response:
        """Keep a document under its hash, once it is known to be one that can run."""
        text = request.query
        if sha256_of(text) != named:
            return _MISMATCH
        fits = len(text) <= MOST_CHARACTERS // MOST_OF_THE_STORE
        if fits and self._refusal_of(text) is None:
            with self._lock:
                if named not in self._persisted:
                    self._persisted[named] = text
                    self._characters += len(text)
                while self._characters > MOST_CHARACTERS:
                    self._characters -= len(self._persisted.popitem(last=False)[1])
        return request


def _refused(code: str, message: str) -> Response:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


# Clients of persisted queries look for exactly this message; then they send the document with its hash.
_NOT_FOUND = _refused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
_MISMATCH = _refused(
    "PERSISTED_QUERY_HASH_MISMATCH",
    "The hash sent with 'query' is not the SHA-256 of it; send the hash of exactly this text, or none.",
)
_NOT_TRUSTED = _refused(
    "DOCUMENT_NOT_TRUSTED",
    "This server runs trusted documents only, and this is none of them. Send one as it was registered, or its SHA-256;"
    " an operator lists them with: adgraph documents",
)
