"""Quasi-affine integer expressions over loop variables, kept in a normal form: the IR of indices.

An expression is a constant plus a sum of coefficient * atom; an atom is a variable (any
hashable object, usually a loop's SSA value or a number), a floor quotient or a remainder. Quotients
and remainders come from fused loops and vanish again where ranges prove it.

The algebra, for divisors d > 0 and variables 0 <= v < extent:
    sums and multiples      by atom; a coefficient of 0 goes
    (q * d + r) div d    =  q + r div d, where q takes every term that d divides
    (q * d + r) mod d    =  r mod d
    r div d              =  a number, where the bounds of r lie between two multiples of d
    r mod d              =  r minus that multiple, in the same case
    (n div a) div b      =  n div (a * b)
    d * (n div d) + n mod d  =  n

Equal expressions compare equal where these rules make them so; two that differ may still have
the same values. `bounds` is exact without quotients and remainders, and never too narrow with them.

xDSL's AffineExpr knows no ranges, so it keeps `(d0 * 3 + d1) floordiv 3` where d1 < 3. The bridge is
`affine_expressions.py`: a map of the IR comes in over the expressions of its dimensions, which composes maps, and goes
out over any placing of variables as dimensions and symbols. Whether something is a multiple of a number
`vtac.analysis.kernels.alignment` says.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

Extents = Mapping[Hashable, int]
"""Variable -> extent: the variable runs over 0 <= v < extent."""


class _Division:
    """What is an atom and holds variables."""

    __slots__ = ()

    numerator: Linear
    divisor: int


@dataclass(frozen=True, slots=True)
class Quotient(_Division):
    """floor(numerator / divisor), divisor > 0."""

    numerator: Linear
    divisor: int


@dataclass(frozen=True, slots=True)
class Remainder(_Division):
    """numerator mod divisor, in 0 <= r < divisor."""

    numerator: Linear
    divisor: int


class Linear:
    """An immutable quasi-affine expression; equal expressions in normal form compare equal."""

    __slots__ = ("_hash", "constant", "terms")

    constant: int
    terms: dict[Hashable, int]

    def __init__(self, constant: int = 0, terms: dict[Hashable, int] | None = None) -> None:
        self.constant = constant
        self.terms = terms if terms is not None else {}
        self._hash: int | None = None

    @staticmethod
    def variable(variable: Hashable) -> Linear:
        return Linear(0, {variable: 1})

    def __add__(self, other: Linear | int) -> Linear:
        if isinstance(other, int):
            return Linear(self.constant + other, self.terms) if other else self
        if not other.terms:
            return Linear(self.constant + other.constant, self.terms) if other.constant else self
        if not self.terms:
            return Linear(self.constant + other.constant, other.terms)
        terms = dict(self.terms)
        for atom, coefficient in other.terms.items():
            total = terms.get(atom, 0) + coefficient
            if total:
                terms[atom] = total
            else:
                terms.pop(atom, None)
        return _recombined(self.constant + other.constant, terms)

    def __sub__(self, other: Linear | int) -> Linear:
        if isinstance(other, int):
            return Linear(self.constant - other, self.terms) if other else self
        if not other.terms:
            return Linear(self.constant - other.constant, self.terms) if other.constant else self
        return self + other * -1

    def __mul__(self, factor: int) -> Linear:
        if factor == 0:
            return ZERO
        if factor == 1:
            return self
        return Linear(self.constant * factor, {atom: c * factor for atom, c in self.terms.items()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Linear) and self.constant == other.constant and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.constant, frozenset(self.terms.items())))
        return self._hash

    def __repr__(self) -> str:
        return " + ".join([f"{c}*{atom}" for atom, c in self.terms.items()] + [str(self.constant)])

    @property
    def is_constant(self) -> bool:
        return not self.terms

    def coefficient(self, variable: Hashable) -> int:
        """Coefficient of a plain variable; 0 when it is absent."""
        return self.terms.get(variable, 0)

    def as_variable(self) -> Hashable | None:
        """The plain variable that the expression simply is; None for anything else."""
        if self.constant or len(self.terms) != 1:
            return None
        ((atom, coefficient),) = self.terms.items()
        return atom if coefficient == 1 and not isinstance(atom, _Division) else None

    def variables(self) -> set[Hashable]:
        """Every variable, also those inside quotients and remainders."""
        return variables_of((self,))

    def is_linear_in(self, variable: Hashable) -> bool:
        """True unless the variable occurs inside a quotient or remainder."""
        return not any(isinstance(atom, _Division) and variable in atom.numerator.variables() for atom in self.terms)

    def without(self, variable: Hashable) -> Linear:
        """The expression with a plain variable's term dropped."""
        if variable not in self.terms:
            return self
        return Linear(self.constant, {atom: c for atom, c in self.terms.items() if atom != variable})

    def substitute(self, values: Mapping[Hashable, Linear], extents: Extents) -> Linear:
        """Replace variables by expressions; `extents` bounds the variables that remain."""
        if not any(atom in values or isinstance(atom, _Division) for atom in self.terms):
            return self
        result = Linear(self.constant)
        for atom, coefficient in self.terms.items():
            result = result + _substitute_atom(atom, values, extents) * coefficient
        return result

    def bounds(self, extents: Extents) -> tuple[int, int]:
        """Smallest and largest value, both inclusive."""
        low = high = self.constant
        for atom, coefficient in self.terms.items():
            atom_low, atom_high = _atom_bounds(atom, extents)
            low += coefficient * (atom_low if coefficient > 0 else atom_high)
            high += coefficient * (atom_high if coefficient > 0 else atom_low)
        return low, high

    def floor_divide(self, divisor: int, extents: Extents) -> Linear:
        """floor(self / divisor), simplified as far as the extents allow."""
        if divisor == 1:
            return self
        whole, rest = self._split_multiple(divisor)
        low, high = rest.bounds(extents)
        if low // divisor == high // divisor:
            return whole + low // divisor
        return whole + Linear.variable(_quotient(rest, divisor))

    def modulo(self, divisor: int, extents: Extents) -> Linear:
        """self mod divisor, simplified as far as the extents allow."""
        if divisor == 1:
            return ZERO
        _, rest = self._split_multiple(divisor)
        low, high = rest.bounds(extents)
        if low // divisor == high // divisor:
            return rest - (low // divisor) * divisor
        return Linear.variable(Remainder(rest, divisor))

    def _split_multiple(self, divisor: int) -> tuple[Linear, Linear]:
        """(q, r) with self == q * divisor + r and r's constant in [0, divisor)."""
        whole: dict[Hashable, int] = {}
        rest: dict[Hashable, int] = {}
        for atom, coefficient in self.terms.items():
            if coefficient % divisor:
                rest[atom] = coefficient
            else:
                whole[atom] = coefficient // divisor
        return Linear(self.constant // divisor, whole), Linear(self.constant % divisor, rest)


ZERO = Linear()


def variables_of(expressions: Iterable[Linear]) -> set[Hashable]:
    """Every variable of expressions, also those inside quotients and remainders."""
    found: set[Hashable] = set()
    for expression in expressions:
        for atom in expression.terms:
            if isinstance(atom, _Division):
                found |= variables_of((atom.numerator,))
            else:
                found.add(atom)
    return found


def _quotient(numerator: Linear, divisor: int) -> Quotient:
    """floor(numerator / divisor) as one atom; a quotient of a quotient is one."""
    if numerator.constant == 0 and len(numerator.terms) == 1:
        ((atom, coefficient),) = numerator.terms.items()
        if coefficient == 1 and isinstance(atom, Quotient):
            return Quotient(atom.numerator, atom.divisor * divisor)
    return Quotient(numerator, divisor)


def _recombined(constant: int, terms: dict[Hashable, int]) -> Linear:
    """Apply d * (n div d) + (n mod d) = n once, where it occurs."""
    for atom, coefficient in terms.items():
        if type(atom) is Remainder:
            partner = _quotient(atom.numerator, atom.divisor)
            if terms.get(partner) == coefficient * atom.divisor:
                rest = {other: c for other, c in terms.items() if other not in (atom, partner)}
                return Linear(constant, rest) + atom.numerator * coefficient
    return Linear(constant, terms)


def _substitute_atom(atom: Hashable, values: Mapping[Hashable, Linear], extents: Extents) -> Linear:
    if isinstance(atom, Quotient):
        return atom.numerator.substitute(values, extents).floor_divide(atom.divisor, extents)
    if isinstance(atom, Remainder):
        return atom.numerator.substitute(values, extents).modulo(atom.divisor, extents)
    return values[atom] if atom in values else Linear.variable(atom)


def _atom_bounds(atom: Hashable, extents: Extents) -> tuple[int, int]:
    if isinstance(atom, Quotient):
        low, high = atom.numerator.bounds(extents)
        return low // atom.divisor, high // atom.divisor
    if isinstance(atom, Remainder):
        low, high = atom.numerator.bounds(extents)
        if low // atom.divisor == high // atom.divisor:
            return low % atom.divisor, high % atom.divisor
        return 0, atom.divisor - 1
    return 0, extents[atom] - 1


def relax(expression: Linear, inner: set[Hashable], extents: Extents) -> tuple[Linear, int, int]:
    """(base, low, high): the values while the `inner` variables run are base + [low, high].

    `base` holds the outer variables only. A quotient or remainder that mixes inner and
    outer variables contributes its whole range instead.
    """
    base: dict[Hashable, int] = {}
    low = high = 0
    for atom, coefficient in expression.terms.items():
        used = atom.numerator.variables() if isinstance(atom, _Division) else {atom}
        if not used & inner:
            base[atom] = coefficient
            continue
        atom_low, atom_high = _atom_bounds(atom, extents)
        low += coefficient * (atom_low if coefficient > 0 else atom_high)
        high += coefficient * (atom_high if coefficient > 0 else atom_low)
    return Linear(expression.constant, base), low, high
