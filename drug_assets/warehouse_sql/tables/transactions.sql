-- TRANSACTIONS: what was sold, one row per order line. Input of the sales queries.
--
-- Created empty if it is missing; an existing table stays as it is, whatever its columns.
-- Cost: none, it reads nothing. The table is partitioned by month, so that a query between two
-- dates reads only their months.
CREATE TABLE IF NOT EXISTS `${project}.${sales_dataset}.TRANSACTIONS` (
  date DATE NOT NULL OPTIONS (description = 'Day of the order.'),
  order_id INT64 NOT NULL OPTIONS (description = 'Order the line belongs to.'),
  client_id INT64 NOT NULL OPTIONS (description = 'Client who ordered.'),
  prod_id INT64 NOT NULL OPTIONS (description = 'Product, product_id of PRODUCT_NOMENCLATURE.'),
  -- NUMERIC(38, 9) is the same as NUMERIC, of which the emulator would keep only three decimals.
  prod_price NUMERIC(38, 9) NOT NULL OPTIONS (description = 'Price of one piece, exact.'),
  prod_qty INT64 NOT NULL OPTIONS (description = 'Pieces ordered.')
)
PARTITION BY DATE_TRUNC(date, MONTH)
CLUSTER BY client_id
OPTIONS (description = 'What was sold, one row per order line.');
