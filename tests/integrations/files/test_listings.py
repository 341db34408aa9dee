"""The three malls' files: read as the malls write them, refused with a sentence where they are damaged."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import ItemRef, MallKind, MallListing
from integrations.files import amazon, listing_file, rakuten, text, yahoo
from integrations.files.listings import read_listings, write_listings
from integrations.files.problems import FileUnreadable, TextUnwritable

RAKUTEN_HEADER = (
    "商品管理番号（商品URL）,商品番号,商品名,SKU管理番号,システム連携用SKU番号,在庫数,"
    "在庫戻しフラグ,在庫切れ時の注文受付"
)
YAHOO_HEADER = "code,name,sub-code,quantity,allow-overdraft,stock-close"
AMAZON_HEADER = "商品名\t出品者SKU\t数量\t商品ID\t在庫数\tフルフィルメント・チャンネル"
MALL_HEADERS = json.loads(
    (Path(__file__).parents[3] / "examples/data/mall_headers.json").read_text(encoding="utf-8")
)


def file_of(*lines: str, encoding: str = "cp932", name: str = "a.csv") -> tuple[str, bytes]:
    return name, "".join(line + "\r\n" for line in lines).encode(encoding)


def read(kind: MallKind, *lines: str):
    return read_listings(kind, [file_of(*lines)])


def told(found) -> list[tuple[int, str, str]]:
    return [(error.line, error.field, error.code) for error in found.errors]


def test_rakuten_carries_the_item_row_down_to_its_skus():
    found = read(
        MallKind.RAKUTEN,
        RAKUTEN_HEADER,
        "Tee-001,0012,Ｔシャツ,,,,,",
        "Tee-001,,,tee-001-Red-M,0012R,07,1,0",
        "Tee-001,,,,,,,",
        "Tee-001,,,tee-001-red-l,,0,0,1",
    )

    assert found.listings == [
        MallListing(
            ItemRef("tee-001", "tee-001-Red-M"),
            name="Ｔシャツ",
            keys={
                "itemNumber": "0012",
                "merchantDefinedSkuId": "0012R",
                "manageNumber": "tee-001",
                "variantId": "tee-001-Red-M",
            },
            quantity=7,
            mall_restocks=True,
            fields={"restockOnCancel": "1", "backOrderFlag": "0"},
        ),
        MallListing(
            ItemRef("tee-001", "tee-001-red-l"),
            name="Ｔシャツ",
            keys={"itemNumber": "0012", "manageNumber": "tee-001", "variantId": "tee-001-red-l"},
            quantity=0,
            mall_restocks=False,
            fields={"restockOnCancel": "0", "backOrderFlag": "1"},
        ),
    ]
    assert (found.errors, found.other_rows, found.rows) == ([], {"ITEM": 1, "CHOICE": 1}, 4)


def test_columns_are_found_wherever_the_merchant_put_them():
    found = read(MallKind.RAKUTEN, "在庫数,SKU管理番号,商品管理番号(商品URL)", "5,v1,mug")

    assert [(each.ref, each.quantity) for each in found.listings] == [(ItemRef("mug", "v1"), 5)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_parts_of_a_download_are_joined_by_their_numbers(order):
    parts = [
        file_of(
            RAKUTEN_HEADER, "mug,01,マグ,,,,,", "mug,,,a,,1,,", name="dl-normal-item_2026-1.csv"
        ),
        file_of(RAKUTEN_HEADER, "mug,,,b,,2,,", name="dl-normal-item_2026-2.csv"),
    ]

    found = read_listings(MallKind.RAKUTEN, [parts[place] for place in order])

    assert [(each.ref.variant_code, each.name) for each in found.listings] == [
        ("a", "マグ"),
        ("b", "マグ"),
    ]
    assert found.errors == []


def test_a_missing_part_would_look_like_deleted_items_and_is_refused():
    part = file_of(RAKUTEN_HEADER, "mug,01,マグ,,,,,", name="dl-normal-item_2026-3.csv")

    with pytest.raises(FileUnreadable) as refusal:
        read_listings(MallKind.RAKUTEN, [part])

    assert refusal.value.reason == "PART_MISSING"
    assert refusal.value.params["parts"] == "1, 2"


def test_yahoo_names_a_sku_by_sub_code_and_by_code_where_it_has_none():
    found = read(
        MallKind.YAHOO_SHOPPING,
        YAHOO_HEADER,
        'tee,"Ｔシャツ, ""赤""",tee-red,-2,1,',
        "0007,マグ,,0,0,1",
    )

    assert found.listings == [
        MallListing(
            ItemRef("tee", "tee-red"),
            name='Ｔシャツ, "赤"',
            keys={"sub-code": "tee-red", "code": "tee"},
            quantity=-2,
            fields={"allow_overdraft": "1"},
        ),
        MallListing(
            ItemRef("0007"),
            name="マグ",
            keys={"sub-code": "0007", "code": "0007"},
            quantity=0,
            fields={"allow_overdraft": "0", "stock_close": "1"},
        ),
    ]


