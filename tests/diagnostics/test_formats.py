from __future__ import annotations

import json

from dagdsl.diagnostics.as_lines import concise, github
from dagdsl.diagnostics.as_sarif import to_sarif
from dagdsl.diagnostics.model import Diagnostic, Edit, Fix, Label, Severity
from dagdsl.source import SourceFile, Span

SOURCE = SourceFile("nets/my net.dg", "net A {\n  node a: convv\n}\n")


def _found() -> Diagnostic:
    at = Span(SOURCE, 18, 23)
    return Diagnostic(
        "DG0201",
        "unknown name `convv`",
        at,
        label="not found",
        notes=(Label(Span(SOURCE, 0, 3), "in this net"),),
        help="did you mean `conv`?",
        fix=Fix("change `convv` to `conv`", (Edit(at, "conv"),)),
    )


def test_concise() -> None:
    line = "nets/my net.dg:2:11: error[DG0201]: unknown name `convv` (did you mean `conv`?)"
    assert concise(_found()) == line
    warning = Diagnostic("DG0801", "bad \x1b\n", Span(SOURCE, 0, 3), Severity.WARNING)
    assert concise(warning) == "nets/my net.dg:1:1: warning[DG0801]: bad ␛␊"


def test_github() -> None:
    assert github(_found()) == (
        "::error file=nets/my net.dg,line=2,endLine=2,title=DG0201,col=11,endColumn=16"
        "::unknown name `convv`%0Ahelp: did you mean `conv`?"
    )
    odd = SourceFile("a,b:c%.dg", "one\ntwo\n")
    warning = Diagnostic("DG0801", "100 %", Span(odd, 0, 7), Severity.WARNING)
    place = "file=a%2Cb%3Ac%25.dg,line=1,endLine=2,title=DG0801"
    assert github(warning) == f"::warning {place}::100 %25"


def test_sarif() -> None:
    log = json.loads(json.dumps(to_sarif([_found(), _found()], "1.2.3")))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["tool"]["driver"] == {
        "name": "dagdsl",
        "version": "1.2.3",
        "rules": [{"id": "DG0201", "shortDescription": {"text": "unknown name"}}],
    }
    result, _ = run["results"]
    region = {"startLine": 2, "startColumn": 11, "endLine": 2, "endColumn": 16}
    artifact = {"uri": "nets/my%20net.dg"}
    assert result == {
        "ruleId": "DG0201",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "unknown name `convv`\nnot found\nhelp: did you mean `conv`?"},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "relatedLocations": [
            {
                "id": 1,
                "physicalLocation": {
                    "artifactLocation": artifact,
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 4},
                },
                "message": {"text": "in this net"},
            }
        ],
        "fixes": [
            {
                "description": {"text": "change `convv` to `conv`"},
                "artifactChanges": [
                    {
                        "artifactLocation": artifact,
                        "replacements": [
                            {"deletedRegion": region, "insertedContent": {"text": "conv"}}
                        ],
                    }
                ],
            }
        ],
    }


def test_sarif_without_diagnostics() -> None:
    (run,) = to_sarif([], "1.2.3")["runs"]
    assert run["results"] == run["tool"]["driver"]["rules"] == []


def test_sarif_of_an_absolute_path() -> None:
    nowhere = Diagnostic("DG0001", "cannot read", Span(SourceFile("/a b/c.dg", ""), 0, 0))
    (result,) = to_sarif([nowhere], "1")["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "file:///a%20b/c.dg"
    assert place["region"]["startLine"] == 1
