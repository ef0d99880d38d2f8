"""Sales tables with columns of other types, and lines that cannot be read: the view sales_lines."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.warehouse_sql.deploy import fill_statements
from drug_assets_tests.support.services import DEPLOY

if TYPE_CHECKING:
    from drug_assets_tests.support.dataset import Dataset

#: A date in 2019, as a column of each type has it.
DATES = {
    "DATE": "DATE '2019-12-31'",
    "DATETIME": "DATETIME '2019-12-31 23:59:59.123'",
    "TIMESTAMP": "TIMESTAMP '2019-12-31 23:59:59+00'",
    "STRING": "'31/12/19'",
}
NUMBERS = {
    "NUMERIC(38, 9)": "NUMERIC '3.56'",
    "BIGNUMERIC": "BIGNUMERIC '3.56'",
    "FLOAT64": "3.56",
    "STRING": "'3,56'",
}
TEXTS = {
    "01/02/19": dt.date(2019, 2, 1),
    "1/2/19": dt.date(2019, 2, 1),
    " 01/02/2019 ": dt.date(2019, 2, 1),
    "01/02/69": dt.date(1969, 2, 1),
    "2019-02-01": dt.date(2019, 2, 1),
    "2019-02-01T10:00:00Z": dt.date(2019, 2, 1),
    "01/02/19 10:00": dt.date(2019, 2, 1),
}
NO_DATES = ("29/02/19", "02/13/19", "01/02/019", "2019", "2019-02-30", "yesterday")
#: Text that could be one number or another, or is a number with more.
AMBIGUOUS = ("1.234,56", "1,234.56", "1,234,567", "1.234.567", "1 234", "5-", "- 5", "+")
#: What reads the sales tables, in order.
STATEMENTS = (
    *("tables/product_nomenclature", "tables/transactions", "views/sales_lines"),
    *("table_functions/furniture_and_decoration_per_client", "table_functions/revenue_per_day"),
    "function_views/rejected_sales",
)


class Shop:
    """Sales tables of any types, and what is said of them."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.statements = fill_statements(dataset.project, dataset.name)

    def fill(self, *lines: str, products: str = "(1, 'MEUBLE'), (2, 'DECO')", **types: str) -> None:
        """Make TRANSACTIONS with these lines, and PRODUCT_NOMENCLATURE with these products.

        Args:
            lines: each the values of `date, client_id, prod_id, prod_price, prod_qty`.
            products: values of `product_id, product_type`.
            types: of the columns; see the code for the defaults.
        """
        types = {
            "date": "STRING",
            "client_id": "INT64",
            "prod_id": "INT64",
            "prod_price": "STRING",
            "prod_qty": "STRING",
            "product_id": "INT64",
        } | types
        names = ("date", "client_id", "prod_id", "prod_price", "prod_qty")
        columns = ", ".join(f"{name} {types[name]}" for name in names)
        for name in ("TRANSACTIONS", "PRODUCT_NOMENCLATURE"):
            self.dataset.rows(f"DROP TABLE IF EXISTS {{{name}}}")
        self.dataset.rows(f"CREATE TABLE {{TRANSACTIONS}} (order_id INT64, {columns})")
        self.dataset.rows(
            f"CREATE TABLE {{PRODUCT_NOMENCLATURE}} "
            f"(product_id {types['product_id']}, product_type STRING)"
        )
        values = ", ".join(f"({order}, {line})" for order, line in enumerate(lines))
        self.dataset.rows(f"INSERT INTO {{TRANSACTIONS}} VALUES {values}")  # noqa: S608
        self.dataset.rows(f"INSERT INTO {{PRODUCT_NOMENCLATURE}} VALUES {products}")  # noqa: S608
        for name in STATEMENTS:
            self.dataset.client.query(self.statements[f"{name}.sql"]).result(timeout=600)

    def days(self) -> dict[dt.date, Decimal]:
        rows = self.dataset.rows("SELECT * FROM {revenue_per_day}(NULL, NULL)")
        return {row["date"]: row["ventes"] for row in rows}

    def clients(self) -> dict[Any, tuple[Decimal, Decimal]]:
        rows = self.dataset.rows("SELECT * FROM {furniture_and_decoration_per_client}(NULL, NULL)")
        return {row["client_id"]: (row["ventes_meuble"], row["ventes_deco"]) for row in rows}

    def rejected(self) -> dict[int, list[str]]:
        rows = self.dataset.rows("SELECT * FROM {rejected_sales}")
        return {row["order_id"]: list(row["reasons"]) for row in rows}

    def dates(self) -> list[dt.date | None]:
        rows = self.dataset.rows("SELECT date FROM {sales_lines} ORDER BY order_id")
        return [row["date"] for row in rows]


