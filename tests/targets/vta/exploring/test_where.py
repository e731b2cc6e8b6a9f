"""Conditions are read here: what they mean, and that nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtac.targets.vta.exploring.where import WhereError, parse_where

VALUES = {"BLOCK": 16, "sram_kib": 448, "latency": 0}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("BLOCK in (16, 32) and sram_kib <= 512", True),
        ("BLOCK not in [16, 32]", False),
        ("8 < BLOCK <= 16", True),
        ("not (latency or BLOCK == 32)", True),
        ("sram_kib / 2 + -24 == 200 and sram_kib % 2 == 0 and sram_kib // 100 == 4", True),
        ("BLOCK * 2 - 1 != 31", False),
        ("0", False),
    ],
)
def test_conditions(text: str, wanted: bool) -> None:
    assert parse_where(text, VALUES).holds(VALUES) is wanted


def test_names_are_known() -> None:
    assert parse_where("BLOCK == 1 or sram_kib < 3", VALUES).names == {"BLOCK", "sram_kib"}


def test_the_numbers_that_names_are_to_equal() -> None:
    text = "(BLOCK in (16, 24) or latency == 50) and sram_kib <= 3 and BLOCK != 7 and latency in (sram_kib, 4)"
    assert sorted(parse_where(text, VALUES).asked()) == [("BLOCK", 16), ("BLOCK", 24), ("latency", 4), ("latency", 50)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BLOK == 16", "nothing is called 'BLOK'; did you mean 'BLOCK'"),
        ("x", "nothing is called 'x'; the names are BLOCK, sram_kib, latency"),
        ("__import__('os').system('true')", "is not allowed there; a condition may have names, numbers"),
        ("BLOCK.bit_length", "'BLOCK.bit_length' is not allowed there"),
        ("[x for x in (1, 2)]", "is not allowed there"),
        ("'a' == BLOCK", "''a'' is not allowed there"),
        ("BLOCK ** 99999", "'BLOCK ** 99999' is not allowed there"),
        ("BLOCK in 16", "`in` takes a list such as"),
        ("BLOCK == (16, 32)", "`in` takes a list such as"),
        ("BLOCK is 16", "`in` takes a list such as"),
        ("(BLOCK, 2)", "'(BLOCK, 2)' is a list, no condition: ask what is in it, as in `BLOCK in (16, 32)`"),
        ("BLOCK ==", "is no condition: invalid syntax"),
        ("BLOCK = 16", "(`==` compares); it may have names"),
        ("BLOCK == 16 && latency == 4", "(it is written `and`)"),
        ("BLOCK == 16 || latency == 4", "(it is written `or`)"),
        ("!(BLOCK == 16)", "(it is written `not`)"),
        (
            "cycles < 1000",
            "'cycles' is known of a machine only when the networks were compiled for it: sweep, and choose",
        ),
        ("", "is no condition"),
        ("(" * 500 + "1" + ")" * 500, "is no condition"),
        ("1 + " * 600 + "1", "has 2,401 characters; at most 2,000 are read"),
        ("True == 1 if BLOCK else 2", "is not allowed there"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(WhereError) as refusal:
        parse_where(text, VALUES)
    assert message in str(refusal.value)


@pytest.mark.parametrize("text", ["BLOCK", "16", "BLOCK * 2", "-BLOCK"])
def test_a_number_is_told_from_a_condition(text: str) -> None:
    assert parse_where(text, VALUES).is_number
    assert not any(parse_where(form.format(text), VALUES).is_number for form in ("{} == 1", "not {}", "{} or 1 < 2"))


def test_what_cannot_be_computed_is_refused() -> None:
    with pytest.raises(WhereError, match=r"--where divides by zero where latency is 0: 'BLOCK / \(2 \* latency\)'"):
        parse_where("BLOCK / (2 * latency) > 1", VALUES).holds(VALUES)
    with pytest.raises(WhereError, match="--where divides by zero: 'BLOCK % 0'"):
        parse_where("BLOCK % 0", VALUES).holds(VALUES)
    with pytest.raises(WhereError, match=r"--where: a number of '1\.5 \* 9+' is too large"):
        parse_where(f"1.5 * {'9' * 400} > BLOCK", VALUES).holds(VALUES)
    with pytest.raises(WhereError, match=r"'\(1, 2\)' is a list where a number is required"):
        parse_where("(1, 2) + 1 > 0", VALUES).holds(VALUES)


@given(st.text(alphabet="BLOCK16()<>=+-*/ andornti,.'", max_size=24))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        parse_where(text, VALUES).holds(VALUES)
    except WhereError:
        return
