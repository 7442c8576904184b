"""Files in exactly the layouts in which popular sources hand bars out, and the bars that are in them."""

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime

import polars as pl

Bar = tuple[str, float, float, float, float, float | None]
KLINES = (
    "{0},42283.58,42554.57,42261.02,42475.23,1271.68108,{1},53957248.97,47134,682.57251,28957416.81,0\n"
    "{2},42475.23,42775.00,42431.65,42613.56,1196.37856,{3},50984113.06,46396,625.51218,26649711.99,0\n"
)
KLINE_BARS: tuple[Bar, ...] = (
    ("2024-01-01 00:00", 42283.58, 42554.57, 42261.02, 42475.23, 1271.68108),
    ("2024-01-01 01:00", 42475.23, 42775.0, 42431.65, 42613.56, 1196.37856),
)
MILLISECONDS = KLINES.format(1704067200000, 1704070799999, 1704070800000, 1704074399999)
MICROSECONDS = KLINES.format(1704067200000000, 1704070799999999, 1704070800000000, 1704074399999999)
KLINES_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n"
)
AAPL: tuple[Bar, ...] = (
    ("2024-01-16 00:00", 182.16, 184.26, 180.93, 183.63, 65603000.0),
    ("2024-01-17 00:00", 181.27, 182.93, 180.3, 182.68, 47317430.0),
)
PLAIN_ROWS = (
    "2024-01-16,182.16,184.26,180.93,183.63,65603000\n2024-01-17,181.27,182.93,180.3,182.68,47317430\n"
)
MSFT: tuple[Bar, ...] = (("2024-01-17 00:00", 387.98, 390.11, 384.81, 389.47, 22234100.0),)
EURUSD: tuple[Bar, ...] = (
    ("2024-03-03 22:00", 1.08366, 1.08419, 1.08352, 1.08408, 1634.0),
    ("2024-03-03 23:00", 1.08408, 1.08425, 1.08377, 1.08391, 1198.0),
)
NEW_YORK: tuple[Bar, ...] = (
    ("2024-01-02 14:30", 187.03, 187.27, 183.89, 184.9, 71200.0),
    ("2024-01-02 15:30", 184.9, 185.9, 184.72, 185.6, None),
)
CRYPTO: tuple[Bar, ...] = (
    ("2024-01-01 00:00", 42280.4, 42600.0, 42250.1, 42513.1, 100.17),
    ("2024-01-01 01:00", 42513.1, 42780.0, 42440.0, 42610.2, 88.5),
)


@dataclass(frozen=True)
class SourceFile:
    """A file, and the bars by symbol that an import of it has to end with."""

    name: str
    data: bytes
    bars: dict[str, tuple[Bar, ...]]


def _file(name: str, text: str, symbol: str, bars: tuple[Bar, ...], encoding: str = "utf-8") -> SourceFile:
    return SourceFile(name, text.encode(encoding), {symbol: bars})


def _parquet() -> bytes:
    """Return what a data frame with an unnamed index of days becomes."""
    frame = pl.DataFrame(
        {
            name: [row[place] for row in AAPL]
            for place, name in enumerate(("", "Open", "High", "Low", "Close", "Volume"))
            if name
        }
    )
    days = pl.Series("__index_level_0__", [datetime.fromisoformat(row[0]) for row in AAPL])
    buffer = io.BytesIO()
    frame.with_columns(days).write_parquet(buffer)
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