@pytest.fixture(scope="module")
def shop(dataset: Dataset) -> Shop:
    return Shop(dataset)


@pytest.mark.parametrize("kind", DATES)
def test_a_date_of_any_type_is_its_day(shop: Shop, kind: str) -> None:
    shop.fill(f"{DATES[kind]}, 7, 1, '2', '3'", date=kind)
    assert shop.days() == {dt.date(2019, 12, 31): Decimal(6)}
    assert shop.clients() == {7: (Decimal(6), Decimal(0))}
    assert shop.rejected() == {}


def test_the_day_of_a_moment_is_that_in_utc(shop: Shop) -> None:
    shop.fill("TIMESTAMP '2019-06-01 01:30:00+02', 7, 1, '2', '3'", date="TIMESTAMP")
    assert shop.dates() == [dt.date(2019, 5, 31)]


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_price_of_any_type_is_exact(shop: Shop, kind: str) -> None:
    shop.fill(f"'01/02/19', 7, 2, {NUMBERS[kind]}, '3'", prod_price=kind)
    assert shop.days() == {dt.date(2019, 2, 1): Decimal("10.68")}
    assert shop.clients() == {7: (Decimal(0), Decimal("10.68"))}


@pytest.mark.parametrize(("kind", "value"), [("INT64", "2"), ("FLOAT64", "0.5"), ("STRING", "'2'")])
def test_a_quantity_of_any_type_is_exact(shop: Shop, kind: str, value: str) -> None:
    shop.fill(f"'01/02/19', 7, 2, '0,2', {value}", prod_qty=kind)
    expected = Decimal("0.2") * Decimal(value.strip("'"))
    assert shop.days() == {dt.date(2019, 2, 1): expected}


def test_text_is_a_date_in_the_forms_that_are_said(shop: Shop) -> None:
    shop.fill(*(f"'{text}', 7, 1, '2', '3'" for text in (*TEXTS, *NO_DATES, "")))
    assert shop.dates() == [*TEXTS.values(), *(None for _ in NO_DATES), None]
    first = len(TEXTS)
    rejected = {first + place: ["unreadable_date"] for place in range(len(NO_DATES))}
    assert shop.rejected() == rejected | {first + len(NO_DATES): ["missing_date"]}


def test_a_price_that_cannot_be_read_is_rejected_not_guessed(shop: Shop) -> None:
    prices = ("3,5 €", "1.234,56", "1,234.56", "free", "NaN", "1e999")
    shop.fill("'01/02/19', 7, 1, '4', '1'", *(f"'01/02/19', 7, 1, '{p}', '3'" for p in prices))
    assert shop.days() == {dt.date(2019, 2, 1): Decimal(4)}
    assert shop.rejected() == {1 + place: ["unreadable_price"] for place in range(len(prices))}


def test_one_comma_is_a_decimal_comma_and_two_separators_are_no_number(shop: Shop) -> None:
    shop.fill(
        "'01/02/19', 7, 1, '1,234', '1'",
        "'02/02/19', 7, 1, '1.234', '1'",
        "'03/02/19', 7, 1, ',5', '+2,'",
        *(f"'04/02/19', 7, 1, '{text}', '1'" for text in AMBIGUOUS),
        *(f"'04/02/19', 7, 1, '1', '{text}'" for text in AMBIGUOUS),
    )
    days = {1: Decimal("1.234"), 2: Decimal("1.234"), 3: Decimal(1)}
    assert shop.days() == {dt.date(2019, 2, day): sum_ for day, sum_ in days.items()}
    first, half = 3, len(AMBIGUOUS)
    assert shop.rejected() == {
        first + place: ["unreadable_price" if place < half else "unreadable_quantity"]
        for place in range(2 * half)
    }


