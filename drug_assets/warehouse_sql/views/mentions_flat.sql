-- mentions_flat: one row per mention (a drug and a publication), without nested columns.
--
-- Intended for Looker Studio and spreadsheets.
--
-- Parameters: none.
-- Cost: the selected columns; with a filter on date, only of its years. A filter on year or month
-- alone reads all years: in Looker Studio, use date as the date range dimension.
-- Emulator: it does not store the descriptions.
CREATE OR REPLACE VIEW `${project}.${dataset}.mentions_flat` (
  drug_id OPTIONS (description = 'Drug that is mentioned.'),
  drug OPTIONS (description = 'Name of the drug.'),
  atc_codes OPTIONS (description = 'ATC codes of the drug, separated by comma and blank.'),
  source OPTIONS (description = 'pubmed or clinical_trials.'),
  publication_id OPTIONS (description = 'Publication whose title mentions it.'),
  title OPTIONS (description = 'Title of the publication.'),
  journal_id OPTIONS (description = 'Identity of the journal; NULL if unknown.'),
  journal OPTIONS (description = 'Journal of the publication; NULL if unknown.'),
  date OPTIONS (description = 'First day of what is known of the date; NULL if unknown.'),
  date_precision OPTIONS (description = 'What of the date is known: day, month, season or year.'),
  year OPTIONS (description = 'Year of publication.'),
  month OPTIONS (description = 'Month, 1 to 12; NULL if only its season or year is known.'),
  retracted OPTIONS (
    description = 'Whether the publication was retracted; NULL if no record says, and for trials.'
  ),
  occurrences OPTIONS (description = 'How often the title names the drug.'),
  first_spelling OPTIONS (description = 'The name as the title first spells it.')
)
OPTIONS (
  description = 'One row per mention of a drug by a publication, without nested columns.'
)
AS
SELECT
  mentions.drug_id,
  mentions.drug,
  ARRAY_TO_STRING(drugs.atc_codes, ', ') AS atc_codes,
  mentions.source,
  mentions.publication_id,
  mentions.title,
  mentions.journal_id,
  mentions.journal,
  mentions.date,
  mentions.date_precision,
  EXTRACT(YEAR FROM mentions.date) AS year,
  -- The date of a season or a year is its first day, which says nothing about the month.
  IF(mentions.date_precision IN ('day', 'month'), EXTRACT(MONTH FROM mentions.date), NULL) AS month,
  mentions.retracted,
  ARRAY_LENGTH(mentions.spans) AS occurrences,
  mentions.spans[SAFE_OFFSET(0)].text AS first_spelling
FROM `${project}.${dataset}.mentions` AS mentions
-- drug_id is the key of drugs, so the join neither drops nor duplicates a mention.
LEFT JOIN `${project}.${dataset}.drugs` AS drugs USING (drug_id);