@pytest.mark.parametrize(
    "header",
    [
        AMAZON_HEADER,
        "item-name\tseller-sku\tquantity\tproduct-id\tpending-quantity\tfulfillment-channel",
    ],
)
def test_amazon_reads_quantity_never_pending_quantity_and_leaves_fba_without_one(header):
    found = read(
        MallKind.AMAZON,
        header,
        'マグ 8" 白\t0042\t3\t4901\t99\tDEFAULT',
        "皿\tP-1\t\t\t5\tAMAZON_JP",
    )

    assert found.listings == [
        MallListing(
            ItemRef("0042"),
            name='マグ 8" 白',
            keys={"seller-sku": "0042", "product-id": "4901"},
            quantity=3,
            mall_restocks=True,
        ),
        MallListing(ItemRef("P-1"), name="皿", keys={"seller-sku": "P-1"}, fulfilled_by_mall=True),
    ]


def test_an_amazon_report_saved_again_as_csv_is_read():
    found = read(MallKind.AMAZON, AMAZON_HEADER.replace("\t", ","), '"マグ, 白",0042,3,,,DEFAULT')

    assert [(each.name, each.quantity) for each in found.listings] == [("マグ, 白", 3)]


@pytest.mark.parametrize(
    ("case", "row", "field", "code"),
    [
        ("cut off", "tee,Ｔシャツ,tee-red", "", "SHORT_ROW"),
        ("a comma in a name", "tee,Ｔシャツ,赤,tee-red,1,0,0", "", "LONG_ROW"),
        ("no code", ",Ｔシャツ,tee-red,1,0,0", "code", "CODE_BLANK"),
        ("blank is not 0", "tee,,tee-red,,0,0", "quantity", "QUANTITY_BLANK"),
        ("a word", "tee,,tee-red,many,0,0", "quantity", "QUANTITY_NOT_A_NUMBER"),
        ("a decimal", "tee,,tee-red,33.0,0,0", "quantity", "QUANTITY_NOT_A_NUMBER"),
        ("full-width digits", "tee,,tee-red,１２,0,0", "quantity", "QUANTITY_NOT_A_NUMBER"),
        ("too much", "tee,,tee-red,1000000000,0,0", "quantity", "QUANTITY_OUT_OF_RANGE"),
        ("a number made short", "4.90123E+12,,,1,0,0", "code", "SPREADSHEET_DAMAGE"),
        ("a code made a date", "tee,,1月2日,1,0,0", "sub-code", "SPREADSHEET_DAMAGE"),
        ("a broken formula", "tee,,#NAME?,1,0,0", "sub-code", "SPREADSHEET_DAMAGE"),
        ("a short number", "tee,,a,1.2E+05,0,0", "quantity", "SPREADSHEET_DAMAGE"),
        ("too long", f"{'x' * 100},,,1,0,0", "code", "CODE_TOO_LONG"),
        ("twice in the file", "mug,マグ,,9,0,0", "", "DUPLICATE_CODE"),
    ],
)
def test_a_row_that_cannot_be_taken_is_named_and_the_others_are(case, row, field, code):
    found = read(MallKind.YAHOO_SHOPPING, YAHOO_HEADER, "mug,マグ,,1,0,0", row, "cup,,,2,0,0")

    assert told(found) == [(3, field, code)], case
    assert [each.quantity for each in found.listings] == [1, 2]
    assert found.errors[0].message_ja
    assert found.errors[0].message_en


