-- revenue_per_day(date_from, date_to): what was sold each day, in money.
--
-- Parameters: date_from DATE, date_to DATE, both inclusive; NULL means 2019-01-01 and 2019-12-31
-- (table functions have no default arguments).
-- Returns: date DATE, ventes NUMERIC (sum of price times quantity). A day without sales has no row,
-- nor has one whose lines all lack a quantity or price: those are in rejected_sales.
-- Rows of a table function have no order, so the caller sorts. As a scheduled query:
--   SELECT * FROM `${project}.${dataset}.revenue_per_day`(NULL, NULL) ORDER BY date
-- Cost: that of sales_lines: three columns of TRANSACTIONS, whole. A sale counts whether or not
-- its product is listed in PRODUCT_NOMENCLATURE.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.revenue_per_day`(
  date_from DATE,
  date_to DATE
)
RETURNS TABLE<date DATE, ventes NUMERIC>
AS (
  SELECT
    date,
    SUM(amount) AS ventes
  FROM `${project}.${dataset}.sales_lines`
  WHERE ARRAY_LENGTH(reasons) = 0
    AND date
      BETWEEN COALESCE(date_from, DATE '2019-01-01') AND COALESCE(date_to, DATE '2019-12-31')
  GROUP BY date
);
