"""The page as it is served: policy, headers, menu, vendored files."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from adgraph.app import DemoLogin, DemoSession
from adgraph.http.page import ASSETS, STATIC, asset_version, operations
from tests.api.conftest import Serve

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
OWN = ("index.html", "init.js", "page.css")


def test_a_browser_gets_the_page_under_a_strict_policy(serve: Serve) -> None:
    response = serve(ide=True).get("/graphql", headers={"accept": BROWSER})
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_the_start_address_leads_browsers_to_the_page(serve: Serve) -> None:
    response = serve(ide=True).get("/", headers={"accept": BROWSER}, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.9"])
def test_a_program_gets_json_even_when_the_page_is_on(serve: Serve, accept: str) -> None:
    response = serve(ide=True).get("/graphql", params={"query": "{ __typename }"}, headers={"accept": accept})
    assert response.json() == {"data": {"__typename": "Query"}}


def test_the_page_is_off_by_default(serve: Serve) -> None:
    client = serve()
    assert client.get("/graphql", headers={"accept": BROWSER}).headers["content-type"].startswith("application/json")
    for path in ("/graphiql/operations", "/graphiql/session", f"/graphiql/{asset_version()}/init.js"):
        assert client.get(path).status_code == 404


def test_everything_the_page_names_is_there_and_may_be_kept(serve: Serve) -> None:
    client = serve(ide=True)
    html = client.get("/graphql", headers={"accept": "text/html"}).text
    named = re.findall(r'(?:src|href)="(/graphiql/[^"]+)"', html)
    assert len(named) == len(ASSETS)
    for path in named:
        response = client.get(path)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["vendor.py", "index.html", "graphiql/manifest.json", "../app.py", "%2e%2e/app.py", ""]
)
def test_no_other_file_is_served(serve: Serve, name: str) -> None:
    assert serve(ide=True).get(f"/graphiql/{asset_version()}/{name}").status_code == 404


def test_vendored_files_are_the_ones_in_the_manifest() -> None:
    manifest = json.loads((STATIC / "graphiql" / "manifest.json").read_text())
    present = {path.name for path in (STATIC / "graphiql").iterdir()} - {"manifest.json"}
    assert present == set(manifest)
    for name, entry in manifest.items():
        assert hashlib.sha256((STATIC / "graphiql" / name).read_bytes()).hexdigest() == entry["sha256"], name


@pytest.mark.parametrize("name", OWN)
def test_our_own_files_name_no_other_host(name: str) -> None:
    assert not re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", (STATIC / name).read_text())


def test_the_page_has_nothing_inline() -> None:
    html = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", html)


def test_vendored_styles_ask_for_nothing_elsewhere() -> None:
    for path in (STATIC / "graphiql").glob("*.css"):
        text = path.read_text()
        assert all(start.startswith("data:") for start in re.findall(r"url\([\s'\"]*(.{5})", text))
        assert "@import" not in text


def test_the_menu_is_read_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "b-second.graphql").write_text("query Second { viewer }\n")
    (tmp_path / "a-first.graphql").write_text("# Who am I?\n# And in what\n# capacity?\n\nquery First { viewer }\n")
    (tmp_path / "c-third.graphql").write_text(
        "# Who else?\n# All.\n# as: ada@agency.example\n\nquery Third { viewer }\n"
    )
    (tmp_path / "a-first.variables.json").write_text('{"id": "111"}\n')
    first, second, third = operations(tmp_path)
    assert (first.name, first.question, first.about) == ("a-first", "Who am I?", "And in what capacity?")
    assert first.query.endswith("query First { viewer }\n")
    assert json.loads(first.variables) == {"id": "111"}
    assert (second.question, second.about, second.variables, second.login) == ("b second", "", "", "")
    assert (third.about, third.login) == ("All.", "ada@agency.example")


def test_the_menu_is_served_to_the_page(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "who.graphql").write_text("# Who am I?\nquery Who { viewer }\n")
    [entry] = serve(ide=True, queries=folder).get("/graphiql/operations").json()["operations"]
    assert entry["question"] == "Who am I?"


DEMO = DemoSession(
    (
        DemoLogin("adg_ada", "ada@agency.example", "Ada", "Super Admin"),
        DemoLogin("adg_ben", "ben@agency.example", "Ben", "Viewer"),
    )
)


def test_the_demo_tokens_are_given_in_demo_mode_with_a_word_about_each(serve: Serve) -> None:
    body = serve(demo_mode=True, demo=DEMO).get("/graphiql/session", headers={"host": "127.0.0.1:8000"}).json()
    assert body["demo"]["logins"] == [
        {"token": "adg_ada", "userName": "ada@agency.example", "firstName": "Ada", "about": "Super Admin"},
        {"token": "adg_ben", "userName": "ben@agency.example", "firstName": "Ben", "about": "Viewer"},
    ]


def test_the_demo_tokens_are_given_in_no_other_mode(serve: Serve) -> None:
    assert serve(ide=True, demo=DEMO).get("/graphiql/session").json() == {"demo": None}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_the_demo_tokens_are_not_given_to_pages_of_others(serve: Serve, site: str) -> None:
    response = serve(demo_mode=True, demo=DEMO).get("/graphiql/session", headers={"sec-fetch-site": site})
    assert response.status_code == 403
    assert "adg_" not in response.text


KNOWN = ("127.0.0.1:8000", "localhost:8000", "192.168.0.7:8000", "[::1]:8000", "demo.example", "DEMO.example:443")
REBOUND = ("evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "demo.example.evil", "[::1", "")


@pytest.mark.parametrize("host", [*KNOWN, *REBOUND])
def test_the_demo_tokens_are_given_under_names_that_nobody_else_can_point_here(serve: Serve, host: str) -> None:
    client = serve(demo_mode=True, demo=DEMO, public_url="https://demo.example")
    response = client.get("/graphiql/session", headers={"host": host})
    assert response.status_code == (200 if host in KNOWN else 403)
    assert ("adg_ada" in response.text) is (host in KNOWN)