@pytest.mark.parametrize(
    ("case", "rows", "expected"),
    [
        ("its item row is gone", ["mug,,,v,,1,,"], [(2, "", "ITEM_ROW_MISSING")]),
        ("no SKU row follows", ["mug,01,マグ,,,,,"], [(2, "", "ITEM_WITHOUT_SKU")]),
        (
            "an item row without its code",
            [",01,マグ,,,,,"],
            [(2, "商品管理番号（商品URL）", "CODE_BLANK")],
        ),
        (
            "blank stock",
            ["mug,01,マグ,,,,,", "mug,,,v,,,,"],
            [(3, "在庫数", "QUANTITY_BLANK")],
        ),
        (
            "a damaged link code",
            ["mug,01,マグ,,,,,", "mug,,,v,4.9E+12,1,,"],
            [(3, "システム連携用SKU番号", "SPREADSHEET_DAMAGE")],
        ),
    ],
)
def test_rakuten_rows_out_of_their_order(case, rows, expected):
    assert told(read(MallKind.RAKUTEN, RAKUTEN_HEADER, *rows)) == expected, case


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("マグ\t0042\t3\t\t\t", [(2, "フルフィルメント・チャンネル", "CHANNEL_UNKNOWN")]),
        ("マグ\t0042\t\t\t7\tDEFAULT", [(2, "数量", "QUANTITY_BLANK")]),
    ],
)
def test_an_amazon_row_that_does_not_say_enough(row, expected):
    assert told(read(MallKind.AMAZON, AMAZON_HEADER, row)) == expected


def test_the_line_of_an_error_counts_the_lines_of_names_that_have_several():
    found = read(MallKind.YAHOO_SHOPPING, YAHOO_HEADER, '1,"two\r\nlines",,1,,', "2,,,x,,")

    assert told(found) == [(4, "quantity", "QUANTITY_NOT_A_NUMBER")]


def test_a_duplicate_names_the_row_that_was_taken():
    files = [
        file_of(YAHOO_HEADER, "mug,,,1,,", name="one.csv"),
        file_of(YAHOO_HEADER, "mug,,,2,,", name="two.csv"),
    ]

    [error] = read_listings(MallKind.YAHOO_SHOPPING, files).errors

    assert (error.file, error.line) == ("two.csv", 2)
    assert error.params == {"ref": "mug", "first_file": "one.csv", "first_line": "2"}


def test_every_row_is_a_listing_an_error_or_counted():
    found = read(
        MallKind.YAHOO_SHOPPING, YAHOO_HEADER, "mug,,,1,,", "", ",,,,,", "cup,,,?,,", "tea,,,2,,"
    )

    assert found.rows == 5
    assert len(found.listings) + len(found.errors) + found.other_rows.total() == found.rows
    assert found.other_rows == {"BLANK": 2}


