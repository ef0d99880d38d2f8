-- top_journals_of_class: the journals that mention the most different drugs of an ATC class.
--
-- Over all sources; with all journals that tie. top_journals does the same for all drugs (SPEC 6).
--
-- Parameters:
--   atc_class STRING, the code of a class of any level, such as C10, in any case. A class that no
--     drug is of is an error, not an empty answer; one whose drugs nobody mentions has an empty
--     answer.
--   exclude_retracted BOOL and with_trial_results BOOL, as of top_journals; NULL means FALSE.
-- Returns: as top_journals; mentions are those of drugs of the class.
-- Rows of a table function have no order, so the caller sorts:
--   SELECT * FROM `${project}.${dataset}.top_journals_of_class`('C10', FALSE, FALSE)
--   ORDER BY journal
-- Cost: that of top_journals, and two columns of drugs.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.top_journals_of_class`(
  atc_class STRING,
  exclude_retracted BOOL,
  with_trial_results BOOL
)
RETURNS TABLE<
  journal_id STRING,
  journal STRING,
  drug_count INT64,
  drugs ARRAY<STRING>,
  mentions INT64,
  retracted_mentions INT64,
  unknown_mentions INT64,
  via_trials ARRAY<STRING>
>
AS (
  WITH of_class AS (
    SELECT drug_id
    FROM `${project}.${dataset}.drugs`
    WHERE EXISTS (
      SELECT 1
      FROM UNNEST(atc_codes) AS code
      -- The code of a class begins every code below it.
      WHERE UPPER(`${project}.${dataset}.folded_name`(atc_class))
        IN (code, LEFT(code, 5), LEFT(code, 4), LEFT(code, 3), LEFT(code, 1))
    )
  ),
  counted_drugs AS (
    SELECT drug_id FROM of_class
    UNION ALL
    -- Adds no row: it raises the error if no drug is of the class.
    SELECT
      IF(found = 0, ERROR(CONCAT('No drug is of ATC class ', IFNULL(atc_class, 'NULL'))), '')
    FROM (SELECT COUNT(*) AS found FROM of_class)
    WHERE found = 0
  ),
  named AS (
    SELECT journal_id, journal, drug_id, drug, source, retracted
    FROM `${project}.${dataset}.mentions`
    WHERE journal_id IS NOT NULL
      AND drug_id IN (SELECT drug_id FROM counted_drugs)
      -- IF takes NULL as FALSE.
      AND IF(exclude_retracted, IFNULL(retracted, FALSE), FALSE) = FALSE
  ),
  results AS (
    SELECT journal_id, journal, drug_id, drug, source, retracted, trial_ids
    FROM `${project}.${dataset}.trial_result_mentions`
    WHERE IF(with_trial_results, TRUE, FALSE)
      AND journal_id IS NOT NULL
      AND drug_id IN (SELECT drug_id FROM counted_drugs)
      AND IF(exclude_retracted, IFNULL(retracted, FALSE), FALSE) = FALSE
  ),
  counted AS (
    SELECT journal_id, journal, drug_id, drug, source, retracted FROM named
    UNION ALL
    SELECT journal_id, journal, drug_id, drug, source, retracted FROM results
  ),
  via AS (
    SELECT results.journal_id, ARRAY_AGG(DISTINCT trial_id ORDER BY trial_id) AS via_trials
    FROM results
    CROSS JOIN UNNEST(results.trial_ids) AS trial_id
    LEFT JOIN named
      ON named.journal_id = results.journal_id
      AND named.drug_id = results.drug_id
    WHERE named.drug_id IS NULL
    GROUP BY results.journal_id
  ),
  pairs AS (
    -- A drug counts once per journal, however often it is mentioned. Drugs are distinguished by
    -- drug_id: two drugs with the same name are two.
    SELECT
      journal_id,
      drug_id,
      MIN(journal) AS journal,
      MIN(drug) AS drug,
      COUNT(*) AS mentions,
      COUNTIF(retracted) AS retracted_mentions,
      -- Clinical trials cannot be retracted, so nothing of them is unknown.
      COUNTIF(retracted IS NULL AND source = 'pubmed') AS unknown_mentions
    FROM counted
    GROUP BY journal_id, drug_id
  ),
  counts AS (
    SELECT
      journal_id,
      MIN(journal) AS journal,
      COUNT(*) AS drug_count,
      ARRAY_AGG(drug ORDER BY drug) AS drugs,
      SUM(mentions) AS mentions,
      SUM(retracted_mentions) AS retracted_mentions,
      SUM(unknown_mentions) AS unknown_mentions
    FROM pairs
    GROUP BY journal_id
  )
  SELECT
    journal_id,
    journal,
    drug_count,
    drugs,
    mentions,
    retracted_mentions,
    unknown_mentions,
    IFNULL(via.via_trials, []) AS via_trials
  FROM counts
  LEFT JOIN via USING (journal_id)
  WHERE drug_count = (SELECT MAX(drug_count) FROM counts)
);
