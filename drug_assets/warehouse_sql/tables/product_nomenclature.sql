-- PRODUCT_NOMENCLATURE: what kind of thing a product is. Input of the sales queries.
--
-- Created empty if it is missing; an existing table stays as it is, whatever its columns.
-- Cost: none, it reads nothing.
CREATE TABLE IF NOT EXISTS `${project}.${sales_dataset}.PRODUCT_NOMENCLATURE` (
  product_id INT64 NOT NULL OPTIONS (description = 'Product, prod_id of TRANSACTIONS.'),
  product_type STRING OPTIONS (description = 'Kind of product, such as MEUBLE or DECO.'),
  product_name STRING OPTIONS (description = 'Name of the product.')
)
CLUSTER BY product_id
OPTIONS (description = 'What kind of thing a product is.');
