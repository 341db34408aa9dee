"""What is said about a file or a row that cannot be taken: Japanese and English, with what to do next.

Sentences take their values by name; code and values travel with them, so that a client may write its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Sentence:
    ja: str
    en: str

    def filled(self, params: Mapping[str, object]) -> "Sentence":
        return Sentence(self.ja.format_map(params), self.en.format_map(params))


FILE_REASONS: Mapping[str, Sentence] = MappingProxyType(
    {
        "EMPTY": Sentence(
            "「{file}」は空のファイルです。モールからもう一度ダウンロードしてください。",
            "{file} is empty. Download it from the mall again.",
        ),
        "NO_FILE": Sentence(
            "ファイルがありません。1つ以上選んでください。",
            "There is no file. Choose at least one.",
        ),
        "TOO_LARGE": Sentence(
            "「{file}」は大きすぎます（上限 {limit} バイト）。項目を絞るか、分割してダウンロードしてください。",
            "{file} is larger than {limit} bytes. Download fewer columns, or in parts.",
        ),
        "TOO_MANY_ROWS": Sentence(
            "「{file}」までで {limit} 行を超えました。何回かに分けて取り込んでください。",
            "With {file} there are more than {limit} rows. Import them in several turns.",
        ),
        "NOT_TEXT": Sentence(
            "「{file}」はCSV・テキストファイルではありません。モールからダウンロードしたままのファイルを選ぶか、"
            "表計算ソフトではCSV形式で保存してください。",
            "{file} is not a CSV or text file. Choose the file as the mall gave it, or save it as CSV.",
        ),
        "ENCODING": Sentence(
            "「{file}」の文字コードを判別できません。使える文字コード: {encodings}。",
            "The encoding of {file} cannot be told. It should be one of {encodings}.",
        ),
        "LINE_TOO_LONG": Sentence(
            "「{file}」に長すぎる行があります（上限 {limit} 文字）。ダウンロードし直してください。",
            "{file} has a line of more than {limit} characters. Download it again.",
        ),
        "BROKEN_QUOTES": Sentence(
            '「{file}」の {line} 行目付近で引用符（"）が閉じていないか、崩れています。'
            "ダウンロードし直してください。",
            'Near line {line} of {file} a quotation mark (") is not closed or misplaced. Download it again.',
        ),
        "COLUMNS_MISSING": Sentence(
            "「{file}」に必要な列がありません: {columns}。モールと種類の合うファイルか、"
            "ダウンロード時にその項目を選んだか確かめてください。",
            "{file} lacks the columns {columns}. Check that it is the right file of the right mall, and "
            "that these columns were chosen for the download.",
        ),
        "COLUMN_REPEATED": Sentence(
            "「{file}」に列「{columns}」が2つ以上あります。1つにしてください。",
            "{file} has the column {columns} more than once. Leave only one.",
        ),
        "PART_MISSING": Sentence(
            "分割ファイル「{stem}」の {parts} 番がありません。すべての分割ファイルを選んでください。",
            "Part {parts} of {stem} is missing. Choose all parts of the download.",
        ),
    }
)

ROW_REASONS: Mapping[str, Sentence] = MappingProxyType(
    {
        "SHORT_ROW": Sentence(
            "列が足りません（{cells} 列、見出しは {expected} 列）。行が途中で切れていないか確かめてください。",
            "The row has {cells} cells where the header has {expected}. See whether it was cut off.",
        ),
        "LONG_ROW": Sentence(
            "列が多すぎます（{cells} 列、見出しは {expected} 列）。区切り文字が値に混ざっていないか確かめてください。",
            "The row has {cells} cells where the header has {expected}. See whether a value holds a separator.",
        ),
        "CODE_BLANK": Sentence(
            "「{column}」が空です。コードを入れてください。",
            "{column} is blank. Give the code.",
        ),
        "CODE_TOO_LONG": Sentence(
            "「{column}」の「{value}」が長すぎます（上限 {limit} 文字）。",
            "{value} in {column} is longer than {limit} characters.",
        ),
        "SPREADSHEET_DAMAGE": Sentence(
            "「{column}」の「{value}」は表計算ソフトで変わってしまった値のようです。"
            "開いて保存する前のファイルを使ってください。",
            "{value} in {column} looks changed by a spreadsheet. Use the file as it was before it was opened "
            "and saved.",
        ),
        "QUANTITY_BLANK": Sentence(
            "「{column}」が空です。空欄は 0 とみなしません。在庫がないときは 0 と入れてください。",
            "{column} is blank, which is not 0. Write 0 where there is no stock.",
        ),
        "QUANTITY_NOT_A_NUMBER": Sentence(
            "「{column}」の「{value}」は整数ではありません。半角数字だけで入れてください。",
            "{value} in {column} is no whole number. Use plain digits only.",
        ),
        "QUANTITY_OUT_OF_RANGE": Sentence(
            "「{column}」の {value} は {least} から {most} の範囲にありません。",
            "{value} in {column} is not between {least} and {most}.",
        ),
        "DUPLICATE_CODE": Sentence(
            "「{ref}」は「{first_file}」の {first_line} 行目にもあります。先の行を使い、この行は取り込みません。",
            "{ref} stands already in line {first_line} of {first_file}. That row was taken, this one was not.",
        ),
        "CHANNEL_UNKNOWN": Sentence(
            "「{column}」の値「{value}」では、自社出荷（DEFAULT）か FBA（AMAZON_JP）か分かりません。DEFAULT か AMAZON_JP にしてください。",
            '"{value}" in {column} does not tell who ships. It should be DEFAULT or AMAZON_JP.',
        ),
        "ITEM_ROW_MISSING": Sentence(
            "商品「{item}」の商品行（SKU管理番号が空の行）が上にないか、取り込めませんでした。"
            "並べ替えや行の削除をしていないファイルを使ってください。",
            "The item row of {item} (its SKU管理番号 is blank) is not above this row, or was refused. Use a file "
            "that was not sorted or cut.",
        ),
        "ITEM_WITHOUT_SKU": Sentence(
            "商品「{item}」にSKU行がありません。ファイルが途中で切れていないか確かめてください。",
            "No SKU row follows the item row of {item}. See whether the file was cut off.",
        ),
    }
)

UNWRITABLE = Sentence(
    "「{text}」の文字「{character}」は {encoding} で書けません。UTF-8で書き出すか、文字を変えてください。",
    "{character} in {text} cannot be written in {encoding}. Write the file as UTF-8 or change the text.",
)
