"""The words of the sample accession: an office that never was, in English and Chinese.

The Ningbo Harbour Office, its people, ships, dues and tides are invented. What is said of the
Tianyi Pavilion and of the gazetteer of Zhejiang is true. All of it is our own writing, Apache-2.0.
"""

from __future__ import annotations

from dataclasses import dataclass

OFFICE = "Ningbo Harbour Office"
ARCHIVE = "Tianyi sample archive"
RIGHTS = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Text:
    """A document before it has a format: `date` is ISO 8601, `language` is "en" or "zh"."""

    title: str
    creator: str
    date: str
    language: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ship:
    """One line of the register of ships: `arrived` is ISO 8601, `dues` are whole yuan."""

    number: int
    name: str
    chinese: str
    berth: str
    tons: int
    arrived: str
    dues: int


SHIPS = (
    Ship(1, "Yongjiang 3", "甬江三号", "A1", 480, "1987-03-02", 144),
    Ship(2, "Tianfeng", "天封号", "A2", 1250, "1987-03-05", 375),
    Ship(3, "Zhaobao", "招宝号", "B1", 3100, "1987-03-11", 930),
    Ship(4, "Mingzhou", "明州号", "B2", 2760, "1987-03-19", 828),
    Ship(5, "Sanjiang", "三江号", "A1", 615, "1987-03-24", 185),
    Ship(6, "Yuehu", "月湖号", "C1", 5400, "1987-03-30", 1620),
)
HEADINGS = ("No.", "Ship", "船名", "Berth 泊位", "Tons 吨位", "Arrived 到港", "Dues 港费")

TIDES = (
    ("1993-06-01", "04:12", "2.91", "10:38", "0.44"),
    ("1993-06-02", "04:55", "3.02", "11:21", "0.37"),
    ("1993-06-03", "05:37", "3.08", "12:03", "0.33"),
    ("1993-06-04", "06:18", "3.07", "12:44", "0.35"),
)

READ_ME = """\
Ningbo Harbour Office, accession of 1987-1994
宁波港务处1987—1994年移交档案

This accession was received in one transfer. It holds the letters, registers,
pictures, recordings and web pages of the office, in the order in which the
office kept them. File names are as received and must not be tidied: two of
them differ only in how an accent is encoded, and two files are the same.

本批档案一次移交，包括来往函件、登记簿、图片、录音录像及网页，
依原机关之顺序排列。文件名一仍其旧，请勿更改。

The office, its people and its figures are invented.
机关、人物及数字均属虚构。
"""

LETTER = Text(
    "To the Harbour Master, on the lamp of the north mole",
    "Lin Shuyuan",
    "1987-03-04",
    "en",
    (
        "Dear Sir,",
        "The lamp of the north mole was relit on the evening of 2 March, after eleven nights of"
        " repair. Two masters have since reported that it is seen from the outer roads in clear"
        " weather, and one that it is not seen in rain.",
        "I ask that the keeper enter each night's visibility in the log, so that the question is"
        " settled by a record and not by memory.",
        "Respectfully, Lin Shuyuan (林书远), Survey Section",
    ),
)

NOTICE = Text(
    "关于调整泊位的通知",
    "宁波港务处",
    "1988-06-20",
    "zh",
    (
        "各船务单位：",
        "自1988年7月1日起，甲区一号、二号泊位归内河船只使用，乙区泊位归沿海船只使用，丙区一号泊位留给五千吨以上船只。",
        "船只到港前二十四小时，请将船名、吨位及预计到港时间报值班室登记。",
        "特此通知。",
    ),
)

MINUTES = Text(
    "Minutes of the meeting on the keeping of records",
    "Chen Weilan",
    "1989-11-09",
    "en",
    (
        "Present: Chen Weilan (陈慰兰), Harbour Master; Lin Shuyuan (林书远), Survey; He Yong (贺永), Registry.",
        "1. The register of ships is to be typed as well as written. The written register remains the record.",
        "2. Plans are to be photographed before they are lent, and a slip left in their place.",
        "3. Papers of no further use to the office are offered to the archive first. Nothing is"
        " destroyed without a list, and the list is kept.",
        "The meeting closed at half past eleven.",
    ),
)

INSTRUCTION = Text(
    "Standing instruction to pilots 引航须知",
    OFFICE,
    "1990-05-17",
    "en",
    (
        "1. Board at the outer roads, not later than two hours before high water.",
        "2. 能见度不足五百米时，不得引航进港。No ship is brought in when visibility is below five hundred metres.",
        "3. Enter in the log the ship, the draught, the tug and the time at the mole.",
    ),
)

GUIDE = Text(
    "Guide to the accession of 1987-1994",
    ARCHIVE,
    "1994-12-20",
    "en",
    (
        "The Ningbo Harbour Office (宁波港务处) kept the port's berths, lights and pilots. This"
        " accession documents its last eight years: how a small office recorded what it did, and"
        " how those records moved from paper to disk.",
        "Letters and registers are complete. Of the recordings only the harbour bell survives, and"
        " of the films only the crossing of a junk. One folder, 天一阁, holds notes made for a"
        " neighbour, the library of the Fan family.",
        "The accession is open. Copies may be made for any purpose.",
    ),
)

