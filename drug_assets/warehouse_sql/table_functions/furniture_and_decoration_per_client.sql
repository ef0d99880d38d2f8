-- furniture_and_decoration_per_client(date_from, date_to): sales per client and kind of product.
--
-- The sales of furniture (MEUBLE) and of decoration (DECO) to each client.
--
-- Parameters: date_from DATE, date_to DATE, both inclusive; NULL means 2019-01-01 and 2019-12-31
-- (table functions have no default arguments).
-- Returns: client_id, ventes_meuble NUMERIC, ventes_deco NUMERIC (sums of price times quantity; 0
-- for the kind that a client did not buy). A client who bought neither has no row.
-- Rows of a table function have no order, so the caller sorts. As a scheduled query:
--   SELECT * FROM `${project}.${dataset}.furniture_and_decoration_per_client`(NULL, NULL)
--   ORDER BY client_id
-- Cost: five columns of TRANSACTIONS, of the months between the two dates, and two columns of
-- PRODUCT_NOMENCLATURE, whole.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.furniture_and_decoration_per_client`(
  date_from DATE,
  date_to DATE
)
AS (
  WITH products AS (
    -- One row per product; otherwise a sale would count once for each row of its product. A product
    -- that is listed as both kinds always counts as decoration.
    SELECT product_id, MIN(product_type) AS product_type
    FROM `${project}.${sales_dataset}.PRODUCT_NOMENCLATURE`
    WHERE product_type IN ('MEUBLE', 'DECO')
    GROUP BY product_id
  )
  SELECT
    sales.client_id,
    SUM(IF(product_type = 'MEUBLE', sales.prod_price * sales.prod_qty, 0)) AS ventes_meuble,
    SUM(IF(product_type = 'DECO', sales.prod_price * sales.prod_qty, 0)) AS ventes_deco
  FROM `${project}.${sales_dataset}.TRANSACTIONS` AS sales
  INNER JOIN products ON products.product_id = sales.prod_id
  WHERE sales.date
    BETWEEN COALESCE(date_from, DATE '2019-01-01') AND COALESCE(date_to, DATE '2019-12-31')
  GROUP BY sales.client_id
);
