"""Files that are wrong in every way people get them wrong, and the words that name what is wrong."""

HEADER = "Date,Open,High,Low,Close,Volume\n"
GOOD = "2020-01-02,1,2,0.5,1.5,100\n"
NEXT = "2020-01-03,1.5,2,0.5,1,7\n"

BROKEN_CSV: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "line 1: there is no header"),
    "only a header": (HEADER, "line 2: there is no bar"),
    "binary": (b"KP\x03\x04\0\0", "line 1: a NUL byte"),
    "latin-1": (HEADER.encode() + b"2020-01-02,1,2,1,1,\xe9\n", "line 2, byte 20: not UTF-8"),
    "one field short": (HEADER + GOOD + "2020-01-03,1,2,0.5,1\n", "line 3: 5 fields where the header has 6"),
    "one field more": (HEADER + "2020-01-02,1,2,0.5,1,1,1\n", "line 2: 7 fields"),
    "a quote that never ends": (HEADER + GOOD + '2020-01-03,"1,2,0.5,1,1\n', "line 3: "),
    "an endless line": (HEADER + "x" * 70_000, "line 2: longer than 65,536 bytes"),
    "no such column": ("Date,Open,High,Low,Settle,Volume\n" + GOOD, "line 1: no column is named `close`"),
    "two columns of one name": (
        "Date,Open,Open,Low,Close,Volume\n" + GOOD,
        "line 1: column `Open` is there twice",
    ),
    "two times": ("Date,Timestamp,Open,High,Low,Close\n", "line 2: there is no bar"),
    "two times with a bar": (
        "Date,Timestamp,Open,High,Low,Close\n2020-01-02,2020-01-02,1,2,1,1\n",
        "line 1: both `Date` and `Timestamp` could be `time`",
    ),
    "a word for a price": (
        HEADER + GOOD + "2020-01-03,1,2,0.5,n/a,1\n",
        "line 3: column `Close`: `n/a` is not a number",
    ),
    "a comma that could be two things": (
        "Date;Open;High;Low;Close\n2020-01-02;1,500;2000;1;1\n",
        "line 2: column `Open`: `1,500` could be a number of thousands or have decimals",
    ),
    "decimals of two kinds": (
        "Date;Open;High;Low;Close\n2020-01-02;1,5;2;1.2;1\n",
        "line 2: column `Open`: `1,5` begins its decimals with a comma, `1.2` with a point",
    ),
    "no price": (HEADER + "2020-01-02,1,2,0.5,,1\n", "line 2: `close` is not a finite number"),
    "infinite": (HEADER + "2020-01-02,inf,2,0.5,1,1\n", "line 2: `open` is not a finite number"),
    "below zero": (HEADER + "2020-01-02,1,2,-0.5,1,1\n", "line 2: `low` is not above 0"),
    "high too low": (HEADER + "2020-01-02,1,1,0.5,1.5,1\n", "line 2: `high` is below open or close"),
    "volume below zero": (
        HEADER + "2020-01-02,1,2,0.5,1.5,-2\n",
        "line 2: `volume` is not a finite number of at least",
    ),
    "no time": (HEADER + "02/2020,1,2,0.5,1.5,1\n", "line 2: column `Date`: `02/2020` is not a time"),
    "a day that could be a month": (
        HEADER + "02/01/2020,1,2,0.5,1.5,1\n",
        "line 2: column `Date`: `02/01/2020` has its day first or its month, and no other one shows which",
    ),
    "days and months": (
        HEADER + "13/01/2020,1,2,0.5,1.5,1\n01/13/2020,1,2,0.5,1.5,1\n",
        "line 2: column `Date`: `13/01/2020` has its day first or its month, and `01/13/2020` the other",
    ),
    "no header": (GOOD + NEXT, "line 1: these are numbers and no names of columns"),
    "two lines before the header": (
        "one\ntwo\n" + HEADER + GOOD,
        "line 1: this is no header, but line 3 is",
    ),
    "a year of two digits": (
        HEADER + "24-01-02,1,2,0.5,1.5,1\n",
        "line 2: column `Date`: `24-01-02` has no year of four digits",
    ),
    "the future": (
        HEADER + "2999-12-02,1,2,0.5,1.5,1\n",
        "line 2: column `Date`: `2999-12-02` is in the future",
    ),
    "two bars of one time": (
        HEADER + GOOD + NEXT + "2020-01-02,1,2,0.5,1,1\n",
        "line 4: another bar of 2020-01-02",
    ),
}


BROKEN_STRATEGY = [
    (
        "start: 2000-03-01",
        "start: 2000-13-45",
        "s.yaml:3:40: `start` in `data` should be a date, as 2024-01-31",
    ),
    ("hidden: [16]", "hidden: []", "no effect without hidden layers"),
    ("symbols: [AAPL]", "symbols: []", "`symbols` in `data` needs at least 1"),
    ("period: 14", "period: fast", "`period` in `indicators.rsi14` should be a whole number"),
    ("period: 14", "perod: 14", "s.yaml:5:22: unknown key `perod`"),
    ("epochs: 200", "epochs: 0", "s.yaml:17:3: `epochs` in `training` should be at least 1"),
    ("[left, 20, 40]", "[left, 40, 20]", "the points of `left` must rise"),
    ("  rsi14: {over", "  rsx: {over", "there is no indicator `rsx`"),
    ("horizon: 10", "horizen: 10", "unknown key `horizen`"),
    ("scale: atr", "scale: none", "must be scale-free"),
    ("name: trend_momentum", "nme: trend", "s.yaml:1:1: unknown key `nme`"),
    ("name: trend_momentum\n", "", "`name` is missing"),
    ("{train: 0.70", "{type: walk_forward, train: 0.70", "is not available yet"),
    ("type: rsi", "type: rsii", "unknown indicator type `rsii`"),
    ("seed: 42", "seed: &a 42", "anchors and aliases are not allowed"),
    ("  seed: 42", "  seed: 42\n  seed: 43", "duplicate key"),
    ("AAPL", "!!python/object:os.system x", "tags are not allowed"),
    ("start: 2000-03-01", "start: NO", "`start` in `data` should be a date"),
    ("train: 0.70", "train: 0.50", "must sum to 1"),
    ("description: Trend", "description: [Trend", "not valid YAML"),
]
