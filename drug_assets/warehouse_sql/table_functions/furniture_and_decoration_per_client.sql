-- furniture_and_decoration_per_client(date_from, date_to): sales per client and kind of product.
--
-- The sales of furniture (MEUBLE) and of decoration (DECO) to each client.
--
-- Parameters: date_from DATE, date_to DATE, both inclusive; NULL means 2019-01-01 and 2019-12-31
-- (table functions have no default arguments).
-- Returns: client_id, ventes_meuble NUMERIC, ventes_deco NUMERIC (sums of price times quantity; 0
-- for the kind that a client did not buy). A client who bought neither has no row, nor has one
-- whose lines are all in rejected_sales.
-- Rows of a table function have no order, so the caller sorts. As a scheduled query:
--   SELECT * FROM `${project}.${dataset}.furniture_and_decoration_per_client`(NULL, NULL)
--   ORDER BY client_id
-- Cost: that of sales_lines: five columns of TRANSACTIONS and two of PRODUCT_NOMENCLATURE, whole.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.furniture_and_decoration_per_client`(
  date_from DATE,
  date_to DATE
)
AS (
  SELECT
    client_id,
    SUM(IF(product_type = 'MEUBLE', amount, 0)) AS ventes_meuble,
    SUM(IF(product_type = 'DECO', amount, 0)) AS ventes_deco
  FROM `${project}.${dataset}.sales_lines`
  WHERE ARRAY_LENGTH(reasons) = 0
    AND product_type IS NOT NULL
    AND date
      BETWEEN COALESCE(date_from, DATE '2019-01-01') AND COALESCE(date_to, DATE '2019-12-31')
  GROUP BY client_id
);