@pytest.mark.parametrize(
    ("case", "content", "reason"),
    [
        ("nothing in it", b"", "EMPTY"),
        ("a workbook", b"PK\x03\x04\x14\x00\x06\x00", "NOT_TEXT"),
        ("UTF-16", "code,quantity".encode("utf-16"), "NOT_TEXT"),
        ("no encoding fits", b"code,sub-code,quantity\r\n\xff\xfe\xfd,,1\r\n", "ENCODING"),
        ("the wrong file", b"order,total\r\n1,2\r\n", "COLUMNS_MISSING"),
        ("a column twice", b"code,sub-code,quantity,quantity\r\n", "COLUMN_REPEATED"),
        ("an open quote", b'code,sub-code,quantity\r\na,"b,1\r\nc,d,2\r\n', "BROKEN_QUOTES"),
    ],
)
def test_a_file_that_cannot_be_taken_says_so_in_one_sentence(case, content, reason):
    with pytest.raises(FileUnreadable) as refusal:
        read_listings(MallKind.YAHOO_SHOPPING, [("stock.csv", content)])

    assert (refusal.value.code, refusal.value.reason) == ("FILE_UNREADABLE", reason), case
    assert "stock.csv" in refusal.value.message_ja
    assert "stock.csv" in refusal.value.message_en


def test_a_file_of_another_mall_names_the_columns_that_are_missing():
    with pytest.raises(FileUnreadable) as refusal:
        read(MallKind.RAKUTEN, YAHOO_HEADER, "mug,,,1,,")

    assert refusal.value.params["columns"] == "商品管理番号（商品URL）, SKU管理番号, 在庫数"


def test_an_amazon_report_without_channel_is_refused_as_fba_could_not_be_told():
    with pytest.raises(FileUnreadable, match="フルフィルメント・チャンネル"):
        read(MallKind.AMAZON, "出品者SKU\t数量", "0042\t3")


def test_no_files_is_a_refusal():
    with pytest.raises(FileUnreadable) as refusal:
        read_listings(MallKind.AMAZON, [])

    assert refusal.value.reason == "NO_FILE"


def test_what_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(text, "MAX_FILE_BYTES", 10)
    with pytest.raises(FileUnreadable) as refusal:
        read(MallKind.YAHOO_SHOPPING, YAHOO_HEADER)

    assert refusal.value.reason == "TOO_LARGE"


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(listing_file, "MAX_ROWS", 1)
    with pytest.raises(FileUnreadable) as refusal:
        read(MallKind.YAHOO_SHOPPING, YAHOO_HEADER, "a,,,1,,", "b,,,1,,")

    assert refusal.value.reason == "TOO_MANY_ROWS"


