-- folded_name(name): a drug's name in the form in which names are compared.
--
-- Without case and accents, with each run of white space as one blank.
--
-- Parameters: name STRING. Returns STRING; NULL for NULL.
-- Cost: none of its own.
--
-- For Latin, Greek and Cyrillic letters the result is that of the pipeline (SPEC 2), except that
-- the pipeline folds one character to one: there "ß" stays, here it becomes "ss".
CREATE OR REPLACE FUNCTION `${project}.${dataset}.folded_name`(name STRING)
RETURNS STRING
AS (
  REGEXP_REPLACE(
    NORMALIZE_AND_CASEFOLD(TRIM(REGEXP_REPLACE(name, r'[\s\p{Z}]+', ' ')), NFD),
    r'[\x{0300}-\x{036F}]',
    ''
  )
);
