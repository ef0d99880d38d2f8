-- drugs_in_same_journals_without_trials(drug_name): as drugs_in_same_journals, leaving out the
-- journals that mention the given drug in a clinical trial (SPEC section 6.2, second reading,
-- --exclude-trial-journals).
--
-- Parameters: drug_name STRING, any of the drug's names, in any case and spacing. Where it is the
-- name of one drug and a synonym of another, the first is meant; a synonym that several share means
-- all of them. A name that no drug has is an error, not an empty answer; a drug without mention has
-- an empty one. (The parameter is not called drug: a column of that name would hide it.)
-- Returns: drug_id STRING, drug STRING, journals ARRAY<STRING> (those that link the two, sorted).
-- Rows of a table function have no order, so the caller sorts:
--   SELECT * FROM `${project}.${dataset}.drugs_in_same_journals_without_trials`('betamethasone')
--   ORDER BY drug
-- Cost: journal_drugs (one row a journal and drug) and three columns of drugs, whole: far less than
-- the mentions.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.drugs_in_same_journals_without_trials`(
  drug_name STRING
)
RETURNS TABLE<drug_id STRING, drug STRING, journals ARRAY<STRING>>
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
    -- Never a row: without a drug of that name, the error.
    SELECT IF(found = 0, ERROR(CONCAT('No drug is named ', IFNULL(drug_name, 'NULL'))), '')
    FROM (SELECT COUNT(*) AS found FROM named)
    WHERE found = 0
  ),
  linking_journals AS (
    SELECT pairs.journal_id
    FROM `${project}.${dataset}.journal_drugs` AS pairs
    WHERE pairs.drug_id IN (SELECT drug_id FROM asked)
    GROUP BY pairs.journal_id
    HAVING SUM(pairs.pubmed_mentions) > 0 AND SUM(pairs.clinical_trial_mentions) = 0
  )
  SELECT
    others.drug_id,
    MIN(others.drug) AS drug,
    ARRAY_AGG(DISTINCT others.journal ORDER BY others.journal) AS journals
  FROM `${project}.${dataset}.journal_drugs` AS others
  INNER JOIN linking_journals USING (journal_id)
  WHERE others.pubmed_mentions > 0
    AND others.drug_id NOT IN (SELECT drug_id FROM asked)
  GROUP BY others.drug_id
);
