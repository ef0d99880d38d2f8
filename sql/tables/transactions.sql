-- TRANSACTIONS: what was sold, one row an order line. Input of the sales queries.
--
-- Created empty where it is missing; one that is there stays as it is, whatever its columns.
-- Cost: none, it reads nothing. Months are partitions, so that a query between two dates reads only
-- their months.
CREATE TABLE IF NOT EXISTS `${project}.${sales_dataset}.TRANSACTIONS` (
  date DATE NOT NULL OPTIONS (description = 'Day of the order.'),
  order_id INT64 NOT NULL OPTIONS (description = 'Order the line belongs to.'),
  client_id INT64 NOT NULL OPTIONS (description = 'Client who ordered.'),
  prod_id INT64 NOT NULL OPTIONS (description = 'Product, product_id of PRODUCT_NOMENCLATURE.'),
  -- NUMERIC(38, 9) is NUMERIC, spelled so for the emulator, which else keeps three decimals.
  prod_price NUMERIC(38, 9) NOT NULL OPTIONS (description = 'Price of one piece, exact.'),
  prod_qty INT64 NOT NULL OPTIONS (description = 'Pieces ordered.')
)
PARTITION BY DATE_TRUNC(date, MONTH)
CLUSTER BY client_id
OPTIONS (description = 'What was sold, one row an order line.');
