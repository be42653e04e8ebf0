"""What a shape can't be is said when it is written down."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.shapes import check_shape, shape

HASHED = {"hash_conn_id": "key"}


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"file_format": "xlsx"}, "file_format='xlsx' is not allowed"),
        ({"select": ["a"], "drop": ["b"]}, "drop=['b'] is not allowed together with select"),
        ({"select": "a"}, "select='a' is not allowed: give a list of columns"),
        ({"select": []}, "select=[] is not allowed: give a list of columns"),
        ({"select": ["a", "a"]}, "'a' is named twice"),
        ({"drop": [["a", "b"], "a"]}, "['a', 'b'] is named twice, or lies within 'a'"),
        ({"drop": [["a", "[]"]]}, "it ends in '[]'"),
        ({"drop": [3]}, "drop[0]=3 is not allowed: give a column's name, or a path"),
        ({"rename": {"a": "n", "b": "n"}}, "two columns get the name 'n'"),
        ({"rename": {"a": "Name", "b": "NAME"}}, "two columns get the name 'NAME' (case counts for nothing)"),
        ({"select": ["a", "A"]}, "select=['a', 'A'] is not allowed: 'a' and 'A' get one name, 'A'"),
        ({"select": ["a", ["b", "c"]], "rename": {"a": "B"}}, "'a' and 'b' get one name, 'b'"),
        (
            {"select": ["Call Id", "call.id"], "rename": "snake"},
            "rename='snake' is not allowed: 'Call",
        ),
        ({"hash": ["a"], "types": {"A": "date"}, **HASHED}, "hash=['a'] is not allowed: 'a' and 'A' get"),
        ({"rename": {"a": " "}}, "rename['a']=' ' is not allowed"),
        ({"rename": "camel"}, "rename='camel' is not allowed: give 'snake', or a dict"),
        ({"rename": {"a": "b"}, "drop": ["a"]}, "rename names 'a', which drop leaves out"),
        ({"types": {"a": "int"}}, "types['a']='int' is not allowed: give 'string', 'int64'"),
        ({"types": {"a": "decimal(39,2)"}}, "types['a']='decimal(39,2)' is not allowed"),
        ({"types": {"a": "int64"}, "select": ["b"]}, "types names 'a', which select leaves out"),
        ({"types": {"a": "int64"}, "hash": ["a"], **HASHED}, "the column is hashed, so it is text"),
        ({"hash": ["a"]}, "hash=['a'] is not allowed without hash_conn_id"),
        ({"hash": ["a"], "hash_conn_id": ""}, "hash_conn_id='' is not allowed"),
        (HASHED, "hash_conn_id='key' is not allowed without hash"),
        ({"on_new": "fail"}, "on_new='fail' is not allowed alone"),
        ({"on_new": "skip", "drop": ["a"]}, "on_new='skip' is not allowed"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_in_one_sentence(parameters: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(sentence)) as refused:
        shape(**parameters)
    [said] = refused.value.complaints
    assert said.endswith(".") and ". " not in said
    with pytest.raises(InvalidValue, match=re.escape(sentence)):  # behind a template as well
        check_shape(parameters)


def test_names_that_change_places_are_no_collision() -> None:
    shape(select=["a", "b"], rename={"a": "b", "b": "a"})
    shape(select=[["a", "x"], ["a", "y"]], types={"a": "string"}, rename="snake")
    shape(drop=["A"], types={"a": "int64"})


def test_templates_pass_until_the_task_runs() -> None:
    written = shape(select=["{{ params.column }}"], types={"a": "{{ params.type }}"})
    with pytest.raises(InvalidValue, match="never rendered"):
        check_shape(written)
    with pytest.raises(InvalidValue, match=r"^shape=3 is not allowed"):
        check_shape(3)
    with pytest.raises(InvalidValue, match=r"^shape\['columns'\] is not allowed"):
        check_shape({"columns": ["a"]})
