"""How numbers are written: what begins decimals and groups digits, signs of currencies, K, M and B.

A file has one way; it is known where one number could not be written in another.
"""

from dataclasses import dataclass

import polars as pl

SIGN = (
    r"(?:[A-Z]{0,3}\p{Sc}|kr|zł|USD|EUR|GBP|GBX|CHF|JPY|CNY|HKD|SGD|INR|KRW|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK"
    r"|HUF|TRY|ZAR|BRL|MXN)"
)
CURRENCY = rf"^[+-]?{SIGN}\s?|\s?{SIGN}$"
NO_NUMBER = frozenset({"", "-", "--", "–", "null", "none", "nan", "n/a", "na", "#n/a"})
UNITS = {"k": 1e3, "tsd": 1e3, "m": 1e6, "mio": 1e6, "b": 1e9, "mrd": 1e9, "t": 1e12}
UNIT = r"(?i)\s?(k|tsd|m|mio|b|mrd|t)\.?$"
SPACES = r"[\s\x{00a0}\x{202f}'’]"
LIKE_NUMBER = rf"^[+-]?\d(?:[\d.,]|{SPACES})*$"
GROUPED_COMMA = r"^[+-]?[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}$"
GROUPED_POINT = r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})+$"
DECIMAL_COMMA = r"^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+$"
DECIMAL_POINT = r"^[+-]?(?:\d{1,3}(?:,\d{2,3})*,\d{3}|\d+)\.\d+$"
TWICE = r"([.,]).*[.,]"


@dataclass(frozen=True, slots=True)
class NumberWriting:
    """One way to write numbers: what begins their decimals, and what groups their digits, `,` or `.`."""

    decimal: str

    @property
    def thousands(self) -> str:
        """Return what groups digits."""
        return "." if self.decimal == "," else ","

    def read(self, text: pl.Series, *, units: bool) -> pl.Series:
        """Return the numbers of stripped text, null for what is none; with `units` 1.2M is one of them."""
        name = pl.col("text")
        number = without_signs(name)
        factor: pl.Expr = pl.lit(1.0)
        if units:
            written = name.str.extract(UNIT).str.to_lowercase()
            factor = written.replace_strict(UNITS, default=1.0, return_dtype=pl.Float64)
            number = number.str.replace(UNIT, "")
        digits = number.str.replace_all(SPACES, "")
        point, comma = (rf"\{each}" for each in (self.decimal, self.thousands))
        is_grouped = digits.str.contains(
            rf"^[+-]?\d{{1,3}}(?:{comma}\d{{2,3}})*{comma}\d{{3}}(?:{point}\d*)?$"
        )
        is_plain = ~digits.str.contains(self.thousands, literal=True)
        plain = digits.str.replace_all(self.thousands, "", literal=True).str.replace(
            self.decimal, ".", literal=True
        )
        value = pl.when(is_grouped | is_plain).then(plain).cast(pl.Float64, strict=False) * factor
        return text.alias("text").to_frame().select(value).to_series()


PLAIN = NumberWriting(".")


def without_signs(text: pl.Expr) -> pl.Expr:
    """Return text without the sign of a currency before or after it."""
    sign = pl.when(text.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.when(text.str.contains(SIGN)).then(sign + text.str.replace_all(CURRENCY, "")).otherwise(text)


def is_no_number(text: pl.Series) -> pl.Series:
    """Return which of stripped text [n] says that there is no number."""
    return text.str.to_lowercase().is_in(list(NO_NUMBER))


def is_like_number(text: pl.Series, *, units: bool) -> pl.Series:
    """Return which of stripped text [n] could be a number, in whatever way it is written."""
    bare = pl.col("text").str.replace(UNIT, "") if units else pl.col("text")
    return _evaluated(text, without_signs(bare).str.contains(LIKE_NUMBER))


def shows_decimal_comma(text: pl.Series) -> pl.Series:
    """Return which of stripped text [n] are numbers only if a comma begins decimals."""
    digits = _digits()
    has_comma = digits.str.contains(DECIMAL_COMMA) & ~(digits.str.contains(GROUPED_COMMA) & ~_has_two())
    return _evaluated(text, has_comma | (digits.str.contains(GROUPED_POINT) & _has_two()))


def shows_decimal_point(text: pl.Series) -> pl.Series:
    """Return which of stripped text [n] are numbers only if a point begins decimals."""
    digits = _digits()
    has_point = digits.str.contains(DECIMAL_POINT) & ~(digits.str.contains(GROUPED_POINT) & ~_has_two())
    return _evaluated(text, has_point | (digits.str.contains(GROUPED_COMMA) & _has_two()))


def could_be_both(text: pl.Series) -> pl.Series:
    """Return which of stripped text [n] are 1,234: one and a bit, or more than a thousand."""
    return _evaluated(text, _digits().str.contains(GROUPED_COMMA) & ~_has_two())


def _digits() -> pl.Expr:
    return without_signs(pl.col("text").str.replace(UNIT, "")).str.replace_all(SPACES, "")


def _has_two() -> pl.Expr:
    return _digits().str.contains(TWICE)


def _evaluated(text: pl.Series, condition: pl.Expr) -> pl.Series:
    return text.alias("text").to_frame().select(condition.fill_null(False)).to_series()
