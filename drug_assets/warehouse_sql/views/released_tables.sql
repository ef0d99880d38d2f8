-- released_tables: the release that the tables are of now, one row per table.
--
-- A release becomes current for all tables at once, so one query that reads this view and tables
-- sees rows of the release that it names. To write the release beside rows:
--   SELECT mentions.*, released.release_id
--   FROM `my-project.my_dataset.mentions` AS mentions
--   CROSS JOIN (SELECT DISTINCT release_id FROM `my-project.my_dataset.released_tables`) AS released;
-- Parameters: none.
-- Cost: the table releases: a few kilobytes for each release so far.
-- Emulator: it does not store the descriptions.
CREATE OR REPLACE VIEW `${project}.${dataset}.released_tables` (
  table_name OPTIONS (description = 'Name of the table.'),
  release_id OPTIONS (description = 'The release that its rows are of; the same in all rows.'),
  released_at OPTIONS (description = 'When the transaction began that made it current, seconds later.'),
  row_count OPTIONS (description = 'Number of rows of the table.'),
  sha256 OPTIONS (description = 'SHA-256 of its Parquet file in the store.')
)
OPTIONS (
  description = 'The release that the tables are of now, one row per table.'
)
AS
SELECT
  listed.name AS table_name,
  releases.release_id,
  releases.released_at,
  listed.row_count,
  listed.sha256
FROM `${project}.${dataset}.releases` AS releases
CROSS JOIN UNNEST(releases.tables) AS listed
WHERE releases.replaced_at IS NULL;
