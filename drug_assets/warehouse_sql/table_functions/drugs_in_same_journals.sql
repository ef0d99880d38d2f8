-- drugs_in_same_journals(drug_name, exclude_trial_journals, exclude_retracted): the drugs that share
-- journals with one.
--
-- The other drugs mentioned by the journals that mention this drug; only mentions by PubMed
-- publications count, for both drugs (SPEC 6.2).
--
-- Parameters:
--   drug_name STRING, any of the drug's names, in any case and spacing. If it is the name of one
--     drug and a synonym of another, it means the first; a synonym of several drugs means all of
--     them. A name that no drug has is an error, not an empty answer; a drug without mentions has
--     an empty answer. (The parameter is not called drug: a column of that name would hide it.)
--   exclude_trial_journals BOOL, whether to leave out the journals that mention the given drug in a
--     clinical trial (as --exclude-trial-journals does); NULL means FALSE (table functions have no
--     default arguments).
--   exclude_retracted BOOL, whether to leave out the mentions of retracted publications, of either
--     drug (as --exclude-retracted does); those of which no record says stay. NULL means FALSE.
-- Returns: drug_id STRING, drug STRING, journals ARRAY<STRING> (those that link the two, sorted),
-- and of either drug's mentions by these journals that were counted: mentions INT64,
-- retracted_mentions INT64, unknown_mentions INT64 (no record says).
-- Rows of a table function have no order, so the caller sorts:
--   SELECT * FROM `${project}.${dataset}.drugs_in_same_journals`('betamethasone', FALSE, FALSE)
--   ORDER BY drug
-- Cost: journal_drugs (one row per journal and drug) and three columns of drugs, whole: far less
-- than the mentions.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.drugs_in_same_journals`(
  drug_name STRING,
  exclude_trial_journals BOOL,
  exclude_retracted BOOL
)
RETURNS TABLE<
  drug_id STRING,
  drug STRING,
  journals ARRAY<STRING>,
  mentions INT64,
  retracted_mentions INT64,
  unknown_mentions INT64
>
AS (
  WITH named AS (
    SELECT
      listed.drug_id,
      `${project}.${dataset}.folded_name`(listed.drug)
        = `${project}.${dataset}.folded_name`(drug_name) AS is_its_first_name
    FROM `${project}.${dataset}.drugs` AS listed
    WHERE EXISTS (
      SELECT 1
      FROM UNNEST(listed.names) AS name
      WHERE `${project}.${dataset}.folded_name`(name)
        = `${project}.${dataset}.folded_name`(drug_name)
    )
  ),
  asked AS (
    SELECT drug_id
    FROM named
    WHERE is_its_first_name = (SELECT LOGICAL_OR(is_its_first_name) FROM named)
    UNION ALL
    -- Adds no row: it raises the error if no drug has the name.
    SELECT IF(found = 0, ERROR(CONCAT('No drug is named ', IFNULL(drug_name, 'NULL'))), '')
    FROM (SELECT COUNT(*) AS found FROM named)
    WHERE found = 0
  ),
  counted AS (
    SELECT
      journal_id,
      journal,
      drug_id,
      drug,
      -- IF takes NULL as FALSE.
      pubmed_mentions - IF(exclude_retracted, retracted_pubmed_mentions, 0) AS mentions,
      IF(exclude_retracted, 0, retracted_pubmed_mentions) AS retracted_mentions,
      unknown_pubmed_mentions AS unknown_mentions,
      IF(exclude_trial_journals, clinical_trial_mentions, 0) AS excluding_mentions
    FROM `${project}.${dataset}.journal_drugs`
  ),
  linking_journals AS (
    SELECT
      journal_id,
      SUM(mentions) AS mentions,
      SUM(retracted_mentions) AS retracted_mentions,
      SUM(unknown_mentions) AS unknown_mentions
    FROM counted
    WHERE drug_id IN (SELECT drug_id FROM asked)
    GROUP BY journal_id
    HAVING SUM(mentions) > 0
      AND SUM(excluding_mentions) = 0
  )
  SELECT
    others.drug_id,
    MIN(others.drug) AS drug,
    ARRAY_AGG(DISTINCT others.journal ORDER BY others.journal) AS journals,
    SUM(others.mentions + linking.mentions) AS mentions,
    SUM(others.retracted_mentions + linking.retracted_mentions) AS retracted_mentions,
    SUM(others.unknown_mentions + linking.unknown_mentions) AS unknown_mentions
  FROM counted AS others
  INNER JOIN linking_journals AS linking USING (journal_id)
  WHERE others.mentions > 0
    AND others.drug_id NOT IN (SELECT drug_id FROM asked)
  GROUP BY others.drug_id
);