RAKUTEN_LISTINGS = [
    MallListing(
        ItemRef("mug", sku),
        name="マグカップ　①（白）",
        keys={
            "itemNumber": "0001",
            "merchantDefinedSkuId": f"00{sku}",
            "manageNumber": "mug",
            "variantId": sku,
        },
        quantity=quantity,
        mall_restocks=True,
        fields={"restockOnCancel": "1", "backOrderFlag": "0"},
    )
    for quantity, sku in enumerate(["a", "b", "c"])
]
YAHOO_LISTINGS = [
    MallListing(
        ItemRef("0007", "0007-red"),
        name='猫の"マグ", 赤',
        keys={"sub-code": "0007-red", "code": "0007"},
        quantity=-3,
        fields={"allow_overdraft": "1", "stock_close": "0"},
    )
]
AMAZON_LISTINGS = [
    MallListing(
        ItemRef("0042"),
        name='大皿 8" 白',
        keys={"seller-sku": "0042", "product-id": "B000"},
        quantity=12,
        mall_restocks=True,
    ),
    MallListing(ItemRef("F-1"), name="皿", keys={"seller-sku": "F-1"}, fulfilled_by_mall=True),
]


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig", "utf-8"])
@pytest.mark.parametrize("rows_per_part", [60_000, 2, 1])
def test_rakuten_round_trip(encoding, rows_per_part):
    files = rakuten.write(RAKUTEN_LISTINGS, encoding, rows_per_part)

    assert len(files) == -(-4 // rows_per_part)
    assert read_listings(MallKind.RAKUTEN, files).listings == RAKUTEN_LISTINGS


@pytest.mark.parametrize("encoding", ["cp932", "euc-jp", "utf-8-sig", "utf-8"])
def test_yahoo_round_trip(encoding):
    files = yahoo.write(YAHOO_LISTINGS, encoding)

    assert read_listings(MallKind.YAHOO_SHOPPING, files).listings == YAHOO_LISTINGS


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig", "utf-8"])
@pytest.mark.parametrize("header", [amazon.JAPANESE_HEADER, amazon.ENGLISH_HEADER])
def test_amazon_round_trip(encoding, header):
    files = amazon.write(AMAZON_LISTINGS, encoding, header)

    assert read_listings(MallKind.AMAZON, files).listings == AMAZON_LISTINGS


def test_a_file_is_read_from_disk_as_from_memory(tmp_path):
    [(name, content)] = write_listings(MallKind.YAHOO_SHOPPING, YAHOO_LISTINGS)
    (tmp_path / name).write_bytes(content)

    found = read_listings(MallKind.YAHOO_SHOPPING, [(name, tmp_path / name)])

    assert found.listings == YAHOO_LISTINGS


@pytest.mark.parametrize(
    ("kind", "listings"),
    [
        (MallKind.RAKUTEN, RAKUTEN_LISTINGS),
        (MallKind.YAHOO_SHOPPING, YAHOO_LISTINGS),
        (MallKind.AMAZON, AMAZON_LISTINGS),
    ],
)
def test_what_we_write_is_marked_as_generated_and_keyed_as_the_mall_is_described(kind, listings):
    files = write_listings(kind, listings)

    assert all(name.startswith("generated-") for name, _ in files)
    keys = {key for each in read_listings(kind, files).listings for key in each.keys}
    assert keys <= set(MALL_SPECS[kind].match_keys)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (yahoo.HEADER, MALL_HEADERS["yahoo.stock.download"]["columns"]),
        (amazon.JAPANESE_HEADER, MALL_HEADERS["amazon.listings.classic.ja"]["columns"]),
        (amazon.ENGLISH_HEADER, MALL_HEADERS["amazon.all-listings.ja"]["english"]),
        (
            rakuten.HEADER,
            MALL_HEADERS["rakuten.normal-item.stock-download"]["columns"] + ["商品名"],
        ),
    ],
)
def test_headers_are_those_seen_at_the_malls(written, seen):
    assert set(written) <= set(seen)


def test_text_that_an_encoding_lacks_is_refused_by_name():
    with pytest.raises(TextUnwritable) as refusal:
        yahoo.write([MallListing(ItemRef("a"), name="絵文字😀")])

    assert refusal.value.params == {"text": "絵文字😀", "character": "😀", "encoding": "cp932"}


HEADERS = {
    MallKind.RAKUTEN: RAKUTEN_HEADER,
    MallKind.YAHOO_SHOPPING: YAHOO_HEADER,
    MallKind.AMAZON: AMAZON_HEADER,
}


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(MallKind), body=st.binary(max_size=200))
def test_whatever_follows_a_good_header_every_row_is_accounted_for_or_the_file_refused(kind, body):
    content = (HEADERS[kind] + "\r\n").encode("cp932") + body
    try:
        found = read_listings(kind, [("any.csv", content)])
    except FileUnreadable:
        return
    orphans = sum(error.code == "ITEM_WITHOUT_SKU" for error in found.errors)
    taken = len(found.listings) + len(found.errors) - orphans
    assert taken + found.other_rows.total() == found.rows


NAMES = st.text(
    st.characters(codec="cp932", exclude_categories=["C", "Z"], exclude_characters="\x80¢£¬‖−〜")
).map("{}の".format)


@settings(max_examples=100, deadline=None)
@given(kind=st.sampled_from(MallKind), name=NAMES)
def test_any_name_that_the_malls_encoding_holds_comes_back(kind, name):
    listing = MallListing(ItemRef("a", "" if kind is MallKind.AMAZON else "b"), name, quantity=1)

    [found] = read_listings(kind, write_listings(kind, [listing])).listings

    assert (found.name, found.quantity) == (name, 1)
