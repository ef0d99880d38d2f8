-- rejected_sales: the lines of TRANSACTIONS that no sales query counts, with the reasons.
--
-- One row per line, of any date. To count them:
--   SELECT reason, COUNT(*) AS lines
--   FROM `my-project.my_dataset.rejected_sales` CROSS JOIN UNNEST(reasons) AS reason
--   GROUP BY reason;
-- Parameters: none.
-- Cost: the columns of TRANSACTIONS, whole, and two of PRODUCT_NOMENCLATURE.
-- Emulator: it does not store the descriptions.
CREATE OR REPLACE VIEW `${project}.${dataset}.rejected_sales` (
  order_id OPTIONS (description = 'Order the line belongs to, as it stands.'),
  client_id OPTIONS (description = 'Client who ordered, as it stands.'),
  prod_id OPTIONS (description = 'Product, as it stands.'),
  date_text OPTIONS (description = 'The date as it stands.'),
  price_text OPTIONS (description = 'The price as it stands.'),
  quantity_text OPTIONS (description = 'The quantity as it stands.'),
  reasons OPTIONS (
    description = 'Why the line does not count: missing_ or unreadable_ date, price, quantity; too_large_amount.'
  )
)
OPTIONS (
  description = 'The lines of TRANSACTIONS that no sales query counts, with the reasons.'
)
AS
SELECT
  order_id,
  client_id,
  prod_id,
  date_text,
  price_text,
  quantity_text,
  reasons
FROM `${project}.${dataset}.sales_lines`
WHERE ARRAY_LENGTH(reasons) > 0;