GAZETTEER = Text(
    "《嘉靖浙江通志》提要",
    "宁波港务处资料室",
    "1992-09-10",
    "zh",
    (
        "《浙江通志》七十二卷，胡宗宪修，薛应旂纂，明嘉靖四十年（1561）刊。是为浙江通志存世之最早者，世称嘉靖志。",
        "天一阁为鄞县范钦所建，始于嘉靖四十年，成于四十五年（1561—1566），与此志之刊同时。阁中所藏"
        "明代方志甚富，今人考浙东海防、港埠者多赖之。",
        "本处编写港史，借阅影印本一部，录其海防、水利诸目备查。阅毕归还，登记在案。",
    ),
)

CATALOGUE = """\
天一阁所借书目

一、《嘉靖浙江通志》七十二卷 影印本 十册 1992年9月10日借 同年12月3日还
二、《嘉靖宁波府志》四十二卷 影印本 八册 1992年9月10日借 同年12月3日还
三、《海港志稿》不分卷 抄本 一册 1993年5月21日借 未还，见催还函

以上三种，由资料室贺永经手。
"""

DUTY_LOG = """\
值班日志 一九九三年六月

一日 晴，东南风三级。甬江三号、天封号到港。北堤灯塔正常。
二日 阴，能见度两公里。招宝号候潮，十一时二十分进港。
三日 雨，能见度四百米，停止引航。“㴪江”轮之名，字库所无，原为手写，今补录。
四日 晴。恢复引航。月湖号离港，拖轮两艘。

值班：贺永 复核：陈慰兰
"""

MEMORANDUM = """\
Memorandum of the Harbour Master, 12 January 1988

A register that cannot be read is not a register. Whoever closes a volume
shall open it again within the year, and sign that it was read.

Chen Weilan
"""

INSPECTED = """\
Berths inspected in 1987: 6 of 6, that is 100%.
Lights inspected in 1987: 4 of 4, that is 100%.
"""

CAFE_COMPOSED = "The café on the quay, as its sign is typed: one letter, é (U+00E9).\n"
CAFE_DECOMPOSED = "The café on the quay, as its sign was scanned: e and an accent (U+0301).\n"

TWO_BLANKS = "The name of this file has two blanks side by side. Both belong to it.\n"
LAST_BLANK = "The name of this file ends with a blank, and has no extension. 文件名以空格结尾。\n"

LETTERS = (
    (
        "Mon, 04 Mar 1991 09:12:00 +0800",
        "The survey of the inner basin",
        "The soundings of the inner basin are done. The list is attached, with the drawing of\n"
        "the quay as it stands.\n\nFrom the north steps to the mole nothing has changed.\n",
    ),
    (
        "Tue, 05 Mar 1991 14:40:00 +0800",
        "Re: The survey of the inner basin 内港测量",
        "收到，谢谢。已登记入册，图另存一份。\n\nReceived with thanks, and entered in the register.\n",
    ),
)

XHTML = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"
 "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="zh" lang="zh">
<head><title>{text.title}</title></head>
<body>
<h1>{text.title}</h1>
{body}
<p>{text.creator} {text.date}</p>
</body>
</html>
"""

HTML = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Tides at the north mole, June 1993</title></head>
<body>
<h1>Tides at the north mole, June 1993 北堤潮汐表</h1>
<table>
<tr><th>Day</th><th>High</th><th>Metres</th><th>Low</th><th>Metres</th></tr>
{rows}
</table>
</body>
</html>
"""

SVG = """\
<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="320" height="240"
 viewBox="0 0 160 120">
<title>Plan of the harbour 海港图</title>
<rect width="160" height="120" fill="#dfeaf0"/>
<path d="M0 0H160V24Q120 34 96 30T40 44L34 84L0 90Z" fill="#e9e0c8" stroke="#6b5d43"/>
<path d="M96 30L104 72M34 84L84 92" stroke="#6b5d43" stroke-width="4" stroke-linecap="round"/>
<g fill="#a42c26"><circle cx="104" cy="74" r="3"/><circle cx="86" cy="92" r="3"/></g>
<g font-family="serif" font-size="7" fill="#2c282e">
<text x="108" y="78">North mole 北堤</text><text x="48" y="104">South mole 南堤</text>
<text x="6" y="20">Ningbo Harbour Office 宁波港务处</text>
<text x="52" y="64">Inner basin 内港</text>
</g>
</svg>
"""

EPUB_CONTAINER = """\
<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="guide.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""

EPUB_PACKAGE = """\
<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:6b1f6f0e-6f4e-5c1f-9d3c-1987199400aa</dc:identifier>
<dc:title>{text.title}</dc:title>
<dc:creator>{text.creator}</dc:creator>
<dc:language>{text.language}</dc:language>
<meta property="dcterms:modified">2004-06-01T12:00:00Z</meta>
</metadata>
<manifest>
<item id="contents" href="contents.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="guide" href="guide.xhtml" media-type="application/xhtml+xml"/>
</manifest>
<spine><itemref idref="guide"/></spine>
</package>
"""

EPUB_CONTENTS = """\
<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">
<head><title>Contents</title></head>
<body><nav epub:type="toc"><ol><li><a href="guide.xhtml">{text.title}</a></li></ol></nav></body>
</html>
"""

EPUB_CHAPTER = """\
<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en">
<head><title>{text.title}</title></head>
<body>
<h1>{text.title}</h1>
{body}
</body>
</html>
"""
