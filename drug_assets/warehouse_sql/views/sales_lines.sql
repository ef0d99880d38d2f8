-- sales_lines: the lines of TRANSACTIONS, as dates and numbers whatever their types, and why one does not count.
--
-- One row per line; the sales queries read this view alone (SPEC 13). A view cannot know the types
-- of somebody's columns, so each value is taken as text first, which every type can become:
--   date        DATE, DATETIME, TIMESTAMP (its day in UTC), or text: dd/mm/yy, dd/mm/yyyy,
--               yyyy-mm-dd, also with a time behind, which is dropped. Of two digits, 00 to 68 are
--               years of this century.
--   prod_price  any number, or text with a decimal point or comma: 1,234 is 1.234. With a second
--   prod_qty    one, text is no number: 1.234,56 could be two. A FLOAT64 becomes the decimal number
--               that BigQuery shows for it.
--   prod_id     the text of both tables is compared, so one may be a number and the other text.
--   product_type  case and blanks around it do not matter.
--
-- An amount from 10^18 on is rejected: NUMERIC ends at 10^29, and a sum that runs over it would end
-- every query. Below it, that would take 10^11 lines.
--
-- Parameters: none.
-- Cost: the selected columns of TRANSACTIONS, whole: a date that could be text selects no
-- partition. Two columns of PRODUCT_NOMENCLATURE.
-- Emulator: it does not store the descriptions.
CREATE OR REPLACE VIEW `${project}.${dataset}.sales_lines` (
  date OPTIONS (description = 'Day of the order; NULL if it is missing or cannot be read.'),
  order_id OPTIONS (description = 'Order the line belongs to, as it stands.'),
  client_id OPTIONS (description = 'Client who ordered, as it stands.'),
  prod_id OPTIONS (description = 'Product, as it stands.'),
  prod_price OPTIONS (description = 'Price of one piece; NULL if it is missing or cannot be read.'),
  prod_qty OPTIONS (description = 'Pieces ordered; NULL if missing or if it cannot be read.'),
  amount OPTIONS (
    description = 'Price times quantity; NULL without one of the two, and if it is too large.'
  ),
  product_type OPTIONS (
    description = 'MEUBLE or DECO; NULL for other kinds, and for products that are not listed.'
  ),
  reasons OPTIONS (
    description = 'Why no query counts the line: missing_ or unreadable_ date, price, quantity; too_large_amount.'
  ),
  date_text OPTIONS (description = 'The date as it stands.'),
  price_text OPTIONS (description = 'The price as it stands.'),
  quantity_text OPTIONS (description = 'The quantity as it stands.')
)
OPTIONS (
  description = 'The lines of TRANSACTIONS as dates and numbers, and why a line does not count.'
)
AS
WITH
  texts AS (
    SELECT
      order_id,
      client_id,
      prod_id,
      NULLIF(TRIM(CAST(date AS STRING)), '') AS date_text,
      NULLIF(TRIM(CAST(prod_price AS STRING)), '') AS price_text,
      NULLIF(TRIM(CAST(prod_qty AS STRING)), '') AS quantity_text
    FROM `${project}.${sales_dataset}.TRANSACTIONS`
  ),
  -- The digits decide between the forms: %Y would take 20 for the year 20.
  lines AS (
    SELECT
      *,
      CASE
        WHEN REGEXP_CONTAINS(date_text, r'^\d{4}-\d{1,2}-\d{1,2}([ T]\d.*)?\z')
          THEN SAFE.PARSE_DATE('%Y-%m-%d', REGEXP_EXTRACT(date_text, r'^[\d-]+'))
        WHEN REGEXP_CONTAINS(date_text, r'^\d{1,2}/\d{1,2}/\d{4}([ T]\d.*)?\z')
          THEN SAFE.PARSE_DATE('%d/%m/%Y', REGEXP_EXTRACT(date_text, r'^[\d/]+'))
        WHEN REGEXP_CONTAINS(date_text, r'^\d{1,2}/\d{1,2}/\d{2}([ T]\d.*)?\z')
          THEN SAFE.PARSE_DATE('%d/%m/%y', REGEXP_EXTRACT(date_text, r'^[\d/]+'))
      END AS date,
      -- PARSE_NUMERIC alone would also take signs behind a number, and blanks within. Of a cast to
      -- NUMERIC, the emulator would keep only three decimals.
      IF(
        REGEXP_CONTAINS(price_text, r'^[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\z'),
        SAFE.PARSE_NUMERIC(REPLACE(price_text, ',', '.')),
        NULL
      ) AS prod_price,
      IF(
        REGEXP_CONTAINS(quantity_text, r'^[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\z'),
        SAFE.PARSE_NUMERIC(REPLACE(quantity_text, ',', '.')),
        NULL
      ) AS prod_qty
    FROM texts
  ),
  multiplied AS (
    SELECT
      *,
      SAFE_MULTIPLY(prod_price, prod_qty) AS product
    FROM lines
  ),
  bounded AS (
    SELECT
      *,
      IF(ABS(product) < 1000000000000000000, product, NULL) AS amount
    FROM multiplied
  ),
  products AS (
    -- One row per product; otherwise a sale would count once for each row of its product. A product
    -- that is listed as both kinds always counts as decoration.
    SELECT TRIM(CAST(product_id AS STRING)) AS id_text, MIN(UPPER(TRIM(product_type))) AS product_type
    FROM `${project}.${sales_dataset}.PRODUCT_NOMENCLATURE`
    WHERE UPPER(TRIM(product_type)) IN ('MEUBLE', 'DECO')
    GROUP BY id_text
  )
SELECT
  lines.date,
  lines.order_id,
  lines.client_id,
  lines.prod_id,
  lines.prod_price,
  lines.prod_qty,
  lines.amount,
  products.product_type,
  ARRAY(
    SELECT reason
    FROM
      UNNEST(
        [
          IF(lines.date_text IS NULL, 'missing_date', IF(lines.date IS NULL, 'unreadable_date', '')),
          IF(
            lines.price_text IS NULL,
            'missing_price',
            IF(lines.prod_price IS NULL, 'unreadable_price', '')
          ),
          IF(
            lines.quantity_text IS NULL,
            'missing_quantity',
            IF(lines.prod_qty IS NULL, 'unreadable_quantity', '')
          ),
          IF(
            lines.prod_price IS NOT NULL AND lines.prod_qty IS NOT NULL AND lines.amount IS NULL,
            'too_large_amount',
            ''
          )
        ]
      ) AS reason
    WHERE reason != ''
  ) AS reasons,
  lines.date_text,
  lines.price_text,
  lines.quantity_text
FROM bounded AS lines
LEFT JOIN products ON products.id_text = TRIM(CAST(lines.prod_id AS STRING));
