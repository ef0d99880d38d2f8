"""The two sales queries: every sale once, money exact, both dates included."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from drug_assets_tests.support.dataset import Dataset

CHAIR, TABLE, VASE, SOAP, UNLISTED = 1, 2, 3, 4, 99
PRODUCTS = [(CHAIR, "MEUBLE"), (TABLE, "MEUBLE"), (VASE, "DECO"), (SOAP, "HYGIENE")]
ANN, BOB = 10, 20


def sold(
    day: str, client: int, product: int, price: str, quantity: int = 1
) -> tuple[str, int, int, str, int]:
    return (day, client, product, price, quantity)


class Sales:
    """The two input tables, filled, and the two questions."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        dataset.deploy()

    def fill(
        self,
        *transactions: tuple[str, int, int, str, int],
        products: list[tuple[int, str]] = PRODUCTS,
    ) -> None:
        lines = ", ".join(
            f"(DATE '{day}', {order}, {client}, {product}, NUMERIC '{price}', {quantity})"
            for order, (day, client, product, price, quantity) in enumerate(transactions)
        )
        nomenclature = ", ".join(f"({product}, '{kind}', 'x')" for product, kind in products)
        self.dataset.rows("DELETE FROM {TRANSACTIONS} WHERE TRUE")
        self.dataset.rows("DELETE FROM {PRODUCT_NOMENCLATURE} WHERE TRUE")
        self.dataset.rows(f"INSERT INTO {{TRANSACTIONS}} VALUES {lines}")  # noqa: S608
        self.dataset.rows(f"INSERT INTO {{PRODUCT_NOMENCLATURE}} VALUES {nomenclature}")  # noqa: S608

    def revenue(self, first: str | None = None, last: str | None = None) -> dict[str, Decimal]:
        rows = self._rows(
            "SELECT * FROM {revenue_per_day}(@date_1, @date_2) ORDER BY date", first, last
        )
        assert len({row["date"] for row in rows}) == len(rows)
        return {row["date"].isoformat(): row["ventes"] for row in rows}

    def per_client(
        self, first: str | None = None, last: str | None = None
    ) -> dict[int, tuple[Decimal, Decimal]]:
        function = "{furniture_and_decoration_per_client}"
        query = f"SELECT * FROM {function}(@date_1, @date_2) ORDER BY client_id"  # noqa: S608
        rows = self._rows(query, first, last)
        assert len({row["client_id"] for row in rows}) == len(rows)
        return {row["client_id"]: (row["ventes_meuble"], row["ventes_deco"]) for row in rows}

    def _rows(self, query: str, *dates: str | None) -> list[dict[str, Any]]:
        first, last = (day and dt.date.fromisoformat(day) for day in dates)
        return self.dataset.rows(query, date_1=first, date_2=last)


@pytest.fixture(scope="module")
def sales(dataset: Dataset) -> Sales:
    return Sales(dataset)


def money(amount: str) -> Decimal:
    return Decimal(amount)


def test_revenue_is_price_times_quantity_summed_by_day_in_order(sales: Sales) -> None:
    sales.fill(
        sold("2019-03-02", ANN, CHAIR, "50", 2),
        sold("2019-03-01", ANN, VASE, "10", 3),
        sold("2019-03-02", BOB, SOAP, "1.5", 4),
    )
    assert list(sales.revenue().items()) == [
        ("2019-03-01", money("30")),
        ("2019-03-02", money("106")),
    ]


def test_equal_order_lines_are_all_counted(sales: Sales) -> None:
    line = sold("2019-03-01", ANN, CHAIR, "7")
    sales.fill(line, line)
    assert sales.revenue() == {"2019-03-01": money("14")}
    assert sales.per_client() == {ANN: (money("14"), money("0"))}


def test_money_is_exact(sales: Sales) -> None:
    """As binary floats, 0.1 + 0.2 is not 0.3 and a cent beside 10^16 is lost."""
    sales.fill(
        sold("2019-03-01", ANN, CHAIR, "0.1"),
        sold("2019-03-01", ANN, CHAIR, "0.2"),
        sold("2019-03-02", ANN, VASE, "10000000000000000.01"),
        sold("2019-03-03", BOB, VASE, "1.000000001", 1000),
    )
    assert sales.revenue() == {
        "2019-03-01": money("0.3"),
        "2019-03-02": money("10000000000000000.01"),
        "2019-03-03": money("1000.000001"),
    }
    assert sales.per_client() == {
        ANN: (money("0.3"), money("10000000000000000.01")),
        BOB: (money("0"), money("1000.000001")),
    }


