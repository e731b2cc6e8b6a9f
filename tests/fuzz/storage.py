"""Failures that are known, and reproducers of those that are new."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from fuzz.campaign import Tally
from fuzz.case import FuzzTarget, Payload, draw_case
from fuzz.isolation import isolated
from fuzz.outcome import Outcome
from fuzz.reduction import reduce_case
from fuzz.targets import TARGETS, fuzz_target
from vtac.errors import VtacError

KNOWN = Path(__file__).with_name("known_signatures.txt")


class StoredCaseError(VtacError):
    """A file to replay that holds no case."""


def known_signatures(target: str) -> set[str]:
    """Failures of a target that are known and listed, so that a campaign does not end in them again."""
    lines = KNOWN.read_text().splitlines() if KNOWN.is_file() else []
    pairs = (line.partition("\t") for line in lines if line and not line.startswith("#"))
    return {signature for name, _, signature in pairs if name == target}


def store_failures(target: FuzzTarget, tally: Tally, folder: Path, *, reduce: bool) -> Iterator[Path]:
    """Write one reproducer per signature, reduced where `reduce` is set; yields the files.

    A case whose drawing fails has no payload to store: its seed draws it again.
    """
    for number, (signature, seeds) in enumerate(sorted(tally.failures.items())):
        record: dict[str, object] = {"target": target.name, "seed": seeds[0], "signature": signature, "seeds": seeds}
        payload = _drawn(target, seeds[0])
        if payload is not None:
            trials = 0
            if reduce and not signature.startswith("unfit"):
                payload, trials = reduce_case(target, payload, signature)
            record |= {"trials": trials, "payload": payload}
        path = folder / f"{target.name}_{seeds[0]}_{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=1) + "\n")
        yield path


def stored_case(path: Path) -> tuple[FuzzTarget, Payload]:
    """The target and the payload of a reproducer. Raises `StoredCaseError`, and `OSError` for what cannot be read."""
    try:
        record: object = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise StoredCaseError(f"'{path}' is no stored case: not JSON: {error}") from None
    fields = cast("dict[str, object]", record) if isinstance(record, dict) else {}
    name, payload = fields.get("target"), fields.get("payload")
    if not (isinstance(name, str) and name in TARGETS and isinstance(payload, dict)):
        raise StoredCaseError(
            f"'{path}' is no stored case: it needs a 'target', one of {', '.join(TARGETS)}, and an object 'payload', "
            "as vtac fuzz writes them"
        )
    return fuzz_target(name), cast(Payload, payload)


def _drawn(target: FuzzTarget, seed: int) -> Payload | None:
    """A case drawn in a process of its own, since drawing may be what fails; None then."""
    outcome = isolated(lambda: Outcome("accepted", detail=json.dumps(draw_case(target, seed))))
    return cast(Payload, json.loads(outcome.detail)) if outcome.status == "accepted" else None