SOURCES = (
    _file("frame.csv", "Date,Open,High,Low,Close,Volume\n" + PLAIN_ROWS, "FRAME", AAPL),
    _file("unnamed.csv", ",Open,High,Low,Close,Volume\n" + PLAIN_ROWS, "UNNAMED", AAPL),
    SourceFile("frame.parquet", _parquet(), {"PARQUET": AAPL}),
    _file(
        "download.csv",
        "Price,Close,High,Low,Open,Volume\nTicker,YAAPL,YAAPL,YAAPL,YAAPL,YAAPL\nDate,,,,,\n"
        "2024-01-16,183.63,184.26,180.93,182.16,65603000\n2024-01-17,182.68,182.93,180.3,181.27,47317430\n",
        "YAAPL",
        AAPL,
    ),
    SourceFile(
        "downloads.csv",
        b"Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\n"
        b"Ticker,TWO-A,TWO-M,TWO-A,TWO-M,TWO-A,TWO-M,TWO-A,TWO-M,TWO-A,TWO-M\n"
        b"Date,,,,,,,,,,\n"
        b"2024-01-16,183.63,,184.26,,180.93,,182.16,,65603000,\n"
        b"2024-01-17,182.68,389.47,182.93,390.11,180.3,384.81,181.27,387.98,47317430,22234100\n",
        {"TWO-A": AAPL, "TWO-M": MSFT},
    ),
    _file(
        "history.csv",
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2024-01-16 00:00:00-05:00,182.16,184.26,180.93,183.63,65603000,0.0,0.0\n"
        "2024-01-17 00:00:00-05:00,181.27,182.93,180.3,182.68,47317430,0.0,0.0\n",
        "HISTORY",
        AAPL,
    ),
    _file("BTCUSDT-1h-2024-01.csv", MILLISECONDS, "KLINES", KLINE_BARS),
    SourceFile(
        "BTCUSDT-1h-2025-01.zip",
        zipped({"BTCUSDT-1h-2025-01.csv": MICROSECONDS.encode()}),
        {"KLINES-ZIP": KLINE_BARS},
    ),
    _file("klines.csv", KLINES_HEADER + MILLISECONDS, "KLINES-NAMED", KLINE_BARS),
    _file(
        "EURUSD60.csv",
        "2024.03.04,00:00,1.08366,1.08419,1.08352,1.08408,1634\n"
        "2024.03.04,01:00,1.08408,1.08425,1.08377,1.08391,1198\n",
        "MT4",
        EURUSD,
    ),
    _file(
        "EURUSD_H1.csv",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2024.03.04\t00:00:00\t1.08366\t1.08419\t1.08352\t1.08408\t1634\t0\t1\n"
        "2024.03.04\t01:00:00\t1.08408\t1.08425\t1.08377\t1.08391\t1198\t0\t0\n",
        "MT5",
        EURUSD,
    ),
    _file(
        "chart.csv",
        "time,open,high,low,close,Volume,MA,MA\n"
        "1704067200,42280.4,42600,42250.1,42513.1,100.17,NaN,NaN\n"
        "1704070800,42513.1,42780,42440,42610.2,88.5,42561.65,42500\n",
        "CHART",
        CRYPTO,
    ),
    _file("aapl_us_d.csv", "Date,Open,High,Low,Close,Volume\n" + PLAIN_ROWS, "STOOQ", AAPL),
    _file(
        "aapl.us.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "AAPL.US,D,20240116,000000,182.16,184.26,180.93,183.63,65603000,0\n"
        "AAPL.US,D,20240117,000000,181.27,182.93,180.3,182.68,47317430,0\n",
        "AAPL.US",
        AAPL,
    ),
    _file(
        "EURUSD_Candlestick_1_Hour_BID.csv",
        "Gmt time,Open,High,Low,Close,Volume\n"
        "03.03.2024 22:00:00.000,1.08366,1.08419,1.08352,1.08408,1634\n"
        "03.03.2024 23:00:00.000,1.08408,1.08425,1.08377,1.08391,1198\n",
        "DUKA",
        EURUSD,
    ),
    _file(
        "daily_AAPL.csv",
        "timestamp,open,high,low,close,volume\n2024-01-17,181.2700,182.9300,180.3000,182.6800,47317430\n"
        "2024-01-16,182.1600,184.2600,180.9300,183.6300,65603000\n",
        "AV-DAILY",
        AAPL,
    ),
    _file(
        "intraday_60min_AAPL.csv",
        "timestamp,open,high,low,close,volume\n2024-01-02 10:30:00,184.90,185.90,184.72,185.60,\n"
        "2024-01-02 09:30:00,187.03,187.27,183.89,184.90,71200\n",
        "AV-HOURS",
        NEW_YORK,
    ),
    _file(
        "ib.csv",
        "Date,Open,High,Low,Close,Volume,WAP,HasGaps,Count\n"
        "20240102  09:30:00 US/Eastern,187.03,187.27,183.89,184.9,71200,185.2,False,31000\n"
        "20240102  10:30:00 US/Eastern,184.9,185.9,184.72,185.6,-1,185.3,False,21000\n",
        "IB",
        NEW_YORK,
    ),
    _file(
        "XBTUSD_60.csv",
        "1704067200,42280.4,42600.0,42250.1,42513.1,100.17,2345\n"
        "1704070800,42513.1,42780.0,42440.0,42610.2,88.5,1987\n",
        "KRAKEN",
        CRYPTO,
    ),
    _file(
        "HistoricalData.csv",
        'Date,Close/Last,Volume,Open,High,Low\n01/17/2024,$182.68,"47,317,430",$181.27,$182.93,$180.30\n'
        '01/16/2024,$183.63,"65,603,000",$182.16,$184.26,$180.93\n',
        "NASDAQ",
        AAPL,
    ),
    _file(
        "Historical Data.csv",
        '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"01/17/2024","4,739.21","4,739.13","4,744.23","4,714.82","","-0.56%"\n'
        '"01/16/2024","4,765.98","4,772.35","4,782.34","4,747.12","1.25M","-0.37%"\n',
        "INVESTING",
        (
            ("2024-01-16 00:00", 4772.35, 4782.34, 4747.12, 4765.98, 1250000.0),
            ("2024-01-17 00:00", 4739.13, 4744.23, 4714.82, 4739.21, None),
        ),
    ),
    _file(
        "Historische Daten.csv",
        '\ufeff"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"\n'
        '"17.01.2024","16.431,69","16.440,14","16.488,18","16.345,02","66,14M","-0,84%"\n'
        '"16.01.2024","16.571,68","16.549,44","16.601,00","16.500,10","58,23M","-0,30%"\n',
        "INVESTING-DE",
        (
            ("2024-01-16 00:00", 16549.44, 16601.0, 16500.1, 16571.68, 58230000.0),
            ("2024-01-17 00:00", 16440.14, 16488.18, 16345.02, 16431.69, 66140000.0),
        ),
    ),
    _file(
        "Binance_CDDUSDT_1h.csv",
        "https://www.CryptoDataDownload.com\n"
        "unix,date,symbol,open,high,low,close,Volume CDD,Volume USDT,tradecount\n"
        "1704070800000,2024-01-01 01:00:00,CDDUSDT,42513.1,42780,42440,42610.2,88.5,3768000,1987\n"
        "1704067200000,2024-01-01 00:00:00,CDDUSDT,42280.4,42600,42250.1,42513.1,100.17,4251000,2345\n",
        "CDDUSDT",
        CRYPTO,
    ),
    _file(
        "sheet.csv",
        "Date,Open,High,Low,Close,Volume\n1/16/2024,182.16,184.26,180.93,183.63,65603000\n"
        "1/17/2024,181.27,182.93,180.3,182.68,47317430\n",
        "SHEET",
        AAPL,
    ),
    _file(
        "tabelle.csv",
        "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen\r\n16.01.2024;182,16;184,26;180,93;183,63;65.603.000\r\n"
        "17.01.2024;181,27;182,93;180,3;182,68;47.317.430\r\n",
        "TABELLE",
        AAPL,
        "cp1252",
    ),
)