def test_both_dates_are_included_and_nothing_beyond(sales: Sales) -> None:
    days = ["2019-05-09", "2019-05-10", "2019-05-20", "2019-05-21"]
    sales.fill(*(sold(day, client, CHAIR, "1") for client, day in enumerate(days)))
    assert list(sales.revenue("2019-05-10", "2019-05-20")) == ["2019-05-10", "2019-05-20"]
    assert list(sales.per_client("2019-05-10", "2019-05-20")) == [1, 2]
    assert list(sales.revenue("2019-05-20", "2019-05-20")) == ["2019-05-20"]
    assert list(sales.per_client("2019-05-20", "2019-05-20")) == [2]


def test_the_dates_default_to_the_year_2019_each_by_itself(sales: Sales) -> None:
    days = ["2018-12-31", "2019-01-01", "2019-12-31", "2020-01-01"]
    sales.fill(*(sold(day, client, CHAIR, "1") for client, day in enumerate(days)))
    assert list(sales.revenue()) == ["2019-01-01", "2019-12-31"]
    assert list(sales.revenue(first="2018-12-31")) == days[:3]
    assert list(sales.revenue(last="2020-01-01")) == days[1:]
    assert list(sales.per_client()) == [1, 2]
    assert list(sales.per_client(first="2018-12-31")) == [0, 1, 2]
    assert list(sales.per_client(last="2020-01-01")) == [1, 2, 3]


def test_null_literals_are_the_defaults_too(sales: Sales) -> None:
    """As a scheduled query spells them, without parameters."""
    sales.fill(sold("2019-01-01", ANN, VASE, "2"), sold("2020-01-01", ANN, VASE, "2"))
    (row,) = sales.dataset.rows("SELECT * FROM {revenue_per_day}(NULL, NULL)")
    assert row == {"date": dt.date(2019, 1, 1), "ventes": money("2")}


def test_a_client_of_one_kind_has_zero_of_the_other(sales: Sales) -> None:
    sales.fill(
        sold("2019-03-01", ANN, CHAIR, "10"),
        sold("2019-03-02", ANN, TABLE, "20", 2),
        sold("2019-03-01", BOB, VASE, "5"),
    )
    assert sales.per_client() == {ANN: (money("50"), money("0")), BOB: (money("0"), money("5"))}


def test_other_kinds_and_unlisted_products_count_as_revenue_only(sales: Sales) -> None:
    sales.fill(
        sold("2019-03-01", ANN, SOAP, "3"),
        sold("2019-03-01", ANN, UNLISTED, "4"),
        sold("2019-03-01", BOB, UNLISTED, "5"),
        sold("2019-03-01", BOB, VASE, "6"),
    )
    assert sales.revenue() == {"2019-03-01": money("18")}
    assert sales.per_client() == {BOB: (money("0"), money("6"))}


def test_a_product_that_is_listed_twice_is_sold_once(sales: Sales) -> None:
    sales.fill(
        sold("2019-03-01", ANN, CHAIR, "10"),
        sold("2019-03-01", ANN, VASE, "3"),
        products=[(CHAIR, "MEUBLE"), (CHAIR, "MEUBLE"), (VASE, "DECO"), (VASE, "AUTRE")],
    )
    assert sales.per_client() == {ANN: (money("10"), money("3"))}


def test_a_product_that_is_listed_as_both_kinds_is_sold_once(sales: Sales) -> None:
    sales.fill(sold("2019-03-01", ANN, CHAIR, "10"), products=[(CHAIR, "MEUBLE"), (CHAIR, "DECO")])
    assert sales.per_client() == {ANN: (money("0"), money("10"))}


def test_dates_in_the_wrong_order_give_no_rows(sales: Sales) -> None:
    sales.fill(sold("2019-03-01", ANN, CHAIR, "10"))
    assert sales.revenue("2019-03-02", "2019-03-01") == {}
    assert sales.per_client("2019-03-02", "2019-03-01") == {}


def test_deploying_again_keeps_the_sales(sales: Sales) -> None:
    sales.fill(sold("2019-03-01", ANN, CHAIR, "10"))
    sales.dataset.deploy()
    assert sales.revenue() == {"2019-03-01": money("10")}
