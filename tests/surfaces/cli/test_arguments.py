"""The words after the tool's name become arguments, or a reason why they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.messages import Json
from capbox.surfaces.cli.arguments import (
    STDIN,
    TEXT_BYTES_MAX,
    ArgumentsError,
    parse_arguments,
    read_texts,
)

SCHEMA: dict[str, Json] = {
    "properties": {
        "path": {"type": "string"},
        "limit": {"type": "integer"},
        "ratio": {"type": "number"},
        "all": {"type": "boolean"},
        "edits": {"type": "array"},
        "options": {"type": "object"},
        "either": {"type": ["string", "null"]},
        "count": {"type": ["integer", "null"]},
        "any": {},
    }
}


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ([], {}),
        (['{"path": "a", "limit": 3}'], {"path": "a", "limit": 3}),
        ([" {} "], {}),
        (["-"], {"from": "stdin"}),
        (["path=a=b c"], {"path": "a=b c"}),
        (["path="], {"path": ""}),
        (["path=3", "limit=3"], {"path": "3", "limit": 3}),
        (["path={x}"], {"path": "{x}"}),
        (["ratio=1.5", "all=true"], {"ratio": 1.5, "all": True}),
        (['edits=[{"old": "a"}]', "options={}"], {"edits": [{"old": "a"}], "options": {}}),
        (["either=null", "count=null"], {"either": "null", "count": None}),
        (["any=3", "unknown=[1]"], {"any": "3", "unknown": "[1]"}),
        # What is of the wrong type but JSON goes to the gate, which names the schema's rule.
        (['limit="x"'], {"limit": "x"}),
    ],
)
def test_words_are_read_as_the_schema_wants_them(
    words: list[str], arguments: dict[str, Json]
) -> None:
    assert parse_arguments(words, SCHEMA, {STDIN: '{"from": "stdin"}'}) == arguments


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["{bad"], "ARGS_JSON is not JSON: "),
        (["[1]"], "ARGS_JSON is not a JSON object: {...} is expected"),
        (['"text"'], "ARGS_JSON is not a JSON object: {...} is expected"),
        (['{"a": NaN}'], "ARGS_JSON is not JSON: NaN is not JSON"),
        (['{"a": 1, "a": 2}'], 'ARGS_JSON is not JSON: the key "a" is given twice'),
        (['{"a": {"b": 1, "b": 2}}'], 'ARGS_JSON is not JSON: the key "b" is given twice'),
        (['{"a": "\\ud800"}'], "ARGS_JSON is not JSON: it holds half of a surrogate pair"),
        (['{"a": 1e999}'], "ARGS_JSON is not JSON: 1e999"),
        (['{"a": ' + "[" * 64 + "]" * 64 + "}"], "ARGS_JSON is not JSON: it is nested deeper"),
        (['options={"a": 1, "a": 2}'], "options="),
        (["{}", "path=a"], "'{}' is neither key=value, nor one JSON object, nor -"),
        (["-", "path=a"], "'-' is neither key=value, nor one JSON object, nor -"),
        (["path"], "'path' is neither key=value, nor one JSON object, nor -"),
        (["=a"], "'=a' is neither key=value, nor one JSON object, nor -"),
        (["path=a", "path=b"], "path is given twice"),
        (["limit=x"], "limit=x: integer is expected"),
        (["count="], "count=: integer or null is expected"),
        (["ratio=Infinity"], "ratio=Infinity: number is expected"),
        (["all=True"], "all=True: true or false is expected"),
        (["options=" + "[" * 100_000], "options="),
    ],
)
def test_words_that_cannot_be_read_are_refused_with_a_reason(
    words: list[str], complaint: str
) -> None:
    refused = parse_arguments(words, SCHEMA, {})
    assert isinstance(refused, ArgumentsError)
    assert refused.message.startswith(complaint)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_standard_input_is_no_empty_object(text: str) -> None:
    refused = parse_arguments(["-"], SCHEMA, {STDIN: text})
    assert refused == ArgumentsError("standard input is empty; one JSON object is expected")


@pytest.mark.parametrize(
    ("required", "words", "meant"),
    [
        (["path"], ["a.txt"], "; did you mean path=a.txt?"),
        (["path", "content"], ["a.txt"], "; did you mean path=a.txt?"),
        (["script"], ["ls -l"], "; did you mean 'script=ls -l'?"),
        (["old", "new"], ["a.txt"], ""),
        ([], ["a.txt"], ""),
        (None, ["a.txt"], ""),
        (["path"], ["a.txt", "b.txt"], ""),
        (["path"], ["=a"], ""),
    ],
)
def test_a_lone_word_is_spelt_out_where_it_is_clear_which_argument_it_is(
    required: list[str] | None, words: list[str], meant: str
) -> None:
    refused = parse_arguments(words, {**SCHEMA, "required": required}, {})
    said = f"{words[0]!r} is neither key=value, nor one JSON object, nor -{meant}"
    assert refused == ArgumentsError(said)


def test_a_schema_without_properties_leaves_every_value_text() -> None:
    assert parse_arguments(["a=1"], {}, {}) == {"a": "1"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the words were typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.py").write_text("x = 1\r\n")
    (tmp_path / "edits.json").write_text('[{"old": "a"}]')
    (tmp_path / "empty").write_text("")
    (tmp_path / "@odd").write_text("odd")
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes(b"\xe9")
    with (tmp_path / "long").open("wb") as file:
        file.truncate(TEXT_BYTES_MAX + 1)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["path=@f.py"], {"path": "x = 1\r\n"}),
        (["path=@{}/f.py"], {"path": "x = 1\r\n"}),
        (["path=@f.py", "any=@f.py"], {"path": "x = 1\r\n", "any": "x = 1\r\n"}),
        (["edits=@edits.json"], {"edits": [{"old": "a"}]}),
        (["path=@empty"], {"path": ""}),
        (["path=@./@odd"], {"path": "odd"}),
        # What is no file's text: @@ is for @, and an @ elsewhere is a letter like any.
        (["path=@@f.py"], {"path": "@f.py"}),
        (["path=@@"], {"path": "@"}),
        (["path=@@@x"], {"path": "@@x"}),
        (["path=a@f.py"], {"path": "a@f.py"}),
        (["path= @f.py"], {"path": " @f.py"}),
        (['{"path": "@f.py"}'], {"path": "@f.py"}),
        (['{"path": "=@none"}'], {"path": "=@none"}),
    ],
)
def test_a_value_that_begins_with_at_is_the_text_of_that_file(
    words: list[str], arguments: dict[str, Json], here: Path
) -> None:
    words = [word.replace("{}", str(here)) for word in words]
    texts = read_texts(words)
    assert not isinstance(texts, ArgumentsError)
    assert parse_arguments(words, SCHEMA, texts) == arguments


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("path=@none", "path=@none: No such file or directory; a text that begins with @ is"),
        ("path=@", "path=@: No such file or directory; a text that begins with @ is written"),
        ("path=@folder", "path=@folder: Is a directory; "),
        ("path=@" + "x" * 5000, "path=@" + "x" * 100 + "...: File name too long; "),
        ("path=@latin", "path=@latin: is not UTF-8 text"),
        ("path=@long", "path=@long: is longer than 16,000,000 bytes"),
        ("path=@/dev/zero", "path=@/dev/zero: is longer than 16,000,000 bytes"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_file_that_cannot_be_taken_is_named_with_the_reason(word: str, complaint: str) -> None:
    refused = read_texts(["any=1", word])
    assert isinstance(refused, ArgumentsError)
    assert refused.message.startswith(complaint)


@pytest.mark.usefixtures("here")
def test_a_file_of_the_wrong_kind_is_named_and_not_quoted() -> None:
    words = ["limit=@f.py"]
    texts = read_texts(words)
    assert not isinstance(texts, ArgumentsError)
    refused = parse_arguments(words, SCHEMA, texts)
    assert refused == ArgumentsError("limit=@f.py: integer is expected")
