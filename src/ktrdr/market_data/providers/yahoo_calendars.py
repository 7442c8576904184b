"""Which calendar the symbols of a Yahoo exchange trade by."""

from collections.abc import Mapping

FX, ROUND_THE_CLOCK = "fx", "24/7"

CALENDARS: Mapping[str, str] = {
    "CCC": ROUND_THE_CLOCK,
    "CCY": FX,
    **dict.fromkeys(
        ("NYQ", "NMS", "NGM", "NCM", "ASE", "PCX", "BTS", "NYSE", "NASDAQ", "SNP", "DJI"), "XNYS"
    ),
    "AMS": "XAMS",
    "ASX": "XASX",
    "BRU": "XBRU",
    "BSE": "XBOM",
    "BUE": "XBUE",
    "CPH": "XCSE",
    "EBS": "XSWX",
    "FRA": "XFRA",
    "GER": "XETR",
    "HEL": "XHEL",
    "HKG": "XHKG",
    "IST": "XIST",
    "ISE": "XDUB",
    "JNB": "XJSE",
    "JPX": "XTKS",
    "TYO": "XTKS",
    "KLS": "XKLS",
    "KOE": "XKRX",
    "KSC": "XKRX",
    "LIS": "XLIS",
    "LSE": "XLON",
    "MCE": "XMAD",
    "MEX": "XMEX",
    "MIL": "XMIL",
    "NZE": "XNZE",
    "OSL": "XOSL",
    "PAR": "XPAR",
    "SAO": "BVMF",
    "SES": "XSES",
    "SET": "XBKK",
    "SHH": "XSHG",
    "SHZ": "XSHG",  # Shenzhen keeps the days and hours of Shanghai
    "STO": "XSTO",
    "STU": "XSTU",
    "TAI": "XTAI",
    "TLV": "XTAE",
    "TOR": "XTSE",
    "VIE": "XWBO",
    "WSE": "XWAR",
}