def test_amounts_whose_sum_could_overflow_are_rejected_and_the_others_are_summed(
    shop: Shop,
) -> None:
    large = ("9e28", "9e28"), ("9e28", "1"), ("-9e28", "1"), ("1e18", "1"), ("-1e9", "1e9")
    largest = Decimal(10) ** 18 - 1
    shop.fill(
        "'01/02/19', 7, 1, '2', '3'",
        f"'02/02/19', 7, 2, '{largest}', '1'",
        *(f"'01/02/19', 7, 1, '{price}', '{pieces}'" for price, pieces in large),
    )
    assert shop.days() == {dt.date(2019, 2, 1): Decimal(6), dt.date(2019, 2, 2): largest}
    assert shop.clients() == {7: (Decimal(6), largest)}
    assert shop.rejected() == {2 + place: ["too_large_amount"] for place in range(len(large))}


@pytest.mark.parametrize(
    ("today", "days"),
    [
        # Of the old year nothing, of the new one that single day, if anything was sold by then.
        ("2020-01-01", ["2020-01-01"]),
        ("2020-01-02", ["2020-01-01", "2020-01-02"]),
        ("2019-12-31", ["2019-12-31"]),
        ("2021-01-01", []),
    ],
)
def test_the_scheduled_sales_of_a_day_are_those_of_its_year_so_far(
    shop: Shop, today: str, days: list[str]
) -> None:
    declared = (DEPLOY / "terraform" / "main.tf").read_text("utf-8")
    first, last = re.findall(r"var\.warehouse\.sales_(?:from|to) == null \? (.+?) :", declared)
    period = ", ".join(
        text.strip('"')
        .replace("${local.today}", "local.today")
        .replace("local.today", f"DATE '{today}'")
        for text in (first, last)
    )
    shop.fill(*(f"'{day}', 7, 1, '2', '3'" for day in ("2019-12-31", "2020-01-01", "2020-01-02")))
    query = f"SELECT * FROM {{revenue_per_day}}({period}) ORDER BY date"  # noqa: S608
    rows = shop.dataset.rows(query)
    assert [row["date"].isoformat() for row in rows] == days


def test_a_float_that_is_no_number_is_rejected(shop: Shop) -> None:
    shop.fill("'01/02/19', 7, 1, CAST('nan' AS FLOAT64), '3'", prod_price="FLOAT64")
    assert shop.rejected() == {0: ["unreadable_price"]}


def test_each_line_that_does_not_count_says_all_that_is_wrong_with_it(shop: Shop) -> None:
    shop.fill(
        "NULL, 7, 1, '2', 'many'",
        "'soon', 7, 1, '', '3'",
        "'01/02/19', 7, 1, '2', NULL",
        "'01/02/19', 7, 1, '2', '3'",
    )
    assert shop.rejected() == {
        0: ["missing_date", "unreadable_quantity"],
        1: ["unreadable_date", "missing_price"],
        2: ["missing_quantity"],
    }
    (row,) = shop.dataset.rows("SELECT * FROM {rejected_sales} WHERE order_id = 1")
    assert (row["date_text"], row["price_text"], row["quantity_text"]) == ("soon", None, "3")


def test_a_day_or_client_without_a_line_that_counts_has_no_row(shop: Shop) -> None:
    shop.fill(
        "DATE '2019-02-01', 7, 1, 2.0, NULL",
        "DATE '2019-02-01', 8, 1, 2.0, NULL",
        "DATE '2019-02-02', 8, 1, 2.0, NULL",
        "DATE '2019-02-02', 8, 2, 5.0, 1",
        date="DATE",
        prod_price="FLOAT64",
        prod_qty="INT64",
    )
    assert shop.days() == {dt.date(2019, 2, 2): Decimal(5)}
    assert shop.clients() == {8: (Decimal(0), Decimal(5))}
    assert shop.rejected() == {order: ["missing_quantity"] for order in range(3)}


def test_kinds_of_products_are_read_without_case_and_blanks(shop: Shop) -> None:
    shop.fill(
        "'01/02/19', 7, 1, '1', '1'",
        "'01/02/19', 7, 2, '10', '1'",
        "'01/02/19', 7, 3, '100', '1'",
        products="(1, 'Meuble'), (1, ' MEUBLE '), (2, ' deco'), (3, 'MEUBLES')",
    )
    assert shop.clients() == {7: (Decimal(1), Decimal(10))}


def test_ids_may_be_text_in_one_table_and_numbers_in_the_other(shop: Shop) -> None:
    shop.fill("'01/02/19', 'ann', '1', '1', '1'", client_id="STRING", prod_id="STRING")
    assert shop.clients() == {"ann": (Decimal(1), Decimal(0))}
